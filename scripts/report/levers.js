// What each policy moved, against the same model without one: ratios that the program estimated, with their intervals.

// Figures of a lever, how their values read, and whether less of it is better.
const MOVED = [
  {figure: "p99_ns", title: "p99", say: v => time(v), less: true},
  {figure: "cliff_per_s", title: "cliff", say: v => rate(v) + "/s", less: false},
  {figure: "overload_goodput_per_s", title: "goodput past it", say: v => rate(v) + "/s", less: false},
  {figure: "attempts_per_request", title: "attempts a request", say: v => digits(v), less: true},
  {figure: "cost_per_million", title: "cost a million", say: v => digits(v), less: true},
];

const leverOf = (id, r, w) => (doc.runs[r].levers || []).find(l => l.series === id && l.workload === w.text);

// A figure of a lever; of responses the one at the load nearest to the reader's.
function moved(lever, figure, load) {
  const all = lever.figures.filter(f => f.figure === figure && !f.missing);
  return all.sort((a, b) => Math.abs(Math.log(a.load / load)) - Math.abs(Math.log(b.load / load)))[0] ??
      lever.figures.find(f => f.figure === figure) ?? null;
}

// less, more, or open: the interval holds 1, or there is none.
function direction(ratio) {
  if (ratio.reached === "above") return known(ratio.low) && ratio.low > 1 ? "more" : "open";
  if (ratio.reached === "below") return known(ratio.high) && ratio.high < 1 ? "less" : "open";
  if (ratio.reached !== "ok" || !known(ratio.low) || !known(ratio.high)) return "open";
  return ratio.high < 1 ? "less" : ratio.low > 1 ? "more" : "open";
}

// "0.259 times [0.252, 0.267]"; a bound as such.
function ratioText(ratio, unit = " times") {
  if (!known(ratio.value) || ratio.reached === "unmeasured") return "";
  if (ratio.reached === "above") return ratio.low > 1 ? `at least ${digits(ratio.low)}${unit}` : "";
  if (ratio.reached === "below")
    return known(ratio.high) && ratio.high < 1 ? `at most ${digits(ratio.high)}${unit}` : "";
  return `${digits(ratio.value)}${unit} ${range(ratio.low, ratio.high, v => digits(v))}`.trim();
}

const sideText = (side, say) => !known(side.value) || side.reached === "unmeasured" ? "?" :
    side.reached === "above"                                                        ? `> ${say(side.value)}` :
                                                           side.reached === "below" ? `< ${say(side.value)}` :
                                                                                      say(side.value);

// What a policy is called, with its options: "hedged, after=10ms".
const leverName = id => style(id).policy.replace(/ (?=\w+=)/g, ", ");

function leverCell(lever, {figure, title, say, less}, load) {
  const f = moved(lever, figure, load);
  const cell = (kind, text) => `<td data-label="${title}" data-figure="${figure}" class="${kind}">${text}</td>`;
  if (!f) return cell("none", '<span title="no load was measured of both">–</span>');
  if (f.missing) return cell("none", `<span title="${escape(f.missing)}">not known</span>`);
  const to = direction(f.ratio), kind = to === "open" ? "open" : (to === "less") === less ? "better" : "worse";
  const at = f.load ? ` at ${rate(f.load)}/s` : "";
  const full = f.load && (f.with.reached === "above" || f.without.reached === "above");
  const ratio = ratioText(f.ratio, "×") || (full ? "past saturation" : f.with.value === 0 ? "none left" : "?");
  return cell(
      kind, `<b>${ratio}</b><small>${escape(`${sideText(f.without, say)} → ${sideText(f.with, say)}${at}`)}</small>`);
}

// Policies of one model on one work: a row each, columns that any of them has.
function leverTable(cells, w, load) {
  const rows = cells.map(c => ({...c, lever: leverOf(c.id, c.r, w)})).filter(c => c.lever);
  const told = rows.filter(c => !c.lever.missing);
  const columns = MOVED.filter(m => told.some(c => c.lever.figures.some(f => f.figure === m.figure)));
  if (!told.length) return rows.length ? `<p class="note">${escape(rows[0].lever.missing)}.</p>` : "";
  const body = told.map(
      c => `<tr data-series="${escape(c.id)}"><th scope="row" class="left">${swatch(c.id)} ${
          escape(leverName(c.id) + (doc.runs.length > 1 ? ` (run ${c.r + 1})` : ""))}</th>${
          columns.map(m => leverCell(c.lever, m, load)).join("")}</tr>`);
  return `<div class="scroll"><table class="levers"><thead><tr><th class="left">policy</th>${
      columns.map(m => `<th>${m.title}</th>`).join("")}</tr></thead><tbody>${body.join("")}</tbody></table></div>`;
}

// The lever that did most for what matters, in a sentence: what it moved, and what that took.
function leverSentence(a) {
  const {best, near, load, matters} = a, w = near.of.w, mine = bareOf(best.id),
                           main = MOVED.find(m => m.figure === (matters === "response" ? "p99_ns" : "cliff_per_s"));
  const levers = near.of.cells.filter(c => c.r === best.r && bareOf(c.id) === mine && style(c.id).policy)
                     .map(c => ({...c, lever: leverOf(c.id, c.r, w)}))
                     .filter(c => c.lever && !c.lever.missing)
                     .map(c => ({...c, by: moved(c.lever, main.figure, load)}))
                     .filter(c => known(c.by?.ratio.value));
  if (!levers.length) return "";
  const helps = c => direction(c.by.ratio) === (main.less ? "less" : "more");
  const own = levers.find(c => c.id === best.id);
  if (!own) {
    const good = levers.filter(helps);
    if (!good.length)
      return `No policy that was measured with it moves its ${main.title} for the better beyond the interval.`;
    return `${names(good.map(c => ({id: c.id, r: c.r})))} ${good.length > 1 ? "move" : "moves"} its ${
        main.title} for the better, and still ${good.length > 1 ? "do" : "does"} not come first here.`;
  }
  const also = MOVED.filter(m => m !== main)
                   .map(m => ({m, f: moved(own.lever, m.figure, load)}))
                   .filter(({f}) => f && !f.missing && known(f.ratio.value) && f.ratio.reached !== "unmeasured");
  const at = own.by.load ? ` at ${rate(own.by.load)}/s` : "", is = helps(own) ? "" : ", which the interval does not settle";
  const rest = also.map(({m, f}) => `${m.title} ${ratioText(f.ratio)}`).join(", ");
  return `<b>The lever is its policy.</b> Against the same model without one, <b>${
             escape(leverName(own.id))}</b> moves ${main.title}${at} from ${sideText(own.by.without, main.say)} to ${
             sideText(own.by.with, main.say)}: ${ratioText(own.by.ratio)}${is}.` +
      (rest ? ` The same lever: ${rest}.` : "") + knobSentence(own, levers, main);
}

// How the figure goes along the option in which the policies of a family differ.
function knobSentence(own, levers, main) {
  const {family, knob} = style(own.id), row = levers.filter(c => knob && style(c.id).family === family);
  if (row.length < 2) return "";
  row.sort((a, b) => style(a.id).at - style(b.id).at);
  return ` Its knob is <b>${escape(knob)}</b>: ${main.title} ${
      listed(row.map(c => `${digits(c.by.ratio.value)} times at ${escape(style(c.id).setting)}`))}.`;
}

// All that the answer says of policies: nothing of a run without any.
function leversOf(a) {
  const {best, near, load} = a, w = near.of.w, cells = near.of.cells.filter(c => style(c.id).policy);
  if (!cells.length) return [];
  if (!cells.some(c => doc.runs[c.r].levers))
    return [
      '<p class="note">What each policy moved is not in this run’s summary.json, which an older program wrote.</p>'
    ];
  const lead = bareOf((best ?? cells[0]).id), own = cells.filter(c => bareOf(c.id) === lead),
        others = cells.filter(c => bareOf(c.id) !== lead), says = best ? leverSentence(a) : "";
  const out = says ? [`<p id="lever">${says}</p>`] : [];
  const table = leverTable(own, w, load), more = leverTable(others, w, load);
  if (table)
    out.push(
        `<h3>What each policy moved, against the same model without one</h3>${table}`,
        '<p class="note">Each ratio with its 95% interval, paired by block, not corrected for their number; p99 at the ' +
            "load nearest to yours that was measured of both. Goodput past the cliff: at 1.5 times the own saturation. " +
            "A batch is one attempt. Green: better, red: worse, grey: the interval holds 1.</p>");
  if (more) out.push(`<details><summary>Policies of the other models</summary>${more}</details>`);
  return out;
}
