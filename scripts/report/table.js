// The capacity of every model under the reader's SLO, as a table: what the line in the chart says, to copy and to sort
// by eye.
function drawCapacity() {
  const w = current(), at = pAt(), bound = slo(), own = ownBound(w), found = capacities();
  const order = found.slice().sort((a, b) => (b.found.value ?? -1) - (a.found.value ?? -1)),
        best = order.find(c => c.found.reached === "ok" || c.found.reached === "above");
  const rows = order.map(c => {
    const s = c.cell.figures.saturation, half = known(c.found.value) ? responseAt(c.cell, at, c.found.value / 2) : null;
    const share = best && c.found.reached === "ok" && best.found.reached === "ok" ?
        percent(c.found.value / best.found.value) :
        "–";
    return `<tr data-series="${escape(c.id)}" data-run="${c.r}" data-capacity="${c.found.value ?? ""}" data-reached="${
               c.found.reached}"><th scope="row" class="left">${swatch(c.id)} ${escape(label(c.id, c.r))}</th>` +
        `<td><b>${c.found.reached === "ok" ? rate(c.found.value) : figure(c.found)}</b></td><td>${
               c.found.reached === "ok" ? range(c.found.low, c.found.high, v => rate(v)) || "one block" : ""}</td>` +
        `<td>${share}</td><td>${{slo: "the SLO", stability: "stability"}[c.found.limited] || ""}</td><td>${
               known(half?.y) ? time(half.y) : "–"}</td>` +
        `<td>${c.cell.figures.cliff ? figure(c.cell.figures.cliff) : "–"}</td><td>${s ? figure(s) : "–"}</td>` +
        `<td>${
               c.cell.figures.overload_retention?.value >= 0 ? percent(c.cell.figures.overload_retention.value) :
                                                               "–"}</td></tr>`;
  });
  const silent = doc.runs.flatMap(
      (run, r) => state.run.has(r) ? [] : cellsOf(w, r).filter(c => !c.points.length).map(c => ({c, r})));
  for (const {c, r} of silent)
    rows.push(`<tr class="silent" data-series="${escape(c.series)}" data-run="${
        r}" data-reached="unmeasured"><th scope="row" class="left">${swatch(c.series)} ${
        escape(label(c.series, r))}</th><td colspan="8" class="left">not measured: ${escape(whyMissing(c))}</td></tr>`);
  document.getElementById("capacity").innerHTML =
      `<thead><tr><th class="left">model</th><th>carries/s under<br>${pname(percentile())} ≤ ${
          time(bound)}</th><th>95%</th><th>of the best</th><th>ended by</th>` +
      `<th>${
          pname(
              percentile())} at half<br>of that</th><th>the run's cliff<br>at its own SLO</th><th>saturation</th><th>goodput kept<br>at 1.5 × that</th></tr></thead><tbody>${
          rows.join("") || '<tr><td colspan="9" class="left">No model is shown.</td></tr>'}</tbody>`;
  const notes = doc.runs.flatMap(
      (run, r) =>
          cellsOf(w, r).filter(c => c.note && c.points.length).map(c => `${label(c.series, r)}: ${c.note.trim()}.`));
  document.getElementById("capacity-note").innerHTML =
      "Recomputed here from merged histograms: a line in 1 / response between the two rates around the SLO, or the middle of the last stable and the first unstable rate; the interval is Student's t over the blocks. " +
      "The run's own cliff is fitted to all refining rates and may differ within its interval." +
      (notes.length ? `<br>${notes.map(escape).join("<br>")}` : "");
  const limit = document.getElementById("slo-says"),
        carried = best ? `${label(best.id, best.r)} carries most: ${figure(best.found)}/s` : "no model meets it";
  limit.textContent = (own ? "the run's own SLO; " : "your SLO; ") + carried;
}
