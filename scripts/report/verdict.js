// The verdict: who carries most, by how much, or that it cannot be told; for each workload of each run. Only the
// program compares, under the run's own SLO; under the reader's there are its estimates with their intervals.

const inRun = (w, r) => doc.runs[r].workloads.find(x => x.text === w.text);
const cellsOf = (w, r) => (inRun(w, r)?.cells || []).filter(c => !state.off.has(c.series));
const ownBound = w => state.slo[w.text] === undefined && (state.p === null || state.p === ownPercentile(w));
const boundText = (w, r) => {
  const p = w === current() ? percentile() : state.p ?? ownPercentile(w);
  return `${pname(p)} ≤ ${time(state.slo[w.text] ?? ownSlo(inRun(w, r) || w))}`;
};
const runTag = r => doc.runs.length > 1 ? `<b>Run ${r + 1}.</b> ` : "";

// Figures of one kind and how they compare, where the run has compared them.
function contest(w, r, name) {
  const run = doc.runs[r], own = name !== "cliff" || ownBound(w);
  const mine = inRun(w, r) || w, p = state.p ?? ownPercentile(mine), bound = state.slo[w.text] ?? ownSlo(mine);
  const unmeasured = {reached: "unmeasured"};
  const all = cellsOf(w, r).map(cell => {
    const f = own ? cell.figures[name] || unmeasured : capacity(cell, p, bound);
    return {id: cell.series, key: cell.series, cell, f};
  });
  const told = c => known(c.f.value) && c.f.reached !== "unmeasured";
  const has = all.filter(c => told(c) && c.f.reached !== "below").sort((a, b) => b.f.value - a.f.value);
  const ranked = own && run.ranking.find(k => k.workload === w.text && k.figure === name);
  return {
    has,
    below: all.filter(c => c.f.reached === "below"),
    missing: all.filter(c => !told(c)),
    pair: ranked ? (a, b) => fromRanking(ranked.pairs || [], a, b) || {is: "open"} : null,
    blocks: run.blocks,
    onGrid: own || all.some(c => c.cell.grid)
  };
}

function orderOnly(blocks) {
  return ` ${blocks === 1 ? "One block gives" : `${blocks} blocks give`} an order, not a winner.`;
}

const valued = c => `${named(c.id)} (${perSecond(c.f)})`;
// By how much the first is ahead of c, in parentheses after its name.
const valuedBy = c => `${named(c.id)} (${perSecond(c.f)}${c.to.ratio ? `; a factor of ${factor(c.to.ratio)}` : ""})`;

// Nobody between: the first carries most, or is ahead as far as the blocks tell.
function clearLead(first, ahead, under, blocks) {
  const next = ahead[0], sure = ahead.every(c => c.to.sure), who = named(first.id);
  const by =
      next.to.ratio ? `, ${factor(next.to.ratio)} times what ${valued(next)} carries` : `; next is ${valued(next)}`;
  return `${who} ${sure ? "carries most" : "is ahead"}${under}: ${perSecond(first.f)}${by}.` +
      (sure ? "" : orderOnly(blocks));
}

// Figures that the run has not compared.
function estimates(first, others, under) {
  return `Highest${under}: ${valued(first)}, then ${listed(others.map(valued))}. These are estimates with their 95% ` +
      "intervals and no comparison, which the program makes under the run's own SLO alone.";
}

// Of a run without a grid of bounds.
const ONLY_OWN = "the run has cliffs at its own SLO alone; Method says why.";

// One or a few sentences on a contest.
function sentence({has, below, pair, blocks, onGrid}, under) {
  if (!has.length && below.length) {
    const each = below.map(c => `${named(c.id)} misses it at ${rate(c.f.value)}/s already`);
    return `No model carries anything${under} at the loads that were tried: ${listed(each)}.`;
  }
  if (!onGrid) return `Not known${under}: ${ONLY_OWN}`;
  if (!has.length) return "Not measured: no model has a valid figure here.";
  const first = has[0], others = has.slice(1);
  if (!others.length)
    return `${named(first.id)} carries ${perSecond(first.f)}${under}; ` +
        "nothing else was measured to hold it against.";
  if (!pair) return estimates(first, others, under);
  const rest = others.map(c => ({...c, to: pair(first.key, c.key)}));
  const ahead = rest.filter(c => c.to.is === "ahead"), open = rest.filter(c => c.to.is === "open");
  if (ahead.length === rest.length) return clearLead(first, ahead, under, blocks);
  // What lies far apart and is not told apart all the same has too few blocks, or blocks that differ too much.
  const level = rest.filter(c => c.to.is === "tied" || c.to.is === "behind");
  const near = level.filter(c => c.f.value * 1.5 > first.f.value), far = level.filter(c => !near.includes(c));
  const says = [];
  says.push(
      near.length ? `${listed([first, ...near].map(valued))} cannot be told apart${under}.` :
                    `${valued(first)} stands highest${under}, but that is not settled.`);
  if (far.length)
    says.push(
        `${listed(far.map(valued))} ${far.length > 1 ? "lie" : "lies"} lower, but ` +
        `${plural(blocks, "block")} that scatter like these do not prove it: they cannot be told apart either.`);
  if (open.length)
    says.push(`Undecided against ${listed(open.map(valued))}: a bound alone does not say who carries more.`);
  if (ahead.length) {
    says.push(`${named(first.id)} is ahead of ${listed(ahead.map(valuedBy))}.`);
    if (!ahead.every(c => c.to.sure)) says.push(orderOnly(blocks).trim());
  }
  return says.join(" ");
}

// Why a cell has no figure, in a few words, and what disturbed trials show of it.
function whyMissing(cell) {
  const seen = [[cell.indicative_cliff, "under the SLO"], [cell.indicative_saturation, "at saturation"]]
                   .filter(([f]) => f && known(f.value) && f.reached !== "unmeasured")
                   .map(([f, where]) => `~${perSecond(f)} ${where}`);
  if (cell.indicative && seen.length) return `${seen.join(", ")}, indicative: ${cell.indicative}`;
  const causes = Object.entries(cell.causes || {}).filter(c => c[1] > 0).sort((a, b) => b[1] - a[1]).map(c => c[0]);
  if (cell.trials > 0 && cell.invalid === cell.trials)
    return `all ${cell.trials} trials invalid${causes.length ? `, because of the ${listed(causes)}` : ""}`;
  return (cell.failure || cell.note || "no figure").replace(/^not measured: /, "");
}

function responseLead() {
  const w = current();
  if (ownBound(w))
    return `${escape(w.text)} under the run's own SLO, ${boundText(w, 0)}: the verdict above compares the models.`;
  const runs = doc.runs.map((run, r) => r).filter(r => !state.run.has(r) && cellsOf(w, r).length);
  return runs.map(r => runTag(r) + sentence(contest(w, r, "cliff"), ` under ${boundText(w, r)}`)).join(" ");
}

// The run's own verdict, where it has one and the reader has moved no bound and hidden no model.
function ownVerdict(w, r) {
  const own = ownBound(w) && !state.off.size && (doc.runs[r].verdict || []).find(v => v.workload === w.text);
  if (!own) return "";
  return `<div class="own"><div><p class="line">${runTag(r)}${escape(own.text)}</p>${verdictTable(own)}</div>${
      verdictPicture(own)}</div>`;
}

function verdictOf(w, r) {
  if (doc.runs[r].nothing_valid) {
    const each = cellsOf(w, r).filter(c => c.indicative).map(c => `${named(c.series)} ${escape(whyMissing(c))}`);
    return `<p class="main">${runTag(r)}${escape(doc.runs[r].nothing_valid)}</p>` +
        (each.length ? `<p class="more">${each.join(". ")}.</p>` : "");
  }
  const own = ownVerdict(w, r);
  if (own) return own;
  const main = contest(w, r, "cliff"), most = contest(w, r, "saturation");
  const more = [`Saturation, whatever the response: ${sentence(most, "")}`];
  if (main.has.length && main.below.length)
    more.push(`${names(main.below)} ${main.below.length > 1 ? "miss" : "misses"} it at every load tried.`);
  if (main.missing.length) {
    const each = main.missing.map(c => `${named(c.id)} (${escape(whyMissing(c.cell))})`);
    more.push(`Not measured: ${listed(each)}.`);
  }
  if (main.has.concat(most.has).some(c => /at least what is shown/.test(c.cell.note || "")))
    more.push("Where the backend gave out first a figure is a lower bound; the notes under the table say where.");
  return `<p class="main">${runTag(r)}${sentence(main, ` under ${boundText(w, r)}`)}</p><p class="more">${
      more.join(" ")}</p>`;
}

function drawBadges() {
  const bad = doc.runs.reduce((n, run) => n + run.invalid.length, 0);
  const good = doc.runs.reduce((n, run) => n + run.valid, 0);
  const badges = [`<span class="badge good" id="valid">${plural(good, "valid trial")}</span>`];
  badges.push(
      bad ? `<a class="badge bad" id="invalid-count" href="#s-invalid" data-jump="s-invalid">${
                plural(bad, "invalid trial")}, repeated or left out</a>` :
            '<span class="badge good" id="invalid-count">0 invalid trials</span>');
  if (doc.runs.some(r => r.finished === false || r.interrupted))
    badges.push('<span class="badge bad">not finished: fewer blocks than asked for</span>');
  document.getElementById("badges").innerHTML = badges.join("");
}

function drawVerdict() {
  const articles = workloads().map((w, i) => {
    const lines = doc.runs.map((run, r) => state.run.has(r) || !inRun(w, r) ? "" : verdictOf(w, r)).join("");
    const name = `<h3><button type="button" data-w="${i}">${escape(w.title)}</button>` +
        `<small>${escape(w.title === w.text ? "" : w.text)}</small></h3>`;
    return `<article class="verdict" data-workload="${escape(w.text)}">${name}<div>${lines}</div></article>`;
  });
  if (state.off.size) articles.push(`<p>Left out, because hidden: ${listed([...state.off].map(id => named(id)))}.</p>`);
  document.getElementById("verdicts").innerHTML = articles.join("");
  drawBadges();
}

section({id: "verdict", draw: drawVerdict, on: ["slo", "all"]});
