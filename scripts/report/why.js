// What explains a latency, each against load: the kernel, the model, its engine.
const WHY = [
  ["switches", "context switches per request", v => digits(v)],
  ["cpu", "CPU time per request, model's CPUs", v => time(v)],
  ["before", "wait before execution begins (mean)", v => time(v)],
  ["run_queue", "run-queue wait of a waking thread, model's CPUs (mean)", v => time(v)],
  ["in_flight", "requests in flight (mean)", v => rate(v)], ["submit", "hand-off, submit p99", v => time(v)],
  ["rss", "peak memory of the process (MiB)", v => digits(v)]
];
const ENGINE = [
  ["threads", "threads"], ["threads_peak", "threads at the peak"], ["queue_depth", "queue depth at the window's end"],
  ["arena_workers", "workers in the arena"], ["enters", "io_uring_enter calls"],
  ["submit_batch_mean", "submissions per batch"], ["iowq_workers", "io-wq workers"], ["wakeups", "wake-ups"],
  ["wakes", "wakes of the ring"], ["posts", "posts to the loop"], ["resumes", "resumes"],
  ["arena_entries", "entries into the arena"], ["offload_queue_depth", "offload queue"],
  ["threads_created", "threads created"], ["cq_overflows", "completion-queue overflows"]
];

function drawWhy() {
  const cells = shown(), host = document.getElementById("why"), jobs = [];
  const take = (id, title, of, say) => jobs.push(...smallChart(cells, "why-" + id, title, of, say));
  WHY.forEach(([id, title, say]) => take(id, title, q => q.why[id], say));
  ENGINE.forEach(([id, title]) => take("engine-" + id, title, q => q.why.engine[id], v => rate(v)));
  const alone =
      jobs.some(j => j.id === "why-run_queue") ? "" : "The kernel's run-queue wait alone is not in this run's data. ";
  document.getElementById("why-note").textContent = !jobs.length ?
      "Nothing to explain: no model is shown, or the journal holds no counters here." :
      "“Wait before execution” is mean response less mean residence: queueing in the model, and for threads the run " +
          `queue until they first run. ${alone}Counters count per trial and are each model's own; ` +
          "a model without one is left out of its chart.";
  return drawSmall(host, cells, jobs);
}

// A small chart of what `of` tells of a point, in a list; an empty list where there is nothing but zeros. A share has a
// linear scale, which shows its zeros.
function smallChart(cells, id, title, of, say, isShare = false) {
  const values = cells.flatMap(c => c.cell.points.map(of)).filter(known);
  return values.length < 2 || !values.some(v => v > 0) ? [] : [{id, title, of, say, values, isShare}];
}

// Small charts against load, each with its own scale.
function drawSmall(host, cells, jobs) {
  placeSmall(host, jobs);
  return Promise.all(jobs.map(j => {
    const traces = [], loads = [], positive = j.values.filter(v => v > 0),
          logs = !j.isShare && Math.max(...positive) > 20 * Math.min(...positive), floor = Math.min(...positive) / 1.4,
          top = Math.max(...positive);
    for (const c of cells) {
      const own = v => known(v) ? (logs ? (v > 0 ? v : null) : v) : null;
      if (!c.cell.points.some(q => known(own(j.of(q))))) continue;
      traces.push(...curveTraces(c, q => own(j.of(q)), q => j.of(q), q => j.of(q), q => `${j.title}: ${j.say(j.of(q))}`)
                      .filter(t => t.meta !== "band"));
      loads.push(...c.cell.points.map(q => xOf(c.cell, q.rate)));
    }
    const x = xAxis(cells, loads, false);
    return draw(
        j.id, traces, {
          xaxis: {
            ...x,
            ...(x.type === "log" ? logTicks(
                                       10 ** x.range[0], 10 ** x.range[1],
                                       x.tickvals && (v => state.x === "share" ? percent(v) : rate(v)), 4) :
                                   linearTicks(x.range[1], v => state.x === "share" ? percent(v) : rate(v), 5))
          },
          yaxis: logs ? logAxis(floor, top * 1.5, "", j.say, 5) : linearAxis(top * 1.12, "", j.say, 5),
          margin: {l: 56, r: 10, t: 6, b: 30}
        },
        j.title + " against load");
  }));
}

section({id: "why", draw: drawWhy, on: ["size", "all"]});
