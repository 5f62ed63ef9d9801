// Time against latency at one load of one model: stationary, or not.
function drawHeat() {
  const cells = shown(), pick = document.getElementById("heat-series"), loads = document.getElementById("heat-rate"),
        note = document.getElementById("heat-note");
  const key = c => `${c.r}|${c.id}`,
        chosen = cells.find(c => key(c) === state.hs) ||
      cells.slice().sort((a, b) => (b.cell.figures.cliff?.value || 0) - (a.cell.figures.cliff?.value || 0))[0];
  pick.innerHTML = cells
                       .map(
                           c => `<option value="${escape(key(c))}"${c === chosen ? " selected" : ""}>${
                               escape(label(c.id, c.r))}</option>`)
                       .join("");
  const have = chosen ? chosen.cell.points.filter(q => q.blocks.some(b => b.heat.length)) : [];
  if (!have.length) {
    loads.innerHTML = "";
    note.textContent = doc.runs.some(r => r.heat_left_out) ?
        "Left out, to keep this page small; the journals hold it." :
        "The run's journal holds no response times by time slice here.";
    return draw("heat", [], {annotations: [nothing("no time slices")]}, "no heat map");
  }
  const cliff = chosen.cell.figures.cliff?.value;
  const near = have.find(q => q.rate === state.hr) ||
      have.filter(q => q.stable)
          .sort((a, b) => Math.abs(a.rate - 0.9 * (cliff || a.rate)) - Math.abs(b.rate - 0.9 * (cliff || b.rate)))[0] ||
      have[0];
  loads.innerHTML = have.map(
                            q => `<option value="${q.rate}"${q === near ? " selected" : ""}>${rate(q.rate, 4)}/s${
                                q.stable ? "" : " (past saturation)"}</option>`)
                        .join("");
  const blocks = near.blocks.filter(b => b.heat.length), columns = [], x = [], bounds = [];
  const span = near.window / blocks[0].heat.length / 1e9;
  blocks.forEach(b => {
    bounds.push(columns.length * span);
    b.heat.forEach(h => columns.push(h));
  });
  columns.forEach((_, i) => x.push((i + 0.5) * span));
  const steps = columns.flatMap(h => h.filter((_, i) => i % 2 === 0)), low = Math.min(...steps),
        high = Math.max(...steps);
  const y = [], z = [], said = [];
  for (let s = low; s <= high; ++s) {
    y.push(2 ** ((s + 0.5) / doc.steps));
    const row = columns.map(h => {
      for (let i = 0; i < h.length; i += 2)
        if (h[i] === s) return h[i + 1];
      return null;
    });
    z.push(row.map(n => n ? Math.log10(n) : null));
    said.push(row.map(
        (n, i) => n ?
            `${plural(n, "request")}<br>${time(2 ** (s / doc.steps))} to ${time(2 ** ((s + 1) / doc.steps))}<br>block ${
                blocks[Math.floor(i / blocks[0].heat.length)]?.block + 1}` :
            ""));
  }
  const most = Math.max(1, ...z.flat().filter(known)), ticks = [0, 1, 2, 3, 4, 5, 6].filter(k => k <= most);
  const scale = isDark() && !printing ? [[0, "#263238"], [0.35, "#1f6f8b"], [0.7, "#58b4ae"], [1, "#ffe9a8"]] :
                                        [[0, "#e3edf4"], [0.35, "#8fb9d6"], [0.7, "#2f78a8"], [1, "#0a2f51"]];
  note.textContent = `Each column is a twentieth of a window, by intended arrival; ${
      blocks.length > 1 ? `the ${blocks.length} blocks stand side by side. ` :
                          ""}Bands that rise to the right mean a growing backlog, a dark step is a stall.`;
  const bottom = 2 ** (low / doc.steps), top = Math.max(2 ** ((high + 1) / doc.steps), bottom * 2.2);
  return draw(
      "heat", [{
        type: "heatmap",
        x,
        y,
        z,
        text: said,
        hoverinfo: "text",
        colorscale: scale,
        zmin: 0,
        zmax: most,
        colorbar: {
          thickness: 10,
          tickvals: ticks,
          ticktext: ticks.map(k => rate(10 ** k)),
          outlinewidth: 0,
          title: {text: "requests", side: "right", font: {size: 12}}
        }
      }],
      {
        xaxis: {range: [0, columns.length * span], title: {text: "seconds of window"}},
        yaxis: logAxis(bottom, top, "response", v => time(v)),
        margin: {l: 66, r: 10, t: 24, b: 46},
        shapes: bounds.slice(1).map(
            b => ({type: "line", x0: b, x1: b, yref: "paper", y0: 0, y1: 1, line: {color: css("--ink"), width: 1}})),
        annotations: blocks.length > 1 ? bounds.map((b, i) => ({
                                                      x: b,
                                                      xanchor: "left",
                                                      yref: "paper",
                                                      y: 1,
                                                      yanchor: "bottom",
                                                      text: `block ${blocks[i].block + 1}`,
                                                      showarrow: false,
                                                      font: {size: 11, color: css("--muted")}
                                                    })) :
                                         []
      },
      `response times over the window, ${label(chosen.id, chosen.r)} at ${rate(near.rate)}/s`);
}

section({id: "heat", draw: drawHeat, on: ["heat", "size", "all"]});
