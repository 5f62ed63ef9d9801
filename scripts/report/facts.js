// What the figures rest on: the machine, the method, trials that did not count, and what changed.

const shownValue = v => v === null || v === undefined ? "–" :
    Array.isArray(v) || typeof v === "object"         ? JSON.stringify(v) :
    Number.isInteger(v) || typeof v !== "number"      ? String(v) :
                                                        digits(v, Math.max(6, Math.ceil(Math.log10(Math.abs(v)))));
const heading = r => doc.runs.length > 1 ? `<h3>Run ${r + 1}: ${escape(doc.runs[r].name)}</h3>` : "";
const table = (head, rows, name = "small") => `<div class="scroll"><table class="${name}"><thead><tr>${
    head.map(h => `<th class="left">${h}</th>`).join("")}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
const row = cells => `<tr>${cells.map(c => `<td class="left">${c}</td>`).join("")}</tr>`;

function differences(list, before = "before", after = "after") {
  return table(
      ["what", before, after],
      list.map(([name, old, now]) => row([escape(name), escape(shownValue(old)), escape(shownValue(now))])));
}

function machine(run) {
  const env = new Map(run.environment),
        get = (...paths) => paths.map(p => env.get(p)).find(v => v !== null && v !== undefined),
        gib = v => known(v) ? `${digits(v / 2 ** 30)} GiB` : "–";
  const facts = [
    [
      "CPU",
      [
        get("cpu.model"),
        get("cpu.allowed", "cpu.online") !== undefined ? `CPUs ${get("cpu.allowed", "cpu.online")}` : null
      ].filter(Boolean)
          .join(", ")
    ],
    ["Memory", gib(get("memory.MemTotal_bytes"))], ["Kernel", get("kernel.release")],
    ["Virtual", {true: "yes, a hypervisor is below", false: "no"}[get("virtualisation.hypervisor_flag")]],
    ["Governor", get("cpu.governor")], ["CPU limit (cgroup)", get("cgroup.cpu_limit")],
    ["Threads possible", get("threads.possible")], ["Clock source", get("kernel.clock_source")],
    ["Program", [run.git, get("build.compiler"), get("build.type", "build.build_type")].filter(Boolean).join(", ")]
  ];
  return `<dl class="facts">${
      facts.filter(f => f[1] !== undefined && f[1] !== "")
          .map(([k, v]) => `<dt>${k}</dt><dd>${escape(shownValue(v))}</dd>`)
          .join("")}</dl>`;
}

function drawEnvironment() {
  document.getElementById("environment").innerHTML =
      doc.runs
          .map((run, r) => {
            if (!run.environment.length) return heading(r) + "<p>The run's directory holds no environment.</p>";
            const set = run.changes.filter(c => !c[3]), moved = run.changes.filter(c => c[3]);
            const changed = !run.has_after ?
                "<p>The machine after the run was not recorded.</p>" :
                (set.length ?
                     `<p class="changed">${plural(set.length, "setting")} differed between before and after:</p>${
                         differences(set)}` :
                     "<p>No setting differed between before and after.</p>") +
                    (moved.length ?
                         `<details><summary>${
                             plural(moved.length, "value")} moved, as they do on any machine at work</summary>${
                             differences(moved)}</details>` :
                         "");
            return heading(r) + machine(run) + (run.speed.length ? `<p>${run.speed.map(escape).join(" ")}</p>` : "") +
                changed +
                `<details><summary>Everything that was recorded (${run.environment.length} values)</summary>${
                       table(
                           ["what", "before the run"],
                           run.environment.map(([k, v]) => row([escape(k), escape(shownValue(v))])))}</details>`;
          })
          .join("");
}

function drawMethod() {
  const common = [
    "Requests arrive by a schedule made in advance (open loop); a response counts from the intended arrival, so a stall is charged to every request that it delayed. Percentiles are exact per trial; over blocks histograms are added up, never averaged.",
    "A cell is a model on a workload. Its saturation is the highest goodput at any load, closed loop and overload included; its cliff is the highest offered load that meets the SLO, is stable and loses at most 0.1%. Blocks repeat all cells in random order; intervals are 95%, over the blocks.",
    "A trial counts only if the generator kept its schedule, the host did not stall or steal, and every request ended exactly once with the right digest. Others are kept, marked and repeated."
  ];
  document.getElementById("method").innerHTML = common.map(t => `<p>${t}</p>`).join("") +
      doc.runs
          .map((run, r) => {
            const load = run.load || {}, facts = [
              ["Suite", run.suite], ["Blocks", run.blocks], ["Arrivals", load.arrivals], ["Window", load.window],
              ["SLO asked for", run.slo], ["Seed", run.seed], ["Started", run.started], ["Ended", run.ended],
              ["Command", run.command], ["Git", run.git], ["Binary", run.binary],
              ["Suite's hash", run.suite_hash]
            ];
            return heading(r) +
                `<dl class="facts">${
                       facts.filter(f => f[1] !== null && f[1] !== undefined && f[1] !== "")
                           .map(([k, v]) => `<dt>${k}</dt><dd>${escape(shownValue(v))}</dd>`)
                           .join("")}</dl>` +
                (run.warnings.length ? `<p class="note">${run.warnings.map(escape).join("<br>")}</p>` : "");
          })
          .join("");
}

function drawInvalid() {
  document.getElementById("invalid").innerHTML =
      doc.runs
          .map((run, r) => {
            if (!run.invalid.length)
              return heading(r) + `<p>None: all ${plural(run.valid, "trial")} held every gate.</p>`;
            const causes = new Map();
            run.invalid.forEach(t => {
              const one = t.reasons[0] || {}, key = `${one.cause || "?"} (${one.gate || "?"})`;
              causes.set(key, (causes.get(key) || 0) + 1);
            });
            const said = [...causes].sort((a, b) => b[1] - a[1]).map(([k, n]) => `${n} by the ${escape(k)}`);
            const rows = run.invalid.map(
                t => row([
                  escape(t.workload), escape(t.series),
                  `${escape(t.phase)}, block ${known(t.block) ? t.block + 1 : "?"}, attempt ${t.attempt ?? "?"}`,
                  t.closed ? `closed, ${t.closed} in flight` : `${rate(t.rate)}/s`,
                  t.reasons.map(x => `${escape(x.cause)}: ${escape(x.text)}`).join("<br>") || "no reason recorded"
                ]));
            return heading(r) +
                `<p>${plural(run.invalid.length, "trial")} of ${run.valid + run.invalid.length}: ${
                       listed(said)}. They were repeated, at most three times, and enter no figure.</p>` +
                `<details><summary>Each of them, with its reasons</summary>${
                       table(["workload", "model", "trial", "load", "why"], rows)}</details>`;
          })
          .join("");
}

section({id: "environment", draw: drawEnvironment, on: []});
section({id: "method", draw: drawMethod, on: []});
section({id: "invalid", draw: drawInvalid, on: []});
