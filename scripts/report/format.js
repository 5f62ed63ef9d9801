// Numbers and times in words, and back.
const digits = (v, n = 3) => String(Number(Number(v).toPrecision(n)));
const known = v => v !== null && v !== undefined && Number.isFinite(v);

function rate(v, n = 3) {
  if (!known(v)) return "–";
  for (const [limit, unit] of [[1e6, "M"], [1e3, "k"]])
    if (Math.abs(Number(v.toPrecision(n))) >= limit * (unit === "k" ? 10 : 1)) return digits(v / limit, n) + unit;
  return digits(v, Math.max(n, Math.abs(v) >= 1000 ? 4 : n));
}

function time(ns, n = 3) {
  if (!known(ns)) return "–";
  for (const [limit, unit] of [[1e9, "s"], [1e6, "ms"], [1e3, "µs"]])
    if (Math.abs(Number(ns.toPrecision(n))) >= limit) return digits(ns / limit, n) + " " + unit;
  return digits(ns, n) + " ns";
}

const UNITS = {
  ns: 1,
  us: 1e3,
  "µs": 1e3,
  ms: 1e6,
  s: 1e9,
  "": 1e6
};
// "10ms", "250 us", "1.5s"; a bare number is milliseconds. Null where it is no time.
function parseTime(text, zero = false) {
  const m = /^\s*([0-9]*\.?[0-9]+(?:e-?\d+)?)\s*(ns|us|µs|ms|s|)\s*$/i.exec(text);
  if (!m) return null;
  const ns = Number(m[1]) * UNITS[m[2].toLowerCase()];
  return ns > 0 || (zero && ns === 0) ? ns : null;
}
function parseRate(text) {
  const m = /^\s*([0-9]*\.?[0-9]+)\s*([kM]?)\s*(?:\/s)?\s*$/.exec(text);
  return m && Number(m[1]) > 0 ? Number(m[1]) * ({k: 1e3, M: 1e6}[m[2]] || 1) : null;
}

const pname = p => "p" + String(p).replace(".", "");
const percent = (v, n = 2) => known(v) ? digits(100 * v, n) + "%" : "–";
const range = (low, high, say) =>
    known(low) || known(high) ? `[${known(low) ? say(low) : "?"}, ${known(high) ? say(high) : "?"}]` : "";
const escape = text =>
    String(text ?? "")
        .replace(/[&<>"']/g, c => ({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"})[c]);
const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
const listed = words =>
    words.length < 2 ? words.join("") : words.slice(0, -1).join(", ") + " and " + words[words.length - 1];
