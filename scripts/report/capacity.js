// Pure functions from measured points to capacities: data in, data out, nothing of the page.
const T975 = [
  NaN, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12
];
const student = df => T975[df] || 1.96 + 2.5 / df;

// Pool adjacent violators: the nearest sequence that never falls.
function isotonic(values) {
  const groups = [];
  for (const v of values) {
    groups.push([v, 1]);
    while (groups.length > 1 && groups[groups.length - 2][0] > groups[groups.length - 1][0]) {
      const [b, m] = groups.pop(), [a, n] = groups.pop();
      groups.push([(a * n + b * m) / (n + m), n + m]);
    }
  }
  return groups.flatMap(([v, n]) => Array(n).fill(v));
}

// Where an unstable rate lies further above the highest stable one than this, the middle between them would be a guess.
const NEAR = 1.25;

// The highest rate that meets the SLO, from points [{rate, y, stable}] in the order of rates.
//   ok: between measured rates; above: met at the highest stable rate, and no unstable one lies near; below: missed at
//   the lowest.
// Between two rates a line in 1/y against the rate, which is exact for M/M/1. Points past the first unstable one do not
// count; one odd verdict between opposite ones is outvoted.
function crossing(points, slo, saturation) {
  const usable = points.filter(p => known(p.y) || !p.stable);
  if (!usable.some(p => known(p.y))) return {reached: "unmeasured"};
  const steady = usable.map((p, i) => {
    const before = usable[i - 1], after = usable[i + 1];
    return before && after && before.stable === after.stable ? before.stable : p.stable;
  });
  let end = steady.indexOf(false);
  const limit = end >= 0 ? usable[end] : null;
  if (end < 0) end = usable.length;
  const good = usable.slice(0, end).filter(p => known(p.y));
  if (!good.length) return {value: usable[0].rate, reached: "below"};
  const logs = isotonic(good.map(p => Math.log(p.y)));
  const at = logs.findIndex(v => v > Math.log(slo) + 1e-12);
  if (at === 0) return {value: good[0].rate, reached: "below"};
  if (at > 0) {
    const [u, v] = [Math.exp(-logs[at - 1]), Math.exp(-logs[at])], [a, b] = [good[at - 1].rate, good[at].rate];
    return {value: a + (b - a) * (u - 1 / slo) / (u - v), reached: "ok", limited: "slo"};
  }
  const last = good[good.length - 1].rate;
  const next = !limit                        ? Infinity :
      known(saturation) && saturation > last ? Math.min(limit.rate, saturation) :
                                               limit.rate;
  if (next > NEAR * last) return {value: last, reached: "above"};
  return {value: Math.sqrt(last * next), low: last, high: next, reached: "ok", limited: "stability"};
}

// The same for a cell, with an interval from its blocks' own crossings: Student's t over their logarithms. A side that
// a block does not know is open (null).
function capacity(cell, at, slo) {
  const saturation = cell.figures.saturation?.value;
  const whole = crossing(cell.points.map(p => ({rate: p.rate, y: p.q[at], stable: p.stable})), slo, saturation);
  const result = {low: null, high: null, ...whole};
  if (whole.reached !== "ok") return result;
  const numbers = [...new Set(cell.points.flatMap(p => p.blocks.map(b => b.block)))];
  if (numbers.length < 2) return result;
  const each =
      numbers
          .map(
              n => crossing(
                  cell.points.flatMap(
                      p =>
                          p.blocks.filter(b => b.block === n).map(b => ({rate: p.rate, y: b.q[at], stable: b.stable}))),
                  slo, saturation))
          .filter(c => c.reached !== "unmeasured");
  const logs = each.filter(c => c.reached === "ok").map(c => Math.log(c.value));
  if (logs.length < 2) return result;
  const mean = logs.reduce((a, b) => a + b) / logs.length;
  const half = student(logs.length - 1) *
      Math.sqrt(logs.reduce((a, v) => a + (v - mean) ** 2, 0) / (logs.length - 1) / logs.length);
  const low = whole.value * Math.exp(-half), high = whole.value * Math.exp(half);
  result.low = each.some(c => c.reached === "below") ? null : Math.min(low, whole.low ?? low);
  result.high = each.some(c => c.reached === "above") ? null : Math.max(high, whole.high ?? high);
  return result;
}

// Lowest and highest block of a point at a percentile.
function band(point, at) {
  const all = point.blocks.map(b => b.q[at]).filter(known).concat(known(point.q[at]) ? [point.q[at]] : []);
  return all.length ? [Math.min(...all), Math.max(...all)] : [null, null];
}

// The response at any load inside what was measured, between two stable neighbours at most a factor of 3 apart, else
// null.
function responseAt(cell, at, load) {
  const points = cell.points.filter(p => known(p.q[at]));
  const near = points.find(p => Math.abs(p.rate / load - 1) <= 0.005);
  const whole = p => {
    const [low, high] = band(p, at);
    return {y: p.q[at], low, high, stable: p.stable};
  };
  if (near) return whole(near);
  const after = points.findIndex(p => p.rate > load);
  if (after < 0) return null;
  // Below the lowest rate a queue is shorter still: its response is an upper bound, and good enough within a factor
  // of 3.
  if (after === 0) return load >= points[0].rate / 3 && points[0].stable ? whole(points[0]) : null;
  const [a, b] = [points[after - 1], points[after]];
  if (b.rate > 3 * a.rate) return null;
  if (!a.stable || !b.stable) return {y: null, stable: false};
  const share = Math.log(load / a.rate) / Math.log(b.rate / a.rate),
        mix = (u, v) => Math.exp(Math.log(u) * (1 - share) + Math.log(v) * share);
  const [p, q] = [whole(a), whole(b)];
  return {y: mix(p.y, q.y), low: mix(p.low, q.low), high: mix(p.high, q.high), stable: true};
}

// How much of a request waits: what is left of S when the least CPU time that any model needed is taken away.
function waitShare(workload) {
  if (workload.name === "empty") return null;  // it does nothing; what takes time is a simulated queue
  const s = workload.cells.map(c => c.service).find(known), cpu = workload.cells.map(c => c.cpu).filter(known);
  return known(s) && cpu.length ? Math.min(1, Math.max(0, 1 - Math.min(...cpu) / s)) : null;
}

// Ratio of two figures with an interval, from their own 95% intervals as if independent.
function ratio(a, b) {
  if (!a || !b || a.reached !== "ok" || b.reached !== "ok" || !(a.value > 0) || !(b.value > 0)) return null;
  const spread = f =>
      f.low > 0 && f.high > 0 ? Math.max(Math.log(f.high / f.value), Math.log(f.value / f.low)) : Infinity;
  const half = Math.hypot(spread(a), spread(b)), log = Math.log(b.value / a.value);
  return {
    value: b.value / a.value,
    low: Math.exp(log - half),
    high: Math.exp(log + half),
    z: half > 0 ? 1.96 * Math.abs(log) / half :
        log     ? Infinity :
                  0
  };
}

// Two-sided p of a standard normal (Abramowitz and Stegun 7.1.26, error below 1.5e-7).
function tail(z) {
  const t = 1 / (1 + 0.3275911 * z / Math.SQRT2);
  return Math.min(
      1,
      t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) *
          Math.exp(-z * z / 2));
}

// Holm's correction: which of a family of p-values stay below 5%.
function holm(ps) {
  const order = ps.map((p, i) => [p, i]).sort((a, b) => a[0] - b[0]), kept = ps.map(() => false);
  for (let k = 0; k < order.length && order[k][0] <= 0.05 / (order.length - k); ++k) kept[order[k][1]] = true;
  return kept;
}
