// Which model for my work? Finds the measured workload that is nearest to the reader's, scales it in time, reads the
// curves there, and says how far the data carries.

const nominal = w => {
  if (w.name === "empty") return null;
  let [work, wait] =
      ["work", "wait"].map(name => w.options[name] === undefined ? null : parseTime(String(w.options[name]), true));
  const service = w.cells.map(c => c.service).find(known) ?? null, cpu = w.cells.map(c => c.cpu).filter(known),
        least = cpu.length ? Math.min(...cpu) : null;
  if (work === null && wait === null) {
    // A file or a connection: what the CPU did is work, the rest of S is waiting.
    if (service === null || least === null) return null;
    work = Math.min(least, service);
    wait = service - work;
  }
  work ??= 0;
  wait ??= 0;
  const share = Number(w.options.io_share);
  if (w.options.io_share !== undefined && Number.isFinite(share))
    [work, wait] = [(work + wait) * (1 - share), (work + wait) * share];
  // Beyond its nominal work every request costs some CPU: that is the grain below which a difference of work does not
  // matter.
  return {work, wait, grain: Math.max(known(least) ? least - work : 0, (work + wait) * 1e-4, 100)};
};

// How far the reader's request is from a workload: `scale` in time, `skew` of the mix (1: the same).
function distance(w, work, wait) {
  const m = nominal(w);
  if (!m || !(m.work + m.wait > 0) || !(work + wait > 0)) return null;
  const scale = (work + wait) / (m.work + m.wait),
        part = (mine, its, grain) => Math.abs(Math.log((mine + grain) / (its * scale + grain)));
  const skew = Math.exp(Math.max(part(work, m.work, m.grain), part(wait, m.wait, 0.1 * (work + wait))));
  return {w, scale, skew, far: Math.log(skew) * 2 + Math.abs(Math.log(scale))};
}

// full: same mix and about the same length; rough: near it; none: the data does not cover this work. Shorter requests
// than those measured are the worse side: what a model adds to each does not shrink with them.
const coverage = d => d.skew <= 1.5 && d.scale >= 0.5 && d.scale <= 4 ? "full" :
    d.skew <= 2.5 && d.scale >= 0.25 && d.scale <= 8                  ? "rough" :
                                                                        "none";

// Pure: what the page answers, as data. `wish`: {work, wait, rate, slo, human} in ns and per second.
function advise(wish, p = percentile()) {
  const found = workloads()
                    .map(w => distance(w, wish.work, wish.wait))
                    .filter(d => d && shown(d.w).length)
                    .sort((a, b) => a.far - b.far),
        near = found[0];
  if (!near) return {covered: "none"};
  const at = doc.percentiles.indexOf(p), load = wish.rate * near.scale, bound = wish.slo / near.scale;
  const each = shown(near.w).map(c => {
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
      cpu: c.cell.cpu
    };
  });
  const able = each.filter(c => c.carries);
  // A person feels each slow answer: the lowest response wins. Where nobody waits, room to grow and little CPU do.
  const order = wish.human ? (a, b) => (a.response ?? Infinity) - (b.response ?? Infinity) || b.margin - a.margin :
                             (a, b) => b.margin - a.margin;
  able.sort(order);
  const best = able[0],
        same = !best ?
      [] :
      able.slice(1).filter(
          c => wish.human ? known(c.responseLow) && known(best.response) &&
                  c.responseLow <= Math.max(best.responseHigh ?? 0, best.response * 1.1) :
                            c.capacity.value >= best.capacity.value * 0.95 ||
                  (known(c.capacity.high) && known(best.capacity.low) && c.capacity.high >= best.capacity.low &&
                   c.capacity.value >= best.capacity.value * 0.8));
  return {covered: coverage(near), near, load, bound, each, able, best, same, wish, p};
}
