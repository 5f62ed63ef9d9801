// Response against offered load: curves, bands, cliff and saturation marks, hollow points past saturation.
let responseAxis = null;  // {low, high} of the response chart, ns
let held = false;         // the SLO line is being dragged

function capacities() {
  const p = percentile(), bound = slo();
  return shown().map(c => ({...c, found: capacity(c.cell, p, bound)}));
}

function drawResponse() {
  const cells = shown(), at = pAt(), bound = slo(), p = percentile();
  // While the line is dragged no text above the chart changes, lest the chart moves under the finger.
  if (!held) document.getElementById("response-lead").innerHTML = responseLead();
  if (!cells.length) {
    responseAxis = null;
    placeLine();
    return draw("response", [], {annotations: [nothing()]}, "no curve");
  }
  const values = cells.flatMap(c => c.cell.points.map(q => q.q[at])).filter(known);
  // The backlog of an overload grows with the window and would squeeze the cliff out of sight.
  const carried = cells.flatMap(c => c.cell.points.filter(q => q.stable).map(q => band(q, at)[1])).filter(known);
  // Under the reader's finger the axis stays where it is.
  const low = held ? responseAxis.low : Math.min(bound / 1.5, ...values) / 1.4;
  const high = held ?
      responseAxis.high :
      Math.max(3 * bound, Math.min(1.6 * Math.max(bound, ...values), 1.6 * Math.max(bound, ...carried)));
  const edge = high / (high / low) ** 0.04;
  responseAxis = {low, high};
  const traces = [], found = capacities(), loads = [], ends = [];
  for (const c of cells) {
    traces.push(...curveTraces(c, q => q.q[at], q => band(q, at)[0], q => band(q, at)[1], q => {
      const [a, b] = band(q, at);
      return `${pname(p)} ${time(q.q[at])} ${q.blocks.length > 1 ? range(a, b, time) : ""}`;
    }, edge, q => q.line[at]));
    loads.push(...c.cell.points.filter(q => known(q.q[at])).map(q => xOf(c.cell, q.rate)));
    const last = c.cell.points.filter(q => known(q.q[at])).slice(-1)[0];
    if (last) ends.push({id: c.id, r: c.r, share: Math.log(Math.min(last.q[at], edge) / low) / Math.log(high / low)});
    const top = c.cell.figures.saturation;
    if (top?.value > 0)
      traces.push({
        x: [xOf(c.cell, top.value)],
        y: [low * (high / low) ** 0.015],  // a mark on the very edge would not be drawn
        mode: "markers",
        cliponaxis: false,
        hoverinfo: "text",
        meta: "saturation",
        customdata: c.id,
        text: [`<b>${escape(label(c.id, c.r))}</b><br>saturation ${perSecond(top)}`],
        marker: {symbol: "line-ns-open", size: 18, color: colour(c.id), line: {width: 3, color: colour(c.id)}}
      });
  }
  // Intervals lie in lanes under the SLO line, one below the other, so that each is seen; more than eight would hide
  // the curves.
  const height = document.getElementById("response").clientHeight - 60, lanes = (high / low) ** (6 / height);
  const met =
      found.length > 8 ? [] : found.filter(c => c.found.reached === "ok" && known(c.found.low) && known(c.found.high));
  for (const {id, r, cell, found: f} of found) {
    const lane = () => bound / lanes ** (1.5 + met.findIndex(c => c.id === id && c.r === r));
    if (f.reached !== "ok") continue;
    if (met.some(c => c.id === id && c.r === r))
      traces.push({
        x: [f.low, f.high].map(v => xOf(cell, v)),
        y: [lane(), lane()],
        mode: "lines",
        line: {color: colour(id), width: 2.5},
        hoverinfo: "skip",
        meta: "interval",
        customdata: id
      });
    traces.push({
      x: [xOf(cell, f.value)],
      y: [bound],
      mode: "markers",
      cliponaxis: false,
      hoverinfo: "text",
      meta: "cliff",
      customdata: id,
      text: [`<b>${escape(label(id, r))}</b><br>carries ${perSecond(f)} under ${pname(p)} ≤ ${time(bound)}`],
      marker: {symbol: style(id).symbol, size: 14, color: colour(id), line: {width: 1.5, color: css("--paper")}}
    });
  }
  return draw(
             "response", traces, {
               margin: {l: 66, r: labelRoom(cells), t: 12, b: 48},
               xaxis: xAxis(cells, loads),
               yaxis: logAxis(low, high, `${pname(p)} response`, v => time(v), 10),
               annotations: endLabels(ends, height)
             },
             `${pname(p)} response against offered load, ${current().title}: ${
                 cells.map(c => label(c.id, c.r)).join(", ")}`,
             placeLine);
}

section({id: "response", draw: drawResponse, on: ["drag", "slo", "size", "all"]});
