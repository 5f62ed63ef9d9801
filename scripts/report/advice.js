// Which model for my work? Finds the measured work that is nearest to the reader's, scales it in time, reads the
// curves there, and says how far the data carries.

// How far the reader's request is from a work: `scale` in time, `skew` of the mix (1: the same, or not told apart).
function distance(of, work, wait) {
  const m = of.parts;
  if (!(m.work + m.wait > 0) || !(work + wait > 0)) return null;
  const scale = (work + wait) / (m.work + m.wait),
        part = (mine, its, grain) => Math.abs(Math.log((mine + grain) / (its * scale + grain)));
  const skew = of.mixed ? Math.exp(Math.max(part(work, m.work, m.grain), part(wait, m.wait, 0.1 * (work + wait)))) : 1;
  return {of, scale, skew, far: Math.log(skew) * 2 + Math.abs(Math.log(scale))};
}

// full: same mix and about the same length; rough: near it; none: the data does not cover this work. Shorter requests
// than those measured are the worse side: what a model adds to each does not shrink with them.
const coverage = d => d.skew <= 1.5 && d.scale >= 0.5 && d.scale <= 4 ? "full" :
    d.skew <= 2.5 && d.scale >= 0.25 && d.scale <= 8                  ? "rough" :
                                                                        "none";

// What a million requests cost at a capacity: the program's cost is that of the cell's own cliff.
function costAt(cell, f) {
  const cost = cell.figures.cost_per_million, cliff = cell.figures.cliff;
  if (cost?.reached !== "ok" || cliff?.reached !== "ok" || !(f.value > 0)) return null;
  const at = rate => known(rate) && rate > 0 ? cost.value * cliff.value / rate : null;
  return {value: at(f.value), low: at(f.high), high: at(f.low), reached: f.reached === "above" ? "below" : f.reached};
}

// Pure: what the page answers, as data. `wish`: {work, wait, rate, slo} in ns and per second; `from`: the works that
// may answer, `matters`: response, throughput or cost; `p`: the percentile of the bound.
function advise(wish, {p, from, matters}) {
  const found = from.map(of => distance(of, wish.work, wish.wait)).filter(Boolean).sort((a, b) => a.far - b.far),
        near = found[0];
  if (!near) return {covered: "none"};
  const at = doc.percentiles.indexOf(p), load = wish.rate * near.scale, bound = wish.slo / near.scale;
  const each = near.of.cells.map(c => {
    const f = capacity(c.cell, p, bound), r = responseAt(c.cell, at, load),
          scaled = v => known(v) ? v / near.scale : null;
    const sure = f.reached === "ok" ? f.low ?? f.value : f.reached === "above" ? f.value : 0;
    return {
      ...c,
      capacity: {...f, value: scaled(f.value), low: scaled(f.low), high: scaled(f.high)},
      response: r && known(r.y) ? r.y * near.scale : null,
      responseHigh: r && known(r.high) ? r.high * near.scale : null,
      responseLow: r && known(r.low) ? r.low * near.scale : null,
      // By the value, not the low end: three blocks leave an interval that may begin at 0.
      carries: ["ok", "above"].includes(f.reached) && f.value >= load,
      ends: f.reached === "above" && f.value < load,
      margin: f.value / load,
      sure: sure >= load,
      cpu: c.cell.cpu,
      cost: costAt(c.cell, f)
    };
  });
  const able = each.filter(c => c.carries), priced = able.every(c => known(c.cost?.value)),
        human = matters === "response";
  // A person feels each slow answer: the lowest response wins. Where nobody waits, room to grow and little CPU do; the
  // cost of a request is that of the CPUs over what they carry, so without a price the most is the cheapest.
  const order = human ? (a, b) => (a.response ?? Infinity) - (b.response ?? Infinity) || b.margin - a.margin :
      matters === "cost" && priced ? (a, b) => a.cost.value - b.cost.value :
                                     (a, b) => b.margin - a.margin;
  able.sort(order);
  const best = able[0],
        same = !best ?
      [] :
      able.slice(1).filter(
          c => human ? known(c.responseLow) && known(best.response) &&
                  c.responseLow <= Math.max(best.responseHigh ?? 0, best.response * 1.1) :
                       c.capacity.value >= best.capacity.value * 0.95 ||
                  (known(c.capacity.high) && known(best.capacity.low) && c.capacity.high >= best.capacity.low &&
                   c.capacity.value >= best.capacity.value * 0.8));
  return {covered: coverage(near), near, load, bound, each, able, best, same, wish, p, matters, priced};
}
