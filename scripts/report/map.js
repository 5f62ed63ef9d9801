// Who answers first, for each kind of work and each load: a table, so that it reads aloud and scrolls on a phone.
const MAP_LOADS = [0.1, 0.25, 0.4, 0.55, 0.7, 0.8, 0.9, 1];

// The fastest stable model at a load, and those whose blocks overlap with it.
function winner(cells, at, load) {
  const all = cells.map(c => ({...c, got: responseAt(c.cell, at, load)})), told = all.filter(c => c.got);
  const good = told.filter(c => c.got.stable && known(c.got.y)).sort((a, b) => a.got.y - b.got.y);
  if (!good.length) return {none: told.length && told.length === all.length ? "carried by none" : "not measured"};
  // One block has no spread of its own: a tenth stands in for it.
  const high = c => c.got.high > c.got.low ? c.got.high : c.got.y * 1.1;
  return {first: good[0], level: good.slice(1).filter(c => c.got.low <= high(good[0])), of: good.length};
}

function drawMap() {
  const at = pAt(),
        rows = workloads()
                   .map(w => ({w, cells: shown(w), wait: waitShare(w)}))
                   .filter(row => row.cells.length)
                   .sort((a, b) => (a.wait ?? 2) - (b.wait ?? 2));
  const host = document.getElementById("map"), mixes = rows.filter(row => known(row.wait)).length;
  document.getElementById("map-lead").textContent = `The model with the lowest ${
      pname(
          percentile())} at each load. Rows: from computing (top) to waiting. Columns: load, as a share of the highest saturation of that row.`;
  document.getElementById("map-note").textContent = !rows.length ?
      "" :
      (mixes < 3 ?
           `${mixes < 2 ? "One mix" : "Two mixes"} of computing and waiting ${
               mixes < 2 ?
                   "was" :
                   "were"} measured, so the map has gaps between its rows; a sweep of mixed:io_share fills them. ` :
           "") +
          "“≈” names those whose blocks overlap with the fastest. Between two measured loads at most three times apart the response is interpolated; elsewhere the cell says that it was not measured.";
  if (!rows.length) {
    host.innerHTML = "<tbody><tr><td>No model is shown, or none was measured.</td></tr></tbody>";
    return;
  }
  const cell = (row, share) => {
    const top = Math.max(...row.cells.map(c => c.cell.figures.saturation?.value).filter(v => v > 0));
    const load = top * share, won = top > 0 ? winner(row.cells, at, load) : {none: "not measured"};
    if (won.none) return `<td class="none">${won.none}</td>`;
    const {first, level} = won, c = colour(first.id);
    return `<td data-winner="${escape(first.id)}" style="background:${faded(c, 0.22)};box-shadow:inset 4px 0 ${
               c}" title="${
               escape(`${rate(load)}/s; ${label(first.id, first.r)} ${time(first.got.y)}${
                   level.length ? `; ${level.map(l => `${label(l.id, l.r)} ${time(l.got.y)}`).join(", ")}` : ""}`)}">` +
        `<b>${escape(label(first.id, first.r))}</b> ${time(first.got.y)}${
               level.length ?
                   `<br>≈ ${level.length > 1 ? `${level.length} others` : escape(label(level[0].id, level[0].r))}` :
                                               ""                            }</td>`;
  };
  host.innerHTML = `<thead><tr><th class="left">work</th>${
                       MAP_LOADS.map(s => `<th>${percent(s)}</th>`).join("")}</tr></thead><tbody>` +
      rows.map(
              row => `<tr><th scope="row" class="left">${escape(row.w.title)}<br><small>${
                  known(row.wait) ?
                      `${percent(row.wait)} waiting` :
                      "share of waiting unknown"}</small></th>${MAP_LOADS.map(s => cell(row, s)).join("")}</tr>`)
          .join("") +
      "</tbody>";
}
