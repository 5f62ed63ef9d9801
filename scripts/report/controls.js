// Buttons, fields and keys: each changes the state and names what has to be drawn again.

function setSlo(ns, dragging = false) {
  if (!(ns > 0) || !Number.isFinite(ns)) return;
  state.slo[current().text] = Math.min(3.6e12, Math.max(1e3, Number(ns.toPrecision(dragging ? 3 : 6))));
  changed(dragging ? "drag" : "slo");
}
function ownAgain() {
  delete state.slo[current().text];
  state.p = null;
  changed("all");
}
const toggle = (set, value) => set.has(value) ? set.delete(value) : set.add(value);

// The bar as the state has it. Chips are made once, so that the focus stays where the reader put it.
function drawBar() {
  const tabs = document.getElementById("workloads"), chips = document.getElementById("chips");
  if (!tabs.childElementCount) {
    tabs.innerHTML = workloads()
                         .map(
                             (w, i) => `<button type="button" role="tab" data-w="${i}" title="${
                                 escape(w.text)} (w: the next)">${escape(w.title)}</button>`)
                         .join("");
    chips.innerHTML =
        doc.series
            .map(
                (s, i) => `<button type="button" class="chip" data-series="${escape(s.id)}" title="${
                    i < 9 ? `key ${i + 1}; ` :
                            ""}shift: this one alone"><span class="swatch"></span>${escape(s.label)}</button>`)
            .join("") +
        (doc.runs.length > 1 ? doc.runs
                                   .map(
                                       (run, r) => `<button type="button" class="chip" data-run="${r}" title="${
                                           escape(run.name)}">run ${r + 1}: ${escape(run.name)}</button>`)
                                   .join("") :
                               "");
    document.getElementById("percentile").innerHTML =
        doc.percentiles.map(p => `<option value="${p}">${pname(p)}</option>`).join("");
  }
  tabs.querySelectorAll("button").forEach((b, i) => {
    b.setAttribute("aria-selected", i === state.w);
    b.tabIndex = i === state.w ? 0 : -1;
  });
  chips.querySelectorAll("[data-series]").forEach(b => {
    b.setAttribute("aria-pressed", !state.off.has(b.dataset.series));
    b.firstChild.innerHTML = swatch(b.dataset.series);
  });
  chips.querySelectorAll("[data-run]")
      .forEach(b => b.setAttribute("aria-pressed", !state.run.has(Number(b.dataset.run))));
  document.getElementById("percentile").value = percentile();
  document.getElementById("axis").value = state.x;
  const box = document.getElementById("slo");
  if (document.activeElement !== box) {
    box.value = time(slo(), 4).replace(" ", "");
    box.removeAttribute("aria-invalid");
  }
  document.getElementById("slo-reset").disabled = ownBound(current());
  document.getElementById("theme").textContent = {system: "◐ system", light: "☀ light", dark: "☾ dark"}[state.theme];
}

function choose(w) {
  state.w = (w + workloads().length) % workloads().length;
  state.hr = null;
  changed("all");
}
const nextOf = (list, value) => list[(list.indexOf(value) + 1) % list.length];
const press = {
  w: () => choose(state.w + 1),
  p: () => {
    state.p = nextOf(doc.percentiles, percentile());
    changed("all");
  },
  x: () => {
    state.x = state.x === "abs" ? "share" : "abs";
    changed("all");
  },
  s: () => {
    const box = document.getElementById("slo");
    box.focus();
    box.select();
  },
  r: ownAgain,
  t: () => {
    state.theme = nextOf(["system", "light", "dark"], state.theme);
    changed("all");
  },
  0: () => {
    state.off.clear();
    state.run.clear();
    changed("all");
  },
  "?": () => document.getElementById("keys").showModal(),
};

function watchControls() {
  const on = (id, event, act) => document.getElementById(id).addEventListener(event, act);
  document.getElementById("workloads").addEventListener("click", e => {
    const b = e.target.closest("[data-w]");
    if (b) choose(Number(b.dataset.w));
  });
  document.getElementById("workloads").addEventListener("keydown", e => {
    const step = {ArrowRight: 1, ArrowLeft: -1}[e.key];
    if (step) {
      e.preventDefault();
      choose(state.w + step);
      document.querySelector("#workloads [aria-selected=true]").focus();
    }
  });
  document.getElementById("verdicts").addEventListener("click", e => {
    const b = e.target.closest("[data-w]");
    if (b) {
      choose(Number(b.dataset.w));
      document.getElementById("s-response").scrollIntoView();
    }
  });
  document.getElementById("chips").addEventListener("click", e => {
    const b = e.target.closest("button");
    if (!b) return;
    if (b.dataset.run !== undefined)
      toggle(state.run, Number(b.dataset.run));
    else if (e.shiftKey)
      state.off = new Set(doc.series.map(s => s.id).filter(id => id !== b.dataset.series));
    else
      toggle(state.off, b.dataset.series);
    changed("all");
  });
  on("percentile", "change", e => {
    state.p = Number(e.target.value);
    changed("all");
  });
  on("axis", "change", e => {
    state.x = e.target.value;
    changed("all");
  });
  on("slo", "input", e => {
    const ns = parseTime(e.target.value);
    e.target.setAttribute("aria-invalid", ns === null);
    if (ns !== null) setSlo(ns);
  });
  on("slo", "blur", drawBar);
  on("slo", "keydown", e => {
    if (e.key === "Enter" || e.key === "Escape") e.target.blur();
  });
  on("slo-reset", "click", ownAgain);
  on("theme", "click", press.t);
  on("help", "click", press["?"]);
  on("load", "input", e => {
    state.load = Number(e.target.value);
    changed("load");
  });
  on("heat-series", "change", e => {
    state.hs = e.target.value;
    state.hr = null;
    changed("heat");
  });
  on("heat-rate", "change", e => {
    state.hr = Number(e.target.value);
    changed("heat");
  });
  on("advice", "input", () => {
    state.a = ["a-work", "a-wait", "a-rate", "a-slo"]
                  .map(id => document.getElementById(id).value.trim())
                  .concat(document.getElementById("a-human").checked ? 1 : 0)
                  .join("|");
    changed("advice");
  });
  on("scenarios", "click", e => {
    const b = e.target.closest("[data-scenario]");
    if (b) pickScenario(b.dataset.scenario);
  });
  // Jumps inside the page leave the address to the state.
  document.addEventListener("click", e => {
    const a = e.target.closest("[data-jump], [data-skip]");
    if (a) {
      e.preventDefault();
      const to = document.getElementById(a.dataset.jump || "verdict");
      to.tabIndex = -1;
      to.focus({preventScroll: true});
      to.scrollIntoView();
    }
  });
  document.addEventListener("keydown", e => {
    if (e.ctrlKey || e.metaKey || e.altKey ||
        e.target.closest("input:not([type=range]):not([type=checkbox]), select, textarea, dialog"))
      return;
    const n = Number(e.key);
    if (n >= 1 && n <= doc.series.length) {
      toggle(state.off, doc.series[n - 1].id);
      changed("all");
    } else if (press[e.key]) {
      e.preventDefault();
      press[e.key]();
    }
  });
}

// What the fields hold before the reader has written into them: the scenario, or half of what the run's work carries.
function exampleWish() {
  if (scenario()) return presetOf(scenario());
  const w = current(), all = works(), of = all.find(one => one.w === w) ?? all[0], two = v => Number(v.toPrecision(2));
  const most = of ? Math.max(0, ...of.cells.map(c => c.cell.figures.cliff?.value).filter(known)) : 0;
  if (!(most > 0)) return null;
  return {work: two(of.parts.work), wait: two(of.parts.wait), rate: two(most / 2), slo: two(ownSlo(of.w)), human: true};
}

// The reader's wish comes back from the address; without one the fields hold an example that the data covers.
function fillAdvice() {
  if (!state.a) {
    const w = exampleWish();
    if (!w) return;
    const say = ns => ns > 0 ? time(ns).replace(" ", "") : "0ms";
    [say(w.work), say(w.wait), rate(w.rate, 2), say(w.slo)].forEach((text, i) => {
      document.getElementById(["a-work", "a-wait", "a-rate", "a-slo"][i]).value = text;
    });
    document.getElementById("a-human").checked = w.human;
    return;
  }
  const parts = state.a.split("|");
  if (parts.length !== 5) return;
  ["a-work", "a-wait", "a-rate", "a-slo"].forEach((id, i) => {
    document.getElementById(id).value = parts[i];
  });
  document.getElementById("a-human").checked = parts[4] === "1";
}

section({id: "bar", draw: drawBar, on: ["drag", "slo", "all"]});
