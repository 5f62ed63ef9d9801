// Which model for my work? Finds the measured workload that is nearest to the reader's, scales it in time, reads the
// curves there, and says how far the data carries.

const nominal = w => {
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
    const f = capacity(c.cell, at, bound), r = responseAt(c.cell, at, load),
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

const readWish = () => {
  const field = (id, parse) => {
    const box = document.getElementById(id), v = parse(box.value);
    box.setAttribute("aria-invalid", v === null);
    return v;
  };
  const wish = {
    work: field("a-work", t => parseTime(t, true)),
    wait: field("a-wait", t => parseTime(t, true)),
    rate: field("a-rate", parseRate),
    slo: field("a-slo", parseTime),
    human: document.getElementById("a-human").checked
  };
  return Object.values(wish).some(v => v === null) ? null : wish;
};

const command = wish => `precipice capacity --model MODEL --workload mixed:work=${plainTime(wish.work)},wait=${
    plainTime(wish.wait)} --slo '${pname(percentile())}<${plainTime(wish.slo)}'`;
const plainTime = ns => time(ns).replace(" ", "").replace("µ", "u");
const amount = ns => ns > 0 ? time(ns) : "no";

function drawAdvice() {
  const wish = readWish(), host = document.getElementById("answer");
  if (!wish) {
    host.innerHTML =
        "<p>A time is a number with ns, us, ms or s, such as 500us; a rate is a number such as 500 or 20k.</p>";
    host.dataset.answer = "";
    return;
  }
  if (!(wish.work + wish.wait > 0)) {
    host.innerHTML = "<p>A request that neither computes nor waits needs no model.</p>";
    host.dataset.answer = "";
    return;
  }
  const a = advise(wish), mixed = `${amount(wish.work)} computing and ${amount(wish.wait)} waiting`;
  host.dataset.answer = a.covered !== "none" && a.best ? a.best.id : "";
  host.dataset.covered = a.covered;
  if (!a.near) {
    host.innerHTML = "<p class=big>No workload that was measured can be compared with yours.</p>";
    return;
  }
  const m = nominal(a.near.w),
        basis = `<b>${escape(a.near.w.text)}</b> (${amount(m.work)} computing, ${amount(m.wait)} waiting)`;
  const scaled = Math.abs(a.near.scale - 1) < 0.02 ? "" : `, its times scaled by ${digits(a.near.scale)}`;
  if (a.covered === "none") {
    host.innerHTML =
        `<p class="big">The data does not cover this work.</p><p>The nearest workload measured is ${basis}: ${
            a.near.skew > 2.5 ? "its mix of computing and waiting is another" :
                                `your request is ${a.near.scale < 1 ? "much shorter" : "much longer"}`}. ` +
        `An answer would be a guess. Measure it, once for each model:</p><p><code>${escape(command(wish))}</code></p>`;
    return;
  }
  const says = [], p = pname(a.p),
        worth = c => `${
            known(c.response) ? `${p} ${time(c.response)} at ${rate(wish.rate)}/s` :
                                `no rate measured near ${rate(wish.rate)}/s`}`;
  if (!a.best) {
    const most = a.each.slice().sort((x, y) => (y.capacity.value ?? 0) - (x.capacity.value ?? 0))[0],
          open = a.each.filter(c => c.ends);
    says.push(
        `<p class="big">${open.length ? "The data does not reach your rate." : "No model measured carries this."}</p>`);
    says.push(`<p>${
        open.length ?
            `${names(open)} still met ${p} ≤ ${time(wish.slo)} at the highest load offered, ${
                listed(open.map(c => `${rate(c.capacity.value)}/s`))}; beyond it nothing is known.` :
            most.capacity.reached === "ok" ?
            `The most under ${p} ≤ ${time(wish.slo)} is ${named(most.id, most.r)} with ${figure(most.capacity)}/s, ${
                percent(most.capacity.value / wish.rate)} of what you ask for. Offer less, allow more time, or use ${
                Math.ceil(wish.rate / most.capacity.value)} such machines.` :
            `${p} ≤ ${time(wish.slo)} is missed at the lowest load already: the work alone takes about ${
                time(wish.work + wish.wait)}.`}</p>`);
  } else {
    const b = a.best, first = a.same.length ? `${names([b, ...a.same])} will do alike` : `Take ${named(b.id, b.r)}`;
    says.push(`<p class="big">${first}.</p>`);
    says.push(
        wish.human ?
            `<p>Because a human waits, the quickest answer decides: ${worth(b)}${
                known(b.response) ? `, ${digits(wish.slo / b.response, 2)} times within your ${time(wish.slo)}` :
                                    ""}${a.same.length ? "; the others' blocks overlap with it" : ""}. ` :
            `<p>Because nobody waits, room decides${known(b.cpu) ? ` (and ${time(b.cpu)} of CPU a request)` : ""}: ${
                worth(b)}. `);
    says[says.length - 1] +=
        `It carries ${figure(b.capacity)}/s under ${p} ≤ ${time(wish.slo)}: a margin of ${times(b.margin)} your rate${
            b.margin < 1.3 ? ", which is little: a burst or a slower day takes it" : ""}.` +
        (b.sure ? "" :
                  ` The low end of that interval lies below your rate, so ${plural(doc.runs[b.r].blocks, "block")} ${
                      doc.runs[b.r].blocks === 1 ? "does" : "do"} not prove it.`) +
        "</p>";
    if (a.same.length) says.push(`<p>Of those that are alike, take the one that your code is simplest in.</p>`);
  }
  const rest = a.each.filter(c => c !== a.best && !a.same.includes(c));
  if (rest.length && a.best)
    says.push(`<p>${
        rest.map(
                c => `${named(c.id, c.r)}: ${
                    c.carries  ? worth(c) :
                        c.ends ? `not measured beyond ${rate(c.capacity.value)}/s` :
                        known(c.capacity.value) ? `carries ${figure(c.capacity)}/s, too little` :
                                                  "no figure"}`)
            .join("; ")}.</p>`);
  says.push(`<p class="note">${
      a.covered === "rough" ?
          "<b>Roughly:</b> your request is not quite the one measured. " :
          ""}From the curves of ${basis}${scaled}; yours: ${mixed}, on a machine like this one.</p>`);
  host.innerHTML = says.join("");
}
