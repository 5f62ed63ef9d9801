// The capacity of every model under the reader's SLO, as a table: what the line in the chart says, to read and to copy.

const tableCell = (text, names = "") => `<td${names ? ` class="${names}"` : ""}>${text}</td>`;
const rowHead = (id, r) => `<th scope="row" class="left">${swatch(id)} ${escape(label(id, r))}</th>`;

function capacityRow(c, best, at) {
  const f = c.found, figures = c.cell.figures, met = f.reached === "ok";
  const half = known(f.value) ? responseAt(c.cell, at, f.value / 2) : null;
  const facts = [
    `<b>${met ? rate(f.value) : figure(f)}</b>`,
    met ? range(f.low, f.high, v => rate(v)) || "unknown" : "",
    met && best?.found.reached === "ok" ? percent(f.value / best.found.value) : "–",
    {slo: "the SLO", saturation: "saturation"}[f.limited] || "",
    known(half?.y) ? time(half.y) : "–",
    figures.cliff ? figure(figures.cliff) : "–",
    figures.saturation ? figure(figures.saturation) : "–",
    known(figures.overload_retention?.value) ? percent(figures.overload_retention.value) : "–",
  ];
  const data = `data-series="${escape(c.id)}" data-run="${c.r}" data-capacity="${f.value ?? ""}"`;
  const bounds = `data-low="${f.low ?? ""}" data-high="${f.high ?? ""}" data-reached="${f.reached}"`;
  return `<tr ${data} ${bounds}>${rowHead(c.id, c.r)}${facts.map(t => tableCell(t)).join("")}</tr>`;
}

// A model without a curve has its row too, with the reason.
function silentRow(cell, r) {
  const data = `data-series="${escape(cell.series)}" data-run="${r}" data-reached="unmeasured"`;
  const why = `<td colspan="8" class="left wrap">not measured: ${escape(whyMissing(cell))}</td>`;
  return `<tr class="silent" ${data}>${rowHead(cell.series, r)}${why}</tr>`;
}

function drawCapacity() {
  const w = current(), at = pAt(), p = pname(percentile()),
        runs = doc.runs.map((run, r) => r).filter(r => !state.run.has(r));
  const order = capacities().sort((a, b) => (b.found.value ?? -1) - (a.found.value ?? -1));
  const best = order.find(c => c.found.reached === "ok" || c.found.reached === "above");
  const silent = runs.flatMap(r => cellsOf(w, r).filter(c => !c.points.length).map(c => silentRow(c, r)));
  const rows = order.map(c => capacityRow(c, best, at)).concat(silent);
  const heads = [
    `carries/s under<br>${p} ≤ ${time(slo())}`, "95%", "of the<br>highest", "ended by", `${p} at half<br>of that`,
    "the run's cliff<br>at its own SLO", "saturation", "goodput kept<br>at 1.5 × that"
  ];
  const nobody = '<tr><td colspan="9" class="left">No model is shown.</td></tr>';
  document.getElementById("capacity").innerHTML =
      `<thead><tr><th class="left">model</th>${heads.map(h => `<th>${h}</th>`).join("")}</tr></thead>` +
      `<tbody>${rows.join("") || nobody}</tbody>`;
  const notes = runs.flatMap(
      r => cellsOf(w, r).filter(c => c.note && c.points.length).map(c => `${label(c.series, r)}: ${c.note.trim()}.`));
  const without = runs.filter(r => cellsOf(w, r).length && !cellsOf(w, r).some(c => c.grid));
  document.getElementById("capacity-note").innerHTML = [
    "The program's estimates over a grid of bounds, the run's own SLO among them; between two bounds interpolated, " +
        "linearly in the logarithms of bound and rate. Beside a bound whose figure is a limit, this is a limit too.",
    ...without.map(r => `${runTag(r)}Under another SLO nothing is known: ${ONLY_OWN}`), ...notes.map(escape)
  ].join("<br>");
  document.getElementById("slo-says").textContent = (ownBound(w) ? "the run's own SLO; " : "your SLO; ") +
      (best ? `highest: ${label(best.id, best.r)}, ${perSecond(best.found)}` : "no model meets it");
}

section({id: "capacity", draw: drawCapacity, on: ["drag", "slo", "all"]});
