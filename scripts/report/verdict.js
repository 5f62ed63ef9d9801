// The verdict: who carries most, by how much, or that it cannot be told; for each workload of each run.

const cellsOf = (w, r) =>
    doc.runs[r].workloads.find(x => x.text === w.text)?.cells.filter(c => !state.off.has(c.series)) || [];
const ownBound = w => state.slo[w.text] === undefined && (state.p === null || state.p === ownPercentile(w));
const boundText = w =>
    `${pname(w === current() ? percentile() : state.p ?? ownPercentile(w))} ≤ ${time(state.slo[w.text] ?? ownSlo(w))}`;

// What the verdict is made from: the run's own figures and paired comparison under the run's SLO, else the page's.
function contest(w, r, name) {
  const run = doc.runs[r], own = name !== "cliff" || ownBound(w),
        at = doc.percentiles.indexOf(state.p ?? ownPercentile(w));
  const all = cellsOf(w, r).map(
      c => ({
        id: c.series,
        key: c.series,
        r: doc.runs.length > 1 ? r : undefined,
        cell: c,
        f: own ? c.figures[name] || {reached: "unmeasured"} : capacity(c, at, state.slo[w.text] ?? ownSlo(w))
      }));
  const has = all.filter(c => known(c.f.value) && c.f.reached !== "unmeasured" && c.f.reached !== "below");
  has.sort((a, b) => b.f.value - a.f.value);
  const ranked = own && run.ranking.find(k => k.workload === w.text && k.figure === name);
  const judged = ranked ? (a, b) => fromRanking(ranked.pairs || [], a, b) : null,
        computed = fromFigures(has, run.blocks);
  return {
    own,
    has,
    below: all.filter(c => c.f.reached === "below"),
    missing: all.filter(c => !known(c.f.value) || c.f.reached === "unmeasured"),
    pair: (a, b) => (judged && judged(a, b)) || computed(a, b),
    blocks: run.blocks
  };
}

const nodding = blocks => blocks < fewest ?
    ` ${blocks === 1 ? "One block gives" : `${blocks} blocks give`} an order, not a winner: that takes ${fewest}.` :
    "";

// One sentence on a contest: "carries most", "is tied with" or "nobody was measured".
function sentence({has, below, pair, blocks}, verb, bound) {
  if (!has.length && below.length)
    return `No model carries anything under ${bound} at the loads that were tried: ${
        listed(below.map(c => `${named(c.id, c.r)} fails at ${rate(c.f.value)}/s already`))}.`;
  if (!has.length) return "Not measured: no model has a valid figure here.";
  const first = has[0], rest = has.slice(1).map(c => ({
                                                  ...c,
                                                  to: pair(first.key, c.key) ||
                                                      {
                                                        is: "open"
                                                      }
                                                }));
  const tied = rest.filter(c => c.to.is === "tied" || c.to.is === "behind"),
        open = rest.filter(c => c.to.is === "open"), ahead = rest.filter(c => c.to.is === "ahead");
  const value = c => `${named(c.id, c.r)} (${figure(c.f)}/s)`;
  if (!rest.length)
    return `${named(first.id, first.r)} carries ${figure(first.f)}/s${
        verb}; nothing else was measured to hold it against.`;
  if (!tied.length && !open.length) {
    const next = ahead[0],
          by = next.to.ratio ?
        `, ${ratioText(next.to.ratio)} what ${named(next.id, next.r)} carries (${figure(next.f)}/s)` :
        `; next is ${value(next)}`;
    return `${named(first.id, first.r)} ${ahead.every(c => c.to.sure) ? "carries most" : "is ahead"}${verb}: ${
               figure(first.f)}/s${by}.` +
        (ahead.every(c => c.to.sure) ? "" : nodding(blocks));
  }
  const group = [first, ...tied];
  let text = tied.length ? `${listed(group.map(value))} cannot be told apart${verb}.` :
                           `${value(first)} stands highest${verb}, but that is not decided.`;
  if (open.length)
    text += ` Undecided against ${listed(open.map(value))}: a bound alone does not say who carries more.`;
  if (ahead.length)
    text +=
        ` ${named(first.id, first.r)} is ahead of ${
            listed(ahead.map(
                c => `${named(c.id, c.r)} (${figure(c.f)}/s${c.to.ratio ? `, by ${ratioText(c.to.ratio)}` : ""})`))}.` +
        (ahead.every(c => c.to.sure) ? "" : nodding(blocks));
  return text;
}

// Why a cell has no figure, in a few words.
function whyMissing(cell) {
  if (cell.failure) return cell.failure;
  const causes = Object.entries(cell.causes || {}).filter(c => c[1] > 0).sort((a, b) => b[1] - a[1]).map(c => c[0]);
  if (cell.trials && cell.invalid === cell.trials)
    return `all ${cell.trials} trials invalid${causes.length ? `, because of the ${listed(causes)}` : ""}`;
  return cell.note || "no figure";
}

function responseLead() {
  const w = current();
  return doc.runs
      .map(
          (run, r) => state.run.has(r) || !cellsOf(w, r).length ? "" :
                                                                  (doc.runs.length > 1 ? `<b>Run ${r + 1}.</b> ` : "") +
                  sentence(contest(w, r, "cliff"), ` under ${boundText(w)}`, boundText(w)))
      .filter(Boolean)
      .join(" ");
}

function drawVerdict() {
  const hidden =
      state.off.size ? `<p>Left out, because hidden: ${listed([...state.off].map(id => named(id)))}.</p>` : "";
  document.getElementById("verdicts").innerHTML =
      workloads()
          .map((w, i) => {
            const lines =
                doc.runs
                    .map((run, r) => {
                      if (state.run.has(r) || !run.workloads.some(x => x.text === w.text)) return "";
                      const main = contest(w, r, "cliff"), most = contest(w, r, "saturation"),
                            tag = doc.runs.length > 1 ? `<b>Run ${r + 1}.</b> ` : "";
                      const missing = main.missing.length ?
                          ` Not measured: ${
                              main.missing.map(c => `${named(c.id)} (${escape(whyMissing(c.cell))})`).join("; ")}.` :
                          "";
                      const below = main.has.length && main.below.length ?
                          ` ${names(main.below)} ${main.below.length > 1 ? "miss" : "misses"} it at every load tried.` :
                          "";
                      const lower =
                          main.has.concat(most.has).some(c => /at least what is shown/.test(c.cell.note || "")) ?
                          " Where the backend gave out first, a figure is a lower bound; the table says where." :
                          "";
                      return `<p class="main">${tag}${
                          sentence(
                              main, ` under ${boundText(w)}`,
                              boundText(w))}</p><p>At most, whatever the response (saturation): ${
                          sentence(most, "", "")}${below}${missing}${lower}</p>`;
                    })
                    .join("");
            return `<article class="verdict" data-workload="${escape(w.text)}"><h3><button type="button" data-w="${
                i}">${escape(w.title)}</button><small>${escape(w.title === w.text ? "" : w.text)}</small></h3><div>${
                lines}</div></article>`;
          })
          .join("") +
      hidden;
  const bad = doc.runs.reduce((n, run) => n + run.invalid.length, 0),
        good = doc.runs.reduce((n, run) => n + run.valid, 0);
  document.getElementById("badges").innerHTML =
      `<span class="badge good" id="valid">${plural(good, "valid trial")}</span>` +
      (bad ? `<a class="badge bad" id="invalid-count" href="#s-invalid" data-jump="s-invalid">${
                 plural(bad, "invalid trial")}, repeated or left out</a>` :
             `<span class="badge good" id="invalid-count">0 invalid trials</span>`) +
      (doc.runs.some(r => r.finished === false || r.interrupted) ?
           '<span class="badge bad">not finished: fewer blocks than asked for</span>' :
           "");
}
