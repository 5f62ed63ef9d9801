// What all charts share: axes, line ends with names, curves with bands, and plotly's settings.
const RUN_DASH = [null, "3px,4px", "9px,4px,2px,4px", "1px,3px"];
const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const narrow = () => !printing && innerWidth < 600;
// A finger on a chart scrolls the page; a mouse zooms into the chart.
const touched = () => narrow() || matchMedia("(pointer: coarse)").matches;
const logTicks = (low, high, say, most = 7) => {
  const found = [], decades = Math.log10(high / low);
  const steps = decades < 0.8 ? [1, 1.5, 2, 3, 4, 5, 6, 8] :
      decades < 1.5           ? [1, 2, 3, 5, 7] :
      decades < 3             ? [1, 2, 5] :
                                [1];
  for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); ++e)
    for (const s of steps)
      if (s * 10 ** e >= low * 0.999 && s * 10 ** e <= high * 1.001) found.push(s * 10 ** e);
  const every = Math.ceil(found.length / most), kept = found.filter((_, i) => i % every === 0);
  return {tickvals: kept, ticktext: kept.map(say)};
};
const linearTicks = (high, say, most = 7) => {
  const raw = high / most, base = 10 ** Math.floor(Math.log10(raw)),
        step = [1, 2, 2.5, 5, 10].find(s => s * base >= raw) * base, found = [];
  for (let v = 0; v <= high * 1.0001; v += step) found.push(v);
  return {tickvals: found, ticktext: found.map(say)};
};
const logAxis = (low, high, title, say, most) => (
    {type: "log", range: [Math.log10(low), Math.log10(high)], title: {text: title}, ...logTicks(low, high, say, most)});
const linearAxis = (high, title, say, most) =>
    ({type: "linear", range: [0, high], title: {text: title}, ...linearTicks(high, say, most)});

function layout(extra) {
  const ink = css("--ink"), grid = css("--line");
  const base = {
    gridcolor: grid,
    linecolor: grid,
    zeroline: false,
    tickfont: {size: 12},
    title: {font: {size: 13}},
    fixedrange: false,
    automargin: true
  };
  const out = {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: {family: "DejaVu Sans, system-ui, sans-serif", size: 13, color: ink},
    showlegend: false,
    margin: {l: 62, r: 16, t: 10, b: 46},
    hovermode: "closest",
    dragmode: touched() ? false : "zoom",
    hoverlabel: {font: {size: 13}},
    ...extra
  };
  for (const key of Object.keys(out).filter(k => /^[xy]axis/.test(k)))
    out[key] = {...base, ...out[key], title: {font: {size: 13}, standoff: 8, ...(out[key].title || {})}};
  return out;
}
const config = {
  displaylogo: false,
  responsive: false,
  displayModeBar: false,
  doubleClick: "reset",
  scrollZoom: false
};

// Drawings that wait, by element: those of charts far from the screen, which take most of a page's time and are not seen.
// Each is drawn when its chart comes near, or when the browser is idle; the next change replaces what still waits.
const waiting = new Map();
const isNear = box => {
  const at = box.getBoundingClientRect();
  return at.height > 0 && at.bottom > -innerHeight && at.top < 2 * innerHeight;
};
// One that fails is said to, and holds up no other.
const drawLater = box => Promise.resolve(box).then(drawNow).catch(cannotBeDrawn);
const arrivals = new IntersectionObserver(
    entries => entries.filter(e => e.isIntersecting).forEach(e => drawLater(e.target)), {rootMargin: "100% 0%"});
function drawNow(box) {
  const drawing = waiting.get(box);
  waiting.delete(box);
  arrivals.unobserve(box);
  box.removeAttribute("aria-busy");
  return drawing?.();
}

let idle = false;
const whenIdle = act => (window.requestIdleCallback ?? setTimeout)(act);  // Safari has none
function drawWhenIdle() {
  if (idle) return;
  idle = true;
  whenIdle(() => {
    idle = false;
    for (const box of [...waiting.keys()].filter(box => !box.isConnected)) {
      waiting.delete(box);
      arrivals.unobserve(box);
    }
    const next = [...waiting.keys()].find(box => box.clientHeight > 0);
    if (!next) return;  // what is hidden is drawn when it comes to be seen
    drawLater(next).finally(drawWhenIdle);
  });
}

// Draws into an element by id, and then calls `done`; returns a promise of that, which a chart far from the screen does
// not hold up. A chart without data says why instead.
function draw(id, traces, wanted, says, done = () => {}) {
  const box = document.getElementById(id);
  box.setAttribute("role", "img");
  box.setAttribute("aria-label", says);
  waiting.set(box, () => {
    const size = {width: box.clientWidth, height: box.clientHeight};
    return Plotly.react(box, traces, layout({...wanted, ...size}), config).then(done);
  });
  if (printing || isNear(box)) return drawNow(box);
  box.setAttribute("aria-busy", "true");
  arrivals.observe(box);
  drawWhenIdle();
  return Promise.resolve();
}

// Places for small charts, each with its title. Those that are there stay, with what is drawn in them until it is drawn
// again.
function placeSmall(host, jobs) {
  const there = [...host.querySelectorAll("figure")].map(
      one => one.querySelector(".plot").id + one.querySelector("h3").textContent);
  if (there.join() === jobs.map(j => j.id + j.title).join()) return;
  host.innerHTML =
      jobs.map(j => `<figure><h3>${escape(j.title)}</h3><div class="plot" id="${j.id}"></div></figure>`).join("");
}

// Does one linear axis show all models, or do their saturations lie more than `times` apart?
function spreads(cells, times = 10) {
  const tops = cells.map(c => c.cell.figures.saturation?.value).filter(v => v > 0);
  return tops.length > 1 && Math.max(...tops) > times * Math.min(...tops);
}

// The load of a point on the x axis that the reader chose; null where a cell has no saturation to take a share of.
const xOf = (cell, load) => state.x === "abs" ? load :
    cell.figures.saturation?.value > 0        ? load / cell.figures.saturation.value :
                                                null;

function xAxis(cells, loads, title = true) {
  const all = loads.filter(v => v > 0), top = Math.max(...all, 1e-9), most = narrow() ? 4 : 8;
  if (state.x === "share")
    return linearAxis(
        Math.min(top * 1.05, 2.2), title ? "offered load, as a share of the model's own saturation" : "",
        v => digits(100 * v) + "%", most);
  if (spreads(cells))
    return logAxis(Math.min(...all) / 1.2, top * 1.25, title ? "offered load (requests/s)" : "", v => rate(v), most);
  return linearAxis(top * 1.05, title ? "offered load (requests/s)" : "", v => rate(v), most);
}

// Lines, bands and marks of one cell: `y`, `low`, `high` take a point. `edge`: what lies above is a triangle there.
// `along`: where the line goes, if not through the dots.
function curveTraces({cell, id, r}, y, low, high, say, edge = Infinity, along = y) {
  const c = colour(id), s = style(id), dash = doc.runs.length > 1 ? RUN_DASH[r] || s.dash : s.dash, name = label(id, r),
        out = [];
  const rows = cell.points.map(p => ({p, x: xOf(cell, p.rate), v: y(p)})).filter(q => known(q.x) && known(q.v));
  const good = rows.filter(q => q.p.stable), past = rows.filter(q => !q.p.stable), cap = v => Math.min(v, edge);
  const text = q => `<b>${escape(name)}</b><br>${rate(q.p.rate, 4)}/s offered, ${plural(q.p.requests, "request")}<br>${
      say(q.p)}${q.p.stable ? "" : "<br>past saturation: the backlog grows"}`;
  if (good.length > 1 && good.some(q => q.p.blocks.length > 1))
    out.push({
      x: [...good.map(q => q.x), ...good.map(q => q.x).reverse()],
      y: [...good.map(q => cap(low(q.p))), ...good.map(q => cap(high(q.p))).reverse()],
      fill: "toself",
      fillcolor: faded(c, 0.16),
      line: {width: 0},
      mode: "lines",
      hoverinfo: "skip",
      meta: "band"
    });
  const line = good.map(q => along(q.p));
  out.push({
    x: good.map(q => q.x),
    y: line.map(cap),
    mode: "lines",
    line: {color: c, width: 2, dash: dash || "solid"},
    hoverinfo: "skip",
    meta: "line"
  });
  out.push({
    x: good.map(q => q.x),
    y: good.map(q => cap(q.v)),
    mode: "markers",
    marker: {
      color: c,
      size: 8,
      symbol: good.map(q => q.v > edge ? "triangle-up-open" : s.symbol),
      line: {width: 1, color: css("--paper")}
    },
    text: good.map(text),
    hoverinfo: "text",
    name,
    meta: "curve",
    customdata: id
  });
  if (past.length) {
    const bridge = good.map((q, i) => ({...q, v: line[i]}))
                       .filter(q => q.p.rate < past[0].p.rate)
                       .slice(-1)
                       .concat(past.slice(0, past.findIndex(q => q.v > edge) + 1 || undefined));
    out.push({
      x: bridge.map(q => q.x),
      y: bridge.map(q => cap(q.v)),
      mode: "lines",
      line: {color: c, width: 1.3, dash: "1px,4px"},
      hoverinfo: "skip",
      meta: "bridge"
    });
    out.push({
      x: past.map(q => q.x),
      y: past.map(q => cap(q.v)),
      mode: "markers",
      text: past.map(text),
      hoverinfo: "text",
      meta: "past",
      customdata: id,
      cliponaxis: false,
      marker: {
        color: c,
        size: 8,
        symbol: past.map(q => q.v > edge ? "triangle-up-open" : s.symbol + "-open"),
        line: {width: 1.6, color: c}
      }
    });
  }
  return out;
}

// A long name in lines of at most 28 characters, broken between its options; a longer option is cut in its middle.
function wrapped(name, most = 28) {
  const lines = [""];
  // A policy stays with its bar: a space that does not break.
  for (const part of name.replace(" | ", " |\u00a0").split(/(?<=,) |(?<=,)(?![^(]*\))| (?![^(]*\))/)) {
    const last = lines[lines.length - 1];
    if (last && last.length + part.length >= most)
      lines.push(part);
    else
      lines[lines.length - 1] = last ? `${last} ${part}` : part;
  }
  return lines.map(
      line =>
          line.length > most ? line.slice(0, Math.ceil(most / 2)) + "…" + line.slice(1 - Math.floor(most / 2)) : line);
}

// Names at line ends, in a column at the right, none over another; where all find no room, as many as do, spread over
// the height. `ends`: {share: height 0..1, id, r}, with a `text` where it is not the series' label.
function endLabels(ends, height) {
  if (narrow()) return [];
  const said = e => wrapped(e.text ?? label(e.id, e.r)), tallOf = e => (2 + 15 * said(e).length) / height;
  let sorted = ends.filter(e => known(e.share)).sort((a, b) => a.share - b.share);
  const room = sorted.reduce((sum, e) => sum + tallOf(e), 0);
  if (room > 1) {
    const kept = Math.max(2, Math.floor(sorted.length / room)), step = (sorted.length - 1) / (kept - 1);
    sorted = sorted.filter((_, i) => Math.round(Math.round(i / step) * step) === i);
  }
  const tall = sorted.map(tallOf);
  const gap = i => ((tall[i] ?? 0) + (tall[i + 1] ?? 0)) / 2, at = [];
  sorted.forEach((e, i) => at.push(Math.max(e.share, i ? at[i - 1] + gap(i - 1) : 0)));
  for (let i = at.length - 1, ceiling = 1; i >= 0; --i) {
    at[i] = Math.min(at[i], ceiling);
    ceiling = at[i] - gap(i - 1);
  }
  return sorted.map((e, i) => ({
                      xref: "paper",
                      yref: "paper",
                      x: 1,
                      xanchor: "left",
                      xshift: 8,
                      y: at[i],
                      yanchor: "middle",
                      showarrow: false,
                      text: said(e).map(escape).join("<br>"),
                      align: "left",
                      font: {size: 12, color: readable(colour(e.id))}
                    }));
}
const labelRoom = cells => {
  const longest = Math.max(6, ...cells.flatMap(c => wrapped(c.text ?? label(c.id, c.r)).map(line => line.length)));
  return narrow() ? 14 : Math.min(270, 22 + 7.4 * longest);
};

// Text in a colour needs more contrast than a line does.
function readable(hex) {
  const parts = hex.slice(1).match(/../g).map(h => parseInt(h, 16)), dark = isDark() && !printing;
  const lum = c => {
    const l = c.map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * l[0] + 0.7152 * l[1] + 0.0722 * l[2];
  };
  let c = parts;
  for (let k = 0; k < 14 && (dark ? lum(c) < 0.2 : lum(c) > 0.183); ++k)
    c = c.map(v => dark ? v + (255 - v) * 0.1 : v * 0.93);
  return "#" + c.map(v => Math.round(v).toString(16).padStart(2, "0")).join("");
}

// A series' mark, and in reports of policies its dash, which says the policy.
const swatch = id => {
  const c = colour(id), shapes = {
    square: "M2 3h9v9H2z",
    circle: "M6.5 2.5a5 5 0 1 0 .01 0z",
    diamond: "M6.5 1.5 12 7.5 6.5 13.5 1 7.5z",
    "triangle-up": "M6.5 2 12 12H1z",
    "triangle-down": "M1 3h11L6.5 13z",
    "triangle-left": "M1 7.5 11 2v11z",
    "triangle-right": "M12 7.5 2 2v11z",
    "diamond-tall": "M6.5 1.5 10 7.5 6.5 13.5 3 7.5z",
    pentagon: "M6.5 2 12 6.2 9.9 12.5H3.1L1 6.2z",
    hexagon: "M6.5 2 11.3 4.7v5.6L6.5 13 1.7 10.3V4.7z",
    cross: "M5 2h3v4h4v3H8v4H5V9H1V6h4z",
    x: "M3.5 2 6.5 5 9.5 2 12 4.5 9 7.5 12 10.5 9.5 13 6.5 10 3.5 13 1 10.5 4 7.5 1 4.5z",
    star: "M6.5 1 8 5.5h4.8L9 8.3l1.4 4.6-3.9-2.8-3.9 2.8L4 8.3.2 5.5H5z"
  };
  const dashed = doc.series.some(s => s.policy), wide = dashed ? 41 : 13,
        line = dashed ? `<path stroke="${c}" stroke-width="2" ${
                            style(id).dash === "solid" ?
                                "" :
                                `stroke-dasharray="${style(id).dash.replace(/px/g, "")}"`} d="M0 7.5h41"/>` :
                                "";
  return `<svg width="${wide}" height="15" aria-hidden="true">${line}<path fill="${c}"${
      dashed ? ' transform="translate(14)"' : ""} d="${shapes[style(id).symbol] || shapes.circle}"/></svg>`;
};

// What stands in a chart that has nothing to draw.
const nothing = (text = "no model is shown, or none has a valid trial here") =>
    ({xref: "paper", yref: "paper", x: 0.5, y: 0.5, showarrow: false, text, font: {size: 14, color: css("--muted")}});
