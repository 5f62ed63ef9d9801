// The run's own cliffs and saturations with their intervals, one row a model.
function drawIntervals() {
  const cells = shown().slice().reverse();
  if (!cells.length) return draw("intervals", [], {annotations: [nothing()]}, "no figure");
  // A row is as high as its name's lines.
  const rows = cells.map(c => 8 + 15 * wrapped(label(c.id, c.r)).length).reduce((a, b) => a + b);
  document.getElementById("intervals").style.height = rows + 80 > 380 ? `${rows + 80}px` : "";
  const traces = [],
        all = cells
                  .flatMap(c => ["cliff", "saturation"].flatMap(n => {
                    const f = c.cell.figures[n];
                    return f ? [f.value, f.low, f.high] : [];
                  }))
                  .filter(v => v > 0);
  if (!all.length) return draw("intervals", [], {annotations: [nothing("no figure was measured")]}, "no figure");
  const logs = spreads(cells),
        top = Math.max(...cells.flatMap(c => ["cliff", "saturation"].map(n => c.cell.figures[n]?.value)).filter(known));
  const bottom =
      Math.min(...cells.flatMap(c => ["cliff", "saturation"].map(n => c.cell.figures[n]?.value)).filter(v => v > 0));
  const annotations = [];
  cells.forEach((c, i) => ["saturation", "cliff"].forEach(n => {
    const f = c.cell.figures[n], cap = n === "saturation";
    if (!(f?.value > 0)) return;
    const y = i + (cap ? -0.16 : 0.16);
    if (f.reached === "ok" && known(f.low) && known(f.high))
      traces.push({
        x: [Math.max(f.low, logs ? bottom / 3 : 0), f.high],
        y: [y, y],
        mode: "lines",
        line: {color: faded(colour(c.id), 0.45), width: 5},
        hoverinfo: "skip"
      });
    traces.push({
      x: [f.value],
      y: [y],
      mode: "markers",
      hoverinfo: "text",
      text: [`<b>${escape(label(c.id, c.r))}</b><br>${n} ${perSecond(f)}`],
      meta: n,
      customdata: c.id,
      marker: {
        size: cap ? 17 : 11,
        symbol: cap ? "line-ns-open" : style(c.id).symbol,
        color: colour(c.id),
        line: {width: cap ? 3.5 : 1, color: cap ? colour(c.id) : css("--paper")}
      }
    });
    if (f.reached === "above" || f.reached === "below")
      annotations.push({
        x: logs ? Math.log10(f.value) : f.value,
        y,
        ax: f.reached === "above" ? 24 : -24,
        ay: 0,
        axref: "pixel",
        ayref: "pixel",
        text: "",
        showarrow: true,
        arrowhead: 0,
        arrowside: "start",
        startarrowhead: 2,
        startarrowsize: 1.2,
        arrowcolor: colour(c.id),
        arrowwidth: 1.6,
        standoff: 6
      });
  }));
  const x = logs ? logAxis(bottom / 2, top * 2, "requests/s", v => rate(v), narrow() ? 4 : 7) :
                   linearAxis(top * 1.3, "requests/s", v => rate(v), narrow() ? 4 : 7);
  return draw(
      "intervals", traces, {
        xaxis: x,
        annotations,
        margin: {l: 60, r: 20, t: 8, b: 46},
        yaxis: {
          range: [-0.6, cells.length - 0.4],
          tickvals: cells.map((_, i) => i),
          ticktext: cells.map(c => wrapped(label(c.id, c.r)).map(escape).join("<br>")),
          showgrid: false,
          tickfont: {size: narrow() ? 10.5 : 12}
        }
      },
      "cliff and saturation with intervals");
}

section({id: "intervals", draw: drawIntervals, on: ["size", "all"]});
