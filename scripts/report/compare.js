// Several runs in one page: ratios of their figures, and what differs between their machines. Which figures differ beyond
// noise `precipice compare` says, which pairs the blocks and takes out the machine's speed.

// Every cell that the first run and another have in common: {w, id, r, name, a, b, ratio}.
function comparisons() {
  const list = [];
  doc.runs.slice(1).forEach((run, k) => doc.runs[0].workloads.forEach(w => {
    const other = run.workloads.find(x => x.text === w.text);
    (other ? w.cells : []).forEach(c => {
      const d = other.cells.find(x => x.series === c.series);
      if (d)
        for (const name of ["cliff", "saturation"])
          list.push({
            w,
            id: c.series,
            r: k + 1,
            name,
            a: c.figures[name],
            b: d.figures[name],
            ratio: ratio(c.figures[name], d.figures[name]),
            slos: [c.slo, d.slo]
          });
    });
  }));
  return list;
}

function drawChanged() {
  const section = document.getElementById("s-changed");
  section.hidden = doc.runs.length < 2;
  if (section.hidden) return;
  const list = comparisons().filter(c => !state.off.has(c.id) && !state.run.has(c.r));
  document.getElementById("changed-lead").innerHTML = list.length ?
      "The runs' own figures, and their ratio with an interval as if the two were independent. Which of them differ " +
          "beyond noise <code>precipice compare</code> says, which pairs the blocks and takes out the machine's speed." :
      "These runs have no model and workload in common, so nothing can be compared.";
  const without = c => c.a?.reached === "above" || c.b?.reached === "above" ? "a bound: no ratio" : "not in both";
  const shift = c => c.name === "cliff" && c.slos.every(known) && Math.abs(c.slos[0] / c.slos[1] - 1) > 0.005 ?
      `<br><small>SLO ${time(c.slos[0], 4)}, then ${time(c.slos[1], 4)}</small>` :
      "";
  document.getElementById("changed").innerHTML = list.length ?
      `<thead><tr><th class="left">work</th><th class="left">model</th><th class="left">figure</th><th>run 1</th><th>other run</th><th>ratio, 95%</th></tr></thead><tbody>` +
          list.map(
                  c => `<tr data-series="${escape(c.id)}" data-figure="${c.name}"><td>${escape(c.w.title)}</td><td class="left">${swatch(c.id)} ${
                           escape(style(c.id).label)}</td><td class="left">${c.name}${shift(c)}</td>` +
                      `<td>${figure(c.a)}</td><td>${doc.runs.length > 2 ? `run ${c.r + 1}: ` : ""}${
                           figure(c.b)}</td><td>${
                           c.ratio ? `${digits(c.ratio.value, 4)} ${
                                         Number.isFinite(c.ratio.high) && c.ratio.high / c.ratio.low < 100 ?
                                             range(c.ratio.low, c.ratio.high, v => digits(v)) :
                                             "(wider than 100 to 1)"}` :
                                     without(c)}</td></tr>`)
              .join("") +
          "</tbody>" :
      "";
  document.getElementById("changed-note").innerHTML =
      doc.between
          .map((list, k) => {
            const set = list.filter(c => !c[3]);
            return `<details${set.length && set.length < 12 ? " open" : ""}><summary>${
                set.length ? `${plural(set.length, "setting")} of the machine or program ${
                                 set.length === 1 ? "differs" : "differ"} between run 1 and run ${k + 2}` :
                             `No setting differs between run 1 and run ${k + 2}`}</summary>${
                set.length ? differences(set, "run 1", `run ${k + 2}`) : ""}</details>`;
          })
          .join("");
}

section({id: "changed", draw: drawChanged, on: ["all"]});
