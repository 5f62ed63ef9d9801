// The run's own verdict on a workload as a picture and a table: cliffs with their 95% intervals, and a bracket for each
// group of models that are not told apart.

const beside = {
  alike: "alike",
  open: "order open"
};
const verdictRows = verdict =>
    [...verdict.best.map((row, i) => ({...row, says: i ? beside[verdict.kind] : "first"})),
     ...verdict.rest.map(row => ({...row, says: row.apart ? "lower" : "not settled"})),
     ...verdict.none.map(row => ({...row, says: "over the SLO at the lowest rate tried"}))];

// Of the first one's cliff, with its interval, or what is known of it.
function shareText(row, first) {
  if (row === first || !known(row.share)) return "";
  const sign = {above: "> ", below: "< "}[row.reached] || "";
  return `${sign}${digits(row.share, 2)}${known(row.low) ? ` ${range(row.low, row.high, v => digits(v, 2))}` : ""}`;
}

// The places of the rows of each letter that several share.
const groupsOf = rows => [...new Set(rows.flatMap(row => [...row.groups]))]
                             .sort()
                             .map(letter => rows.flatMap((row, i) => row.groups.includes(letter) ? [i] : []))
                             .filter(members => members.length > 1);

// Dots and bars, best first, as an SVG whose size follows its rows.
function verdictPicture(verdict) {
  const rows = verdictRows(verdict).filter(row => row.cliff?.value > 0);
  if (!rows.length) return "";
  const all =
      rows.flatMap(row => [row.cliff.value, row.cliff.low, row.cliff.high]).filter(v => Number.isFinite(v) && v > 0);
  const most = Math.max(...all), least = Math.min(...all), logs = most > 10 * least;
  const tall = 17, left = 16 + 7 * groupsOf(rows).length, right = 238, width = 252;
  const from = logs ? Math.log(least / 1.3) : 0, to = logs ? Math.log(most * 1.3) : most * 1.05;
  const x = v =>
      left + (right - left) * Math.min(1, Math.max(0, ((logs ? Math.log(Math.max(v, 1e-9)) : v) - from) / (to - from)));
  const marks = rows.map((row, i) => {
    const y = tall * (i + 0.5), f = row.cliff, ink = colour(row.series);
    const bar = f.reached === "ok" && known(f.low) && known(f.high) ?
        `<line x1="${x(f.low)}" x2="${x(f.high)}" y1="${y}" y2="${y}" stroke="${
            ink}" stroke-width="5" stroke-opacity=".4"/>` :
        "";
    const tip = f.reached === "above" ? `<path d="M${x(f.value) + 5} ${y - 4}l7 4l-7 4z" fill="${ink}"/>` :
        f.reached === "below" ? `<path d="M${x(f.value) - 5} ${y - 4}l-7 4l7 4z" fill="${ink}"/>` :
                                "";
    return `${bar}${tip}<circle cx="${x(f.value)}" cy="${y}" r="4" fill="${ink}"><title>${
        escape(label(row.series))}: cliff ${escape(perSecond(f))}</title></circle>`;
  });
  const brackets = groupsOf(rows).map((members, k) => {
    const right = 6 + 7 * k, ys = members.map(i => tall * (i + 0.5));
    return `<path d="M${right - 4} ${ys[0]}V${ys.at(-1)}${ys.map(y => `M${right - 4} ${y}h4`).join("")}" fill="none" ` +
        'stroke="currentColor" stroke-width="1.5"/>';
  });
  return `<svg class="cliffs" viewBox="0 0 ${width} ${tall * rows.length}" width="${width}" height="${
      tall * rows.length}" role="img" aria-label="Cliffs with 95% intervals">${brackets.join("")}${marks.join("")}</svg>`;
}

// What a reader who wants details gets: every model's cliff, its share of the first one's, and how that was decided.
function verdictTable(verdict) {
  const rows = verdictRows(verdict), first = rows[0];
  const lines = rows.map(
      row => `<tr data-series="${escape(row.series)}"><td class="left">${named(row.series)}</td><td>${
          figure(row.cliff)}</td><td>${shareText(row, first)}</td><td class="left">${row.says}</td></tr>`);
  verdict.unmeasured.forEach(
      id => lines.push(`<tr data-series="${escape(id)}"><td class="left">${
          named(id)}</td><td>–</td><td></td><td class="left">not measured</td></tr>`));
  return `<details><summary>All models</summary><div class="scroll"><table class="small"><thead><tr><th class="left">model</th><th>cliff/s, 95%</th>` +
      `<th>of the first</th><th class="left">against the first</th></tr></thead><tbody>${
             lines.join("")}</tbody></table></div></details>`;
}
