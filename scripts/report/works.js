// What was measured, by the work that a request is, and the shape of that work. Pure functions.

// A series without what stands before its model.
const bareOf = id => id.split("|")[0];

const optionTime = (options, name) => options[name] === undefined ? null : parseTime(String(options[name]), true);

// Computing and waiting of a workload's request, in ns; null where it is not known.
const nominal = w => {
  if (w.name === "empty") return null;
  let [work, wait] = ["work", "wait"].map(name => optionTime(w.options, name));
  const service = w.cells.map(c => c.service).find(known) ?? null, cpu = w.cells.map(c => c.cpu).filter(known),
        least = cpu.length ? Math.min(...cpu) : null;
  if (work === null && wait === null) {
    // A file or a connection: what the CPU did is work, the rest of S is waiting.
    if (service === null) return null;
    const parts = [optionTime(w.options, "fixed"), optionTime(w.options, "item")];
    if (least === null && parts.every(v => v === null)) return null;
    work = Math.min(least ?? 0, service);
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

// The shapes of work, and how a sentence about a request says them.
const SHAPES = {
  computes: "only computes",
  waits: "waits and hardly computes",
  both: "computes and waits",
  batching: "has a cost for each batch and one for each item in it"
};
function shapeOf(options, {work, wait}) {
  if (optionTime(options, "fixed") !== null && optionTime(options, "item") !== null) return "batching";
  const share = wait / (work + wait);
  return share < 0.1 ? "computes" : share > 0.9 ? "waits" : "both";
}

// A simulated queue has no threads: one server stands for a CPU, several for what is waited for side by side.
function simulated(w, cells) {
  const {options} = style(cells[0].id), servers = Number(options.servers ?? 1), fixed = optionTime(options, "fixed"),
        item = optionTime(options, "item"), total = cells.map(c => c.cell.service).find(known);
  if (!known(total) || !(total > 0)) return null;
  const parts = servers > 1 ? {work: 0, wait: total, grain: 100} : {work: total, wait: 0, grain: 100};
  const each = known(fixed) && known(item) ? `${time(fixed)} for each batch and ${time(item)} for each request in it` :
                                             `${time(total)} for each request`;
  const said = `a simulated queue of ${plural(servers, "server")}: ${each}` +
      (options.service && options.service !== "fixed" ? `, ${options.service}` : "");
  return {w, cells, parts, shape: shapeOf(options, parts), mixed: false, text: said};
}

// Each work that was measured, with its cells. A workload is one; on simulated queues the work is that of the servers.
function works() {
  return workloads()
      .flatMap(w => {
        const cells = shown(w);
        if (!cells.length) return [];
        if (w.name !== "empty") {
          const parts = nominal(w);
          return parts && [{w, cells, parts, shape: shapeOf(w.options, parts), mixed: true, text: w.text}];
        }
        const groups = {};
        cells.filter(c => style(c.id).model === "oracle").forEach(c => (groups[bareOf(c.id)] ??= []).push(c));
        return Object.values(groups).map(group => simulated(w, group));
      })
      .filter(Boolean);
}
