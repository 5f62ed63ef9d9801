// What the reader chose. It lives in the address, after the #, so that a link shows what its sender saw.
let doc = null;
const state = {
  w: 0,
  p: null,
  slo: {},
  x: "abs",
  off: new Set(),
  run: new Set(),
  load: 50,
  hs: null,
  hr: null,
  theme: "system",
  sc: "",
  a: null
};

const workloads = () => {
  const seen = new Map();
  doc.runs.forEach(run => run.workloads.forEach(w => seen.has(w.text) || seen.set(w.text, w)));
  return [...seen.values()];
};
const current = () => workloads()[state.w];
const ownSlo = w => {
  const c = w.cells.find(c => c.slo > 0 && c.points.length) || w.cells.find(c => c.slo > 0);
  return c ? c.slo : 1e7;
};
const ownPercentile = w => (w.cells.find(c => c.percentile) || {percentile: 99}).percentile;
const percentile = () =>
    state.p ?? (doc.percentiles.includes(ownPercentile(current())) ? ownPercentile(current()) : 99);
const pAt = () => doc.percentiles.indexOf(percentile());
const slo = () => state.slo[current().text] ?? ownSlo(current());

function writeHash() {
  const q = new URLSearchParams();
  if (state.w) q.set("w", current().text);
  if (state.p !== null) q.set("p", state.p);
  for (const [text, ns] of Object.entries(state.slo)) q.append("slo", `${text}=${Number(ns.toPrecision(5))}`);
  if (state.x !== "abs") q.set("x", state.x);
  for (const id of state.off) q.append("off", id);
  for (const r of state.run) q.append("run-off", r);
  if (state.load !== 50) q.set("load", state.load);
  if (state.hs) q.set("hs", state.hs);
  if (state.hr !== null) q.set("hr", state.hr);
  if (state.theme !== "system") q.set("theme", state.theme);
  if (state.sc) q.set("sc", state.sc);
  if (state.a) q.set("a", state.a);
  const text = q.toString();
  if (text !== location.hash.slice(1))
    history.replaceState(null, "", text ? "#" + text : location.pathname + location.search);
}

function readHash() {
  const q = new URLSearchParams(location.hash.slice(1)),
        number = name => q.has(name) && Number.isFinite(Number(q.get(name))) ? Number(q.get(name)) : null;
  state.w = Math.max(0, workloads().findIndex(w => w.text === q.get("w")));
  state.p = doc.percentiles.includes(number("p")) ? number("p") : null;
  state.slo = {};
  for (const one of q.getAll("slo")) {
    const cut = one.lastIndexOf("="), ns = Number(one.slice(cut + 1));
    if (cut > 0 && ns > 0 && Number.isFinite(ns)) state.slo[one.slice(0, cut)] = ns;
  }
  state.x = q.get("x") === "share" ? "share" : "abs";
  state.off = new Set(q.getAll("off").filter(id => doc.series.some(s => s.id === id)));
  state.run = new Set(q.getAll("run-off").map(Number).filter(r => r >= 0 && r < doc.runs.length));
  state.load = Math.min(120, Math.max(5, number("load") ?? 50));
  state.hs = q.get("hs");
  state.hr = number("hr");
  state.theme = ["light", "dark"].includes(q.get("theme")) ? q.get("theme") : "system";
  state.sc = SCENARIOS.some(s => s.id === q.get("sc")) ? q.get("sc") : "";
  state.a = q.get("a");
}

const isDark = () =>
    state.theme === "dark" || (state.theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
const style = id => doc.series.find(s => s.id === id);
const label = (id, r) => style(id).label + (doc.runs.length > 1 && r !== undefined ? ` (run ${r + 1})` : "");

// The colour of a series on this background: its own, made lighter or darker only where it would not be seen.
function colour(id) {
  const hex = style(id).colour.slice(1).match(/../g).map(h => parseInt(h, 16) / 255);
  const light = c => {
    const l = c.map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * l[0] + 0.7152 * l[1] + 0.0722 * l[2];
  };
  const ground = printing || !isDark() ? 1 : 0.0085,
        contrast = l => (Math.max(l, ground) + 0.05) / (Math.min(l, ground) + 0.05);
  let c = hex;
  for (let k = 0; k < 10 && contrast(light(c)) < 2.2; ++k) c = c.map(v => ground < 0.5 ? v + (1 - v) * 0.12 : v * 0.9);
  return "#" + c.map(v => Math.round(255 * v).toString(16).padStart(2, "0")).join("");
}
let printing = false;
const faded = (hex, alpha) => `rgba(${hex.slice(1).match(/../g).map(h => parseInt(h, 16)).join(",")},${alpha})`;

// The cells drawn: [{run, r, cell}] of the current workload, in the order of the legend.
function shown(w = current()) {
  return doc.series.filter(s => !state.off.has(s.id)).flatMap(s => doc.runs.flatMap((run, r) => {
    if (state.run.has(r)) return [];
    const cell = run.workloads.find(x => x.text === w.text)?.cells.find(c => c.series === s.id);
    return cell && cell.points.length ? [{run, r, cell, id: s.id}] : [];
  }));
}
