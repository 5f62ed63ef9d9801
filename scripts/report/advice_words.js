// The form of "Which model for my work?" and its answer in sentences.

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

const plainTime = ns => time(ns).replace(" ", "").replace("µ", "u");
const amount = ns => ns > 0 ? time(ns) : "no";
const partsOf = m => `${amount(m.work)} computing, ${amount(m.wait)} waiting`;
const basisOf = ({of}) => `<b>${escape(of.text)}</b>${of.mixed ? ` (${partsOf(of.parts)})` : ""}`;

function command({wish, p}) {
  const work = `mixed:work=${plainTime(wish.work)},wait=${plainTime(wish.wait)}`;
  return `precipice capacity --model MODEL --workload ${work} --slo '${pname(p)}<${plainTime(wish.slo)}'`;
}

function notCovered(a) {
  const {near} = a;
  const why = near.skew > 2.5 ? "its mix of computing and waiting is another" :
      near.scale < 1          ? "your request is much shorter" :
                                "your request is much longer";
  return [
    '<p class="big">The data does not cover this work.</p>',
    `<p>The nearest workload measured is ${basisOf(near)}: ${why}. An answer would be a guess. ` +
        "Measure it, once for each model:</p>",
    `<p><code>${escape(command(a))}</code></p>`
  ];
}

// The data covers the work, and no model carries the rate: by how much, or where the data ends.
function notCarried({each, wish, p}) {
  const most = each.slice().sort((x, y) => (y.capacity.value ?? 0) - (x.capacity.value ?? 0))[0];
  const open = each.filter(c => c.ends), bound = `${pname(p)} ≤ ${time(wish.slo)}`;
  if (open.length) {
    const ends = listed(open.map(c => `${named(c.id, c.r)} at ${rate(c.capacity.value)}/s`));
    return [
      '<p class="big">The data does not reach your rate.</p>',
      `<p>Still within ${bound} at the highest load that was offered: ${ends}. Beyond it nothing is known.</p>`
    ];
  }
  const head = '<p class="big">No model measured carries this.</p>';
  if (most.capacity.reached !== "ok")
    return [
      head,
      `<p>${bound} is missed at the lowest load already; the work alone takes about ${time(wish.work + wish.wait)}.</p>`
    ];
  const share = wish.rate / most.capacity.value;
  return [
    head,
    `<p>The most under ${bound} is ${perSecond(most.capacity)}, with ${named(most.id, most.r)}: ${
        percent(1 / share)} of your rate. Offer less, allow more time, or use ${Math.ceil(share)} such machines.</p>`
  ];
}

// What a model does at the reader's rate.
function atRate(c, {wish, p}) {
  if (known(c.response)) return `${pname(p)} ${time(c.response)} at ${rate(wish.rate)}/s`;
  return `no response was measured near ${rate(wish.rate)}/s`;
}

function why(a) {
  const {best, same, wish, matters} = a, within = known(best.response) ? digits(wish.slo / best.response, 2) : null;
  const cpu = known(best.cpu) && best.cpu > 0 ? ` It takes ${time(best.cpu)} of CPU a request.` : "";
  if (matters === "cost")
    return a.priced ?
        `Because the bill decides: a million requests cost ${digits(best.cost.value)} ${
            range(
                best.cost.low, best.cost.high,
                v => digits(v))} at the most that it carries; ${atRate(best, a)}.${cpu}` :
        "Because the bill decides, and the run names no price_per_cpu_hour: on the same CPUs the one that carries most " +
            `costs least a request; ${atRate(best, a)}.${cpu}`;
  if (matters === "throughput") return `Because nobody waits, room to grow decides: ${atRate(best, a)}.${cpu}`;
  const of = same.length ? `, with ${named(best.id, best.r)}` : "", inside = `${within} times within ${time(wish.slo)}`;
  return `Because a human waits, the quickest answer decides: ${atRate(best, a)}${of}${within ? `, ${inside}` : ""}.` +
      (same.length ? " The blocks of the others overlap with it, or lie within a tenth." : "");
}

function margin({best, wish, p}) {
  const blocks = doc.runs[best.r].blocks, many = `${plural(blocks, "block")} ${blocks === 1 ? "does" : "do"}`;
  return `It carries ${perSecond(best.capacity)} under ${pname(p)} ≤ ${time(wish.slo)}: a margin of ${
             times(best.margin)} your rate.` +
      (best.margin < 1.3 ? " That is little: a burst or a slower day takes it." : "") +
      (best.sure ? "" : ` The low end of that interval lies below your rate, so ${many} not prove it.`);
}

function otherModel(c, a) {
  const says = c.carries ? atRate(c, a) :
      c.ends             ? `not measured beyond ${rate(c.capacity.value)}/s` :
      !known(c.capacity.value) ? "no figure" :
      // A limit above the rate says neither that it is enough nor that it is not.
      c.capacity.reached === "below" && c.capacity.value > a.wish.rate ?
                           `carries ${perSecond(c.capacity)}: whether that is enough was not measured` :
                           `carries ${perSecond(c.capacity)}, too little`;
  return `${named(c.id, c.r)}: ${says}`;
}

function answer(a) {
  if (a.covered === "none") return notCovered(a);
  const says = [];
  if (a.best) {
    const {best, same} = a, all = names([best, ...same]);
    const many = same.length > 3 && same.length + 1 === a.each.length;
    says.push(`<p class="big">${
        many ? `Any of the ${a.each.length} will do alike` :
            same.length ? `${all} will do alike` :
                          `Take ${all}`}.</p>`);
    says.push(`<p>${why(a)} ${margin(a)}</p>`);
    if (same.length) says.push("<p>Of those that are alike, take the one in which your code is simplest.</p>");
    const rest = a.each.filter(c => c !== best && !same.includes(c)).map(c => otherModel(c, a));
    if (rest.length > 6)
      says.push(`<details><summary>What the other ${rest.length} do</summary><p>${rest.join("; ")}.</p></details>`);
    else if (rest.length)
      says.push(`<p>${rest.join("; ")}.</p>`);
  } else {
    says.push(...notCarried(a));
  }
  says.push(...leversOf(a));
  const scaled = Math.abs(a.near.scale - 1) < 0.02 ? "" : `, its times scaled by ${digits(a.near.scale)}`;
  const rough = a.covered === "rough" ? "<b>Roughly:</b> your request is not quite the one measured. " : "";
  const queue = a.near.of.mixed ? "" : " A simulated queue does not tell computing from waiting.";
  says.push(`<p class="note">${rough}From the curves of ${basisOf(a.near)}${scaled}; yours: ${partsOf(a.wish)}, on ${
      a.near.of.mixed ? "a machine like this one" : "servers like these"}.${queue}</p>`);
  return says;
}

// The run measured no work of the scenario's shape: what would.
function noShape(s) {
  return [
    `<p class="big">This run measured no work of that shape.</p>`,
    `<p>No request in it ${
        listed(s.shapes.map(shape => SHAPES[shape])).replace(" and ", " or ")}. A suite that has such a work:</p>`,
    `<p><code>precipice run ${s.suite} &amp;&amp; scripts/report.py results/${s.suite.replace(".toml", "")}</code></p>`
  ];
}

function drawAdvice() {
  const wish = readWish(), host = document.getElementById("answer"), s = scenario(), from = worksFor(s);
  host.dataset.answer = host.dataset.covered = "";
  const say = (text, a = null) => {
    host.innerHTML = text;
    return drawAdviceCurve(a);
  };
  if (s && !from.length) return say(noShape(s).join(""));
  if (!wish)
    return say("<p>A time is a number with ns, us, ms or s, such as 500us; a rate a number such as 500 or 20k.</p>");
  if (!(wish.work + wish.wait > 0)) return say("<p>A request that neither computes nor waits needs no model.</p>");
  const a = advise(wish, {p: s ? s.p : percentile(), from, matters: mattersOf(wish.human)});
  if (!a.near) return say('<p class="big">No workload that was measured can be compared with yours.</p>');
  host.dataset.covered = a.covered;
  host.dataset.answer = a.covered !== "none" && a.best ? a.best.id : "";
  return say(answer(a).join(""), a.covered === "none" ? null : a);
}

section({id: "advice", draw: drawAdvice, on: ["advice", "size", "all"]});
