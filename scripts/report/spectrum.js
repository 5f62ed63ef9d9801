// All percentiles of each model at one load.
function drawSpectrum() {
  const cells = shown(), traces = [], notes = [], share = state.load / 100;
  document.getElementById("load").value = state.load;
  const best = Math.max(...cells.map(c => c.cell.figures.saturation?.value).filter(v => v > 0)),
        own = state.x === "share" || spreads(cells, 3);
  document.getElementById("load-says").textContent = own ? `${state.load}% of each model's own saturation` :
      known(best) && best > 0 ? `${rate(best * share)}/s, ${state.load}% of the best saturation` :
                                "";
  for (const c of cells) {
    const target = (own ? c.cell.figures.saturation?.value : best) * share,
          near = c.cell.points.filter(q => Math.abs(Math.log(q.rate / target)) < 0.35)
                     .sort((a, b) => Math.abs(Math.log(a.rate / target)) - Math.abs(Math.log(b.rate / target)))[0];
    if (!near) {
      notes.push(label(c.id, c.r));
      continue;
    }
    const rows = doc.spectrum.map((p, i) => [100 / (100 - p), near.spectrum[i], p]).filter(q => known(q[1]));
    traces.push({
      x: rows.map(q => q[0]),
      y: rows.map(q => q[1]),
      mode: "lines",
      line: {
        color: colour(c.id),
        width: 2,
        dash: near.stable ? (doc.runs.length > 1 && RUN_DASH[c.r]) || style(c.id).dash : "1px,4px"
      },
      customdata: c.id,
      text: rows.map(
          q => `<b>${escape(label(c.id, c.r))}</b> at ${rate(near.rate, 4)}/s<br>p${q[2]} ${time(q[1])}${
              near.stable ? "" : "<br>past saturation"}`),
      hoverinfo: "text",
      meta: "spectrum"
    });
  }
  document.getElementById("spectrum-note").textContent =
      "The measured rate nearest to the load, at most a third away; histograms of all blocks added. Dotted: past saturation. Percentiles beyond the last request are not drawn." +
      (notes.length ? ` No rate near it: ${notes.join(", ")}.` : "");
  const all = traces.flatMap(t => t.y).filter(v => v > 0), far = Math.max(10, ...traces.flatMap(t => t.x));
  if (!all.length)
    return draw("spectrum", [], {annotations: [nothing("no measured rate is near this load")]}, "no spectrum");
  const marks = [
    [1, "0"], [2, "50%"], [10, "90%"], [100, "99%"], [1e3, "99.9%"], [1e4, "99.99%"], [1e5, "99.999%"]
  ].filter(m => m[0] <= far * 1.3);
  return draw(
      "spectrum", traces, {
        xaxis: {
          type: "log",
          range: [0, Math.log10(far * 1.15)],
          tickvals: marks.map(m => m[0]),
          ticktext: marks.map(m => m[1]),
          title: {text: "percentile"}
        },
        yaxis: logAxis(Math.min(...all) / 1.3, Math.max(...all) * 1.3, "response", v => time(v)),
        margin: {l: 66, r: 16, t: 10, b: 46}
      },
      "percentile spectrum");
}

section({id: "spectrum", draw: drawSpectrum, on: ["load", "size", "all"]});
