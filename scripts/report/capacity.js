// Pure functions from what was measured to capacities and responses: data in, data out, nothing of the page.

// A bound this close to one of the grid is that one.
const SAME_BOUND = 1e-4;
const figureAt = ([value, low, high, reached, limited]) => ({value, low, high, reached, limited});

// Between two bounds of the grid, `share` of the way on the logarithm of the bound. A censored figure limits those
// between it and the next: a looser SLO is met at least as far as the tighter one.
function between(tighter, looser, share) {
  if (tighter.reached === "ok" && looser.reached === "ok") {
    const mix = (a, b) => known(a) && known(b) ? Math.exp(Math.log(a) * (1 - share) + Math.log(b) * share) : null;
    return {
      value: mix(tighter.value, looser.value),
      low: mix(tighter.low, looser.low),
      high: mix(tighter.high, looser.high),
      reached: "ok",
      limited: (share < 0.5 ? tighter : looser).limited,
    };
  }
  const has = reached => tighter.reached === reached || looser.reached === reached;
  if (!has("unmeasured") && !has("below"))
    return {value: tighter.value, low: tighter.low, high: null, reached: "above"};
  if (!has("unmeasured") && !has("above")) return {value: looser.value, low: null, high: looser.high, reached: "below"};
  return {reached: "unmeasured"};
}

// The highest rate at which a cell meets the percentile `p` <= `slo`: the program's estimate where its grid has the
// bound, else an interpolation, linear in the logarithms of bound and rate. Beyond the grid its last figure is a limit.
// Without a grid only the cell's own SLO has a figure.
function capacity(cell, p, slo) {
  const same = bound => Math.abs(bound / slo - 1) < SAME_BOUND, own = cell.figures.cliff;
  if (!cell.grid) return own && p === cell.percentile && same(cell.slo) ? own : {reached: "unmeasured"};
  const bounds = cell.grid.bounds, cliffs = cell.grid.cliffs[cell.grid.percentiles.indexOf(p)];
  if (!cliffs) return {reached: "unmeasured"};
  const on = bounds.findIndex(same);
  if (on >= 0) return figureAt(cliffs[on]);
  const first = figureAt(cliffs[0]), last = figureAt(cliffs[cliffs.length - 1]);
  if (slo < bounds[0]) return between({reached: "below"}, first, 0);
  if (slo > bounds[bounds.length - 1])  // which no looser bound moves where saturation ends it
    return last.reached === "ok" && last.limited === "saturation" ? last : between(last, {reached: "above"}, 0);
  const k = bounds.findIndex(bound => bound > slo),
        share = Math.log(slo / bounds[k - 1]) / Math.log(bounds[k] / bounds[k - 1]);
  return between(figureAt(cliffs[k - 1]), figureAt(cliffs[k]), share);
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
  return {value: b.value / a.value, low: Math.exp(log - half), high: Math.exp(log + half)};
}
