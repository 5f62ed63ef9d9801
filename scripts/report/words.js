// Figures and comparisons in sentences. Used by the verdict, the table and the advice alike.

// A figure with its interval, or how it was censored.
function figure(f, n = 3) {
  if (!f || !known(f.value) || f.reached === "unmeasured") return "not measured";
  if (f.reached === "above") return `at least ${rate(f.value, n)}`;
  if (f.reached === "below") return `less than ${rate(f.value, n)}`;
  return `${rate(f.value, n)} ${range(f.low, f.high, v => rate(v, n))}`.trim();
}

// The same per second: "751/s [0, 822]".
function perSecond(f, n = 3) {
  const said = figure(f, n), cut = said.indexOf(" [");
  if (said === "not measured") return said;
  return cut < 0 ? `${said}/s` : `${said.slice(0, cut)}/s${said.slice(cut)}`;
}

const named = (id, r) => `<span class="name">${swatch(id)} ${escape(label(id, r))}</span>`;
const names = list => listed(list.map(c => named(c.id, c.r)));
const times = (v, n = 3) => `${digits(v, n)} times`;

// How a pair compares in the run's own comparison, which pairs the blocks: "ahead" (a carries more), "behind", "tied",
// or "open" (a bound that does not decide; nothing measured).
function fromRanking(pairs, a, b) {
  const pair = pairs.find(p => (p.a === a && p.b === b) || (p.a === b && p.b === a));
  if (!pair) return null;
  const turned = pair.a !== a, r = {value: pair.ratio, low: pair.low, high: pair.high};
  // A ratio in the run is b over a; what is said here is a over b.
  const said = !known(r.value) ? null :
      turned                   ? r :
               {value: 1 / r.value, low: known(r.high) ? 1 / r.high : null, high: known(r.low) ? 1 / r.low : null};
  if (pair.verdict === "indistinguishable" || pair.verdict === "no relevant difference")
    return {is: "tied", ratio: said};
  if (pair.verdict === "A higher" || pair.verdict === "B higher")
    return {is: (pair.verdict === "A higher") !== turned ? "ahead" : "behind", ratio: said, sure: true};
  if (pair.verdict === "too few blocks") {
    if (said) return {is: said.value > 1 ? "ahead" : "behind", ratio: said, sure: false};
    // A bound alone decides: the side with the bound, which comes first in the run's order, lies above.
    return {is: turned ? "behind" : "ahead", ratio: null, sure: false};
  }
  return {is: "open", ratio: said};
}

// "1.37 [1.2, 1.5]"; an interval wider than a factor of ten says nothing but that.
function factor(r) {
  if (!r || !known(r.value)) return "";
  return digits(r.value) + (r.low > 0 && r.high / r.low < 10 ? ` ${range(r.low, r.high, v => digits(v))}` : "");
}
