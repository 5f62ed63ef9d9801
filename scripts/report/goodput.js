// Goodput against offered load.
function drawGoodput() {
  const cells = shown();
  if (!cells.length) return draw("goodput", [], {annotations: [nothing()]}, "no curve");
  const share = state.x === "share", unit = c => share ? c.cell.figures.saturation?.value || NaN : 1, traces = [],
        loads = [], goods = [], ends = [];
  for (const c of cells) {
    const u = unit(c), v = k => q => {
      const g = q.goodput[k] / u;
      return spreads(cells) && !share && !(g > 0) ? null : g;
    };
    traces.push(...curveTraces(
        c, v(0), v(1), v(2),
        q => `goodput ${rate(q.goodput[0], 4)}/s ${
            q.blocks.length > 1 ? range(q.goodput[1], q.goodput[2], rate) : ""}`));
    loads.push(...c.cell.points.map(q => xOf(c.cell, q.rate)));
    goods.push(...c.cell.points.map(q => q.goodput[2] / u));
    const last = c.cell.points[c.cell.points.length - 1];
    ends.push({id: c.id, r: c.r, y: last.goodput[0] / u});
  }
  const x = xAxis(cells, loads), most = Math.max(...goods.filter(known)), logs = x.type === "log";
  const bottom = Math.min(...goods.filter(g => g > 0)) / 1.3, top = logs ? most * 1.6 : most * 1.12;
  const y = logs ? logAxis(bottom, top, "goodput (requests/s)", v => rate(v)) :
                   linearAxis(
                       top, share ? "goodput, share of saturation" : "goodput (requests/s)",
                       v => share ? digits(100 * v) + "%" : rate(v));
  const far = logs ? 10 ** x.range[1] : x.range[1], near = logs ? 10 ** x.range[0] : 0;
  traces.unshift({
    x: [near, far],
    y: [near, far],
    mode: "lines",
    line: {color: css("--muted"), width: 1.2, dash: "6px,4px"},
    hoverinfo: "skip"
  });
  const height = document.getElementById("goodput").clientHeight - 60;
  for (const e of ends)
    e.share = e.y > 0 || !logs ? Math.max(0, logs ? Math.log(e.y / bottom) / Math.log(top / bottom) : e.y / top) : 0;
  return draw(
      "goodput", traces,
      {xaxis: x, yaxis: y, margin: {l: 62, r: labelRoom(cells), t: 10, b: 48}, annotations: endLabels(ends, height)},
      `goodput against offered load, ${current().title}`);
}

section({id: "goodput", draw: drawGoodput, on: ["size", "all"]});
