// The scenarios that a reader can pick in place of naming times: each is a shape of work, a bound and what matters,
// with the reason. The times are those of the work of that shape that the run measured.

// `shapes`: of the works that answer, the best match first. `times`: the bound over the request's own time. `suite`:
// which measures such a work where the run did not.
const SCENARIOS = [
  {
    id: "api",
    name: "Interactive API",
    shapes: ["both", "waits"],
    p: 99,
    times: 10,
    matters: "response",
    shape: "a request computes and waits for other services, or mostly waits",
    why: "a person waits for every answer, and makes so many requests in a visit that most visitors meet the slowest " +
        "in a hundred",
    suite: "standard.toml"
  },
  {
    id: "orders",
    name: "Order matching",
    shapes: ["computes"],
    p: 99.9,
    times: 20,
    matters: "response",
    shape: "a request only computes, since the book is in memory and is changed in order",
    why:
        "an answer that comes late is a lost trade, and the worst moments have the most orders: one in a thousand counts",
    suite: "quick.toml"
  },
  {
    id: "logs",
    name: "Log ingestion",
    shapes: ["batching"],
    p: 99,
    times: 100,
    matters: "throughput",
    shape: "records go to a store that takes a fixed time for each batch and some for each record",
    why: "nobody waits for a record, but the pipeline has to keep up with all that write to it",
    suite: "tradeoff_linger.toml"
  },
  {
    id: "video",
    name: "Video encoding",
    shapes: ["computes"],
    p: 99,
    times: 100,
    matters: "cost",
    shape: "a job only computes, on all CPUs that there are",
    why: "jobs may queue for long; the CPUs are the bill",
    suite: "quick.toml"
  }
];
const MATTERS = {
  response: "the response at your rate",
  throughput: "how much is carried within the bound",
  cost: "the cost of a request at the most that is carried within the bound"
};

const scenario = () => SCENARIOS.find(s => s.id === state.sc);
// What decides: the checkbox has the last word.
const mattersOf = human => human ? "response" : scenario()?.matters === "cost" ? "cost" : "throughput";
// The works that a scenario takes its answer from; all of them without one.
const worksFor = (s, all = works()) =>
    s ? s.shapes.map(shape => all.filter(one => one.shape === shape)).find(found => found.length) ?? [] : all;

// The scenario as a wish: of the works of its shape the one with the most series, since that compares most.
function presetOf(s) {
  const fit = worksFor(s).sort((a, b) => b.cells.length - a.cells.length)[0];
  if (!fit) return null;
  const {work, wait} = fit.parts, slo = s.times * (work + wait),
               carried = fit.cells.map(c => capacity(c.cell, s.p, slo))
                             .filter(f => f.reached === "ok" || f.reached === "above")
                             .map(f => f.value),
               tops = fit.cells.map(c => c.cell.figures.saturation?.value).filter(known);
  const most = Math.max(0, ...carried) || Math.max(0, ...tops);
  return {work, wait, slo, rate: most / 2, human: s.matters === "response"};
}

function drawScenarios() {
  const host = document.getElementById("scenarios"), s = scenario();
  host.querySelectorAll("button").forEach(b => b.setAttribute("aria-pressed", b.dataset.scenario === (s?.id ?? "")));
  const said = document.getElementById("scenario-says");
  said.hidden = !s;
  if (!s) return;
  said.innerHTML =
      [
        ["Shape", `${s.shape}.`], ["Bound", `${pname(s.p)} at most ${s.times} times the request’s own time.`],
        ["What matters", `${MATTERS[s.matters]}, because ${s.why}.`],
        ["Times", "those of the work of this shape that this run measured; change them to your own."]
      ].map(([term, text]) => `<dt>${term}</dt><dd>${escape(text)}</dd>`)
          .join("");
}

function pickScenario(id) {
  state.sc = id;
  state.a = null;
  fillAdvice();
  changed("advice");
}

section({id: "scenarios", draw: drawScenarios, on: ["advice", "all"]});
