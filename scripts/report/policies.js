// What policies trade, capacity against the response at half of it, and what their attempts cost. Hidden without
// policies.
const HALF_REACH =
    0.4;  // how far from half of the saturation a measured rate may lie, as a share of it: figures/frontier.py

// [response, lowest, highest block] at half of a cell's saturation, interpolated on the logarithm between the stable
// rates beside it; null where none is near.
function atHalf(cell, at) {
  const middle = cell.figures.saturation?.value / 2,
        near = cell.points.filter(q => q.stable && known(q.q[at]) && Math.abs(q.rate / middle - 1) <= HALF_REACH),
        of = q => [q.q[at], ...band(q, at)], below = near.filter(q => q.rate <= middle).pop(),
        above = near.find(q => q.rate >= middle);
  if (!below || !above || below === above) return below || above ? of(below || above) : null;
  const share = (middle - below.rate) / (above.rate - below.rate), low = of(below), high = of(above);
  return low.map((v, i) => Math.exp((1 - share) * Math.log(v) + share * Math.log(high[i])));
}

// Where the words of marks stand, in pixels: the place beside each that covers least of lines, marks and other words.
function placed(marks, lines) {
  const dots = marks.map(m => [m.x, m.y]), boxes = [];
  for (const line of lines)
    line.slice(1).forEach((b, i) => {
      const a = line[i], steps = Math.ceil(Math.hypot(b[0] - a[0], b[1] - a[1]) / 5);
      for (let k = 0; k <= steps; ++k) dots.push([a[0] + (b[0] - a[0]) * k / steps, a[1] + (b[1] - a[1]) * k / steps]);
    });
  return marks.map(m => {
    const wide = 7.2 * m.text.length, tall = 15;
    const tried = [
      [1, 1], [-1, 1], [1, -1], [-1, -1], [1, 0], [-1, 0], [0, 1], [0, -1], [1, 2.2], [1, -2.2], [-1, 2.2], [-1, -2.2]
    ].map(([h, v]) => {
      const dx = h * (8 + wide / 2), dy = v * (h ? 11 : 17),
            box = [m.x + dx - wide / 2, m.y + dy - tall / 2, m.x + dx + wide / 2, m.y + dy + tall / 2];
      const hit = dots.filter(d => d[0] > box[0] - 3 && d[0] < box[2] + 3 && d[1] > box[1] - 2 && d[1] < box[3] + 2)
                      .length,
            over = boxes.filter(b => b[0] < box[2] && b[2] > box[0] && b[1] < box[3] && b[3] > box[1]).length;
      return {dx, dy, box, cost: hit + 50 * over + (box[0] < 0 || box[2] > m.right ? 100 : 0)};
    });
    const best = tried.reduce((a, b) => b.cost < a.cost ? b : a);
    boxes.push(best.box);
    return best;
  });
}

function drawFrontier() {
  document.getElementById("s-policies").hidden = !doc.series.some(s => s.policy);
  if (!doc.series.some(s => s.policy)) return;
  const at = pAt(), cells = shown(),
        spots = cells.map(c => ({...c, half: atHalf(c.cell, at), top: c.cell.figures.saturation})).filter(c => c.half),
        without = cells.filter(c => !spots.some(q => q.id === c.id && q.r === c.r)), families = {};
  spots.forEach(c => (families[`${c.r}|${style(c.id).family}`] ??= []).push(c));
  const lines = Object.values(families).filter(f => style(f[0].id).knob);
  lines.forEach(f => f.sort((a, b) => style(a.id).at - style(b.id).at));
  document.getElementById("frontier-lead").innerHTML = lines.length ? "Each line varies one option of a policy: " +
          listed(lines.map(
              f => `<span class="name">${swatch(f[Math.floor(f.length / 2)].id)} ${
                  escape(style(f[0].id).family)}</span> over <b>${escape(style(f[0].id).knob)}</b>`)) +
          ". Hollow: one series alone." :
                                                                      "Each mark is one series.";
  document.getElementById("frontier-note").innerHTML = without.length ?
      `Not drawn, since no stable rate near half of the saturation was measured: ${names(without)}.` :
      "";
  if (!spots.length) return draw("frontier", [], {annotations: [nothing()]}, "no mark");
  const traces = [], rates = spots.flatMap(c => [c.top.value, c.top.low, c.top.high]).filter(v => v > 0),
        heights = spots.flatMap(c => c.half);
  for (const f of lines) {
    const id = f[Math.floor(f.length / 2)].id;
    traces.push({
      x: f.map(c => c.top.value),
      y: f.map(c => c.half[0]),
      mode: "lines",
      line: {color: colour(id), width: 2, dash: style(id).dash},
      hoverinfo: "skip",
      meta: "knob",
      customdata: style(id).family
    });
  }
  for (const c of spots) {
    const s = style(c.id), hue = colour(c.id), alone = !s.knob,
          bar = (x, y) => traces.push(
              {x, y, mode: "lines", line: {color: faded(hue, 0.4), width: 5}, hoverinfo: "skip", meta: "bar"});
    if (known(c.top.low) && known(c.top.high)) bar([c.top.low, c.top.high], [c.half[0], c.half[0]]);
    if (known(c.half[1]) && known(c.half[2])) bar([c.top.value, c.top.value], [c.half[1], c.half[2]]);
    traces.push({
      x: [c.top.value],
      y: [c.half[0]],
      mode: "markers",
      hoverinfo: "text",
      text: [`<b>${escape(label(c.id, c.r))}</b><br>saturation ${perSecond(c.top)}<br>${
          pname(percentile())} at half of it ${time(c.half[0])}`],
      meta: "spot",
      customdata: c.id,
      marker: {
        symbol: alone ? s.symbol + "-open" : s.symbol,
        size: alone ? 17 : 10,
        color: hue,
        line: {width: alone ? 2 : 1, color: alone ? hue : css("--paper")}
      }
    });
  }
  const low = Math.min(...rates), top = Math.max(...rates), most = narrow() ? 4 : 8, title = "saturation (requests/s)",
        box = document.getElementById("frontier"),
        x = top > 5 * low ? logAxis(low / 1.5, top * 1.5, title, v => rate(v), most) :
                            linearAxis(top * 1.15, title, v => rate(v), most),
        y = logAxis(
            Math.min(...heights) / 1.6, Math.max(...heights) * 1.6, `${pname(percentile())} response at half load`,
            v => time(v), 8),
        margin = {l: 66, r: 16, t: 12, b: 48}, wide = box.clientWidth - margin.l - margin.r,
        tall = box.clientHeight - margin.t - margin.b,
        along = (axis, v) =>
            ((axis.type === "log" ? Math.log10(v) : v) - axis.range[0]) / (axis.range[1] - axis.range[0]),
        spotAt = c => [along(x, c.top.value) * wide, along(y, c.half[0]) * tall];
  const words = c => style(c.id).knob ?
      (narrow() ? style(c.id).setting : `${style(c.id).knob}=${style(c.id).setting}`) :
      style(c.id).policy || "no policy";
  const shifts = placed(
      spots.map(c => ({x: spotAt(c)[0], y: spotAt(c)[1], text: words(c), right: wide})), lines.map(f => f.map(spotAt)));
  const annotations = spots.map((c, i) => ({
                                  x: x.type === "log" ? Math.log10(c.top.value) : c.top.value,
                                  y: Math.log10(c.half[0]),
                                  xshift: shifts[i].dx,
                                  yshift: shifts[i].dy,
                                  text: escape(words(c)),
                                  showarrow: false,
                                  font: {size: 12, color: readable(colour(c.id))}
                                }));
  return draw(
      "frontier", traces, {xaxis: x, yaxis: y, margin, annotations},
      `saturation against the response at half of it, ${current().title}`);
}

function drawWork() {
  if (!doc.series.some(s => s.policy)) return;
  const cells = shown(), jobs = [
    ...smallChart(cells, "work-attempts", "attempts per request", q => q.why.attempts, v => digits(v)),
    ...smallChart(cells, "work-wasted", "wasted share of attempts", q => q.why.wasted, v => percent(v), true),
    ...smallChart(cells, "work-cpu", "CPU time per request, losers included", q => q.why.cpu, v => time(v))
  ];
  document.getElementById("work-note").textContent = jobs.length ?
      "An attempt is what a policy hands to the model: a batch, a request, or a further try of one. Wasted: begun, and not what ended its request." +
          (jobs.some(j => j.id === "work-cpu") ? "" : " No CPU time was measured, as on the virtual clock.") :
      "No model with a policy is shown, or none was measured here.";
  return drawSmall(document.getElementById("work"), cells, jobs);
}

function drawCost() {
  const cells = shown()
                    .filter(c => c.cell.figures.cost_per_million?.value > 0)
                    .sort((a, b) => b.cell.figures.cost_per_million.value - a.cell.figures.cost_per_million.value);
  document.getElementById("cost-body").hidden = !cells.length;
  if (!cells.length) return;
  const lines = Math.max(...cells.map(c => wrapped(label(c.id, c.r)).length));
  document.getElementById("cost").style.height = `${70 + cells.length * (9 + 15 * lines)}px`;
  const cost = c => c.cell.figures.cost_per_million,
        values = cells.flatMap(c => [cost(c).value, cost(c).low, cost(c).high]).filter(v => v > 0),
        low = Math.min(...values), top = Math.max(...values), logs = top > 10 * low, traces = [], annotations = [];
  cells.forEach((c, i) => {
    const f = cost(c), bound = f.reached !== "ok",
          said = bound ? `${f.reached === "above" ? "at least" : "at most"} ${digits(f.value)}` :
                         `${digits(f.value)} ${range(f.low, f.high, v => digits(v))}`;
    if (!bound && known(f.low) && known(f.high))
      traces.push({
        x: [f.low, f.high],
        y: [i, i],
        mode: "lines",
        line: {color: faded(colour(c.id), 0.45), width: 5},
        hoverinfo: "skip",
        meta: "bar"
      });
    traces.push({
      x: [f.value],
      y: [i],
      mode: "markers",
      hoverinfo: "text",
      text: [`<b>${escape(label(c.id, c.r))}</b><br>${said} a million`],
      meta: "cost",
      customdata: c.id,
      marker: {size: 11, symbol: style(c.id).symbol, color: colour(c.id), line: {width: 1, color: css("--paper")}}
    });
    if (bound)
      annotations.push({
        x: logs ? Math.log10(f.value) : f.value,
        y: i,
        ax: f.reached === "above" ? 24 : -24,
        ay: 0,
        axref: "pixel",
        ayref: "pixel",
        text: "",
        showarrow: true,
        arrowhead: 0,
        arrowside: "start",
        startarrowhead: 2,
        arrowcolor: colour(c.id),
        arrowwidth: 1.6,
        standoff: 6
      });
  });
  return draw(
      "cost", traces, {
        xaxis: logs ? logAxis(low / 1.5, top * 1.5, "cost of a million requests", v => digits(v), narrow() ? 4 : 8) :
                      linearAxis(top * 1.15, "cost of a million requests", v => digits(v), narrow() ? 4 : 8),
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
      "cost of a million requests at the cliff, with intervals");
}

section({id: "frontier", draw: drawFrontier, on: ["size", "all"]});
section({id: "work", draw: drawWork, on: ["size", "all"]});
section({id: "cost", draw: drawCost, on: ["size", "all"]});
