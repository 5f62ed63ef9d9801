// Who answers first, for each kind of work and each load: a table, so that it reads aloud and scrolls on a phone.
const MAP_LOADS = [0.1, 0.25, 0.4, 0.55, 0.7, 0.8, 0.9, 1];

// The fastest stable model at a load, and those whose blocks overlap with it.
function winner(cells, at, load) {
  const all = cells.map(c => ({...c, got: responseAt(c.cell, at, load)})), told = all.filter(c => c.got);
  const good = told.filter(c => c.got.stable && known(c.got.y)).sort((a, b) => a.got.y - b.got.y);
  if (!good.length) return {none: told.length && told.length === all.length ? "carried by none" : "not measured"};
  // One block has no spread of its own: a tenth stands in for it.
  const first = good[0], high = first.got.high > first.got.low ? first.got.high : first.got.y * 1.1;
  return {first, level: good.slice(1).filter(c => c.got.low <= high)};
}

function mapCell(cells, at, load) {
  const {none, first, level} = load > 0 ? winner(cells, at, load) : {none: "not measured"};
  if (none) return `<td class="none">${none}</td>`;
  const c = colour(first.id), each = [first, ...level].map(l => `${label(l.id, l.r)} ${time(l.got.y)}`);
  // Paper is narrow, and does not scroll.
  const name = printing ? escape(label(first.id, first.r)).replace(/_/g, "_<wbr>") : escape(label(first.id, first.r));
  const others = level.length > 1 ? `${level.length} others` : level.map(l => escape(label(l.id, l.r))).join("");
  return `<td data-winner="${escape(first.id)}" title="${escape(`at ${rate(load)}/s: ${each.join(", ")}`)}" ` +
      `style="background:${faded(c, 0.22)};box-shadow:inset 4px 0 ${c}"><b>${name}</b><br>` +
      `${time(first.got.y)}${others ? `<br>≈ ${others}` : ""}</td>`;
}

function mapRow({w, cells, wait}, at) {
  const top = Math.max(0, ...cells.map(c => c.cell.figures.saturation?.value).filter(v => v > 0));
  const mix = !known(wait) ? "share of waiting unknown" :
      wait > 0.995         ? "waits, hardly computes" :
      wait < 0.005         ? "computes only" :
                             `waits ${percent(wait)}`;
  const head = `<th scope="row" class="left">${escape(w.title)}<br><small>${mix}</small></th>`;
  return `<tr>${head}${MAP_LOADS.map(share => mapCell(cells, at, top * share)).join("")}</tr>`;
}

function drawMap() {
  const rows = workloads().map(w => ({w, cells: shown(w), wait: waitShare(w)})).filter(row => row.cells.length);
  rows.sort((a, b) => (a.wait ?? 2) - (b.wait ?? 2));
  const host = document.getElementById("map"), say = (id, text) => document.getElementById(id).textContent = text;
  say("map-lead",
      `The model with the lowest ${pname(percentile())} at each load. Rows: from computing at the top to ` +
          "waiting at the bottom. Columns: load, as a share of the highest saturation in that row.");
  if (!rows.length) {
    say("map-note", "");
    host.innerHTML = "<tbody><tr><td>No model is shown, or none was measured.</td></tr></tbody>";
    return;
  }
  const mixes = new Set(rows.filter(row => known(row.wait)).map(row => row.wait.toFixed(1))).size;
  say("map-note",
      (mixes < 3 ? "Few mixes of computing and waiting were measured, so the map has gaps between its rows; " +
               "a sweep of mixed:io_share fills them. " :
                   "") +
          "“≈”: their blocks overlap with those of the fastest. Between two " +
          "measured loads, at most three times apart, the response is interpolated; elsewhere it counts as not measured.");
  host.innerHTML =
      `<thead><tr><th class="left">work</th>${MAP_LOADS.map(s => `<th>${percent(s)}</th>`).join("")}</tr></thead>` +
      `<tbody>${rows.map(row => mapRow(row, pAt())).join("")}</tbody>`;
}

section({id: "map", draw: drawMap, on: ["all"]});
