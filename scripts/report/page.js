// Starts the page: unpacks the data and plotly, draws everything, and draws again what a change touches.

const DRAWS = {
  bar: drawBar,
  verdict: drawVerdict,
  response: drawResponse,
  capacity: drawCapacity,
  goodput: drawGoodput,
  intervals: drawIntervals,
  advice: drawAdvice,
  map: drawMap,
  spectrum: drawSpectrum,
  heat: drawHeat,
  threads: drawThreads,
  why: drawWhy,
  changed: drawChanged,
  environment: drawEnvironment,
  method: drawMethod,
  invalid: drawInvalid,
};
const TOUCHES = {
  drag: ["bar", "response", "capacity"],
  slo: ["bar", "verdict", "response", "capacity"],
  load: ["spectrum"],
  heat: ["heat"],
  advice: ["advice"],
  size: ["response", "goodput", "intervals", "spectrum", "heat", "threads", "why"],
  all: [
    "bar", "verdict", "response", "capacity", "goodput", "intervals", "advice", "map", "spectrum", "heat", "threads",
    "why", "changed"
  ],
};

let asked = new Set(), due = 0;
// Asks for a drawing at the next frame; many changes within one frame cost one drawing.
function changed(what) {
  TOUCHES[what].forEach(name => asked.add(name));
  writeHash();
  if (!due) due = requestAnimationFrame(redraw);
}
function redraw() {
  cancelAnimationFrame(due);
  due = 0;
  const now = asked;
  asked = new Set();
  document.documentElement.dataset.theme = printing ? "light" : isDark() ? "dark" : "light";
  const jobs = Object.keys(DRAWS).filter(name => now.has(name)).map(name => DRAWS[name]());
  return Promise.all(jobs).then(() => {
    document.documentElement.dataset.drawn = Number(document.documentElement.dataset.drawn || 0) + 1;
  });
}

async function unpack(id) {
  const bytes = Uint8Array.from(atob(document.getElementById(id).textContent.trim()), c => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

// On paper: light, and charts as wide as the page. Chromium and Firefox lay a page out before they ask for this.
function onPaper(begins) {
  printing = begins;
  document.querySelectorAll("details").forEach(d => {
    if (begins) {
      d.dataset.was = d.open ? "1" : "";
    } else if (d.dataset.was !== undefined) {
      d.open = d.dataset.was === "1";
    }
  });
  document.documentElement.classList.toggle("paper", begins);
  TOUCHES.all.forEach(name => asked.add(name));
  redraw();
}

async function start() {
  if (typeof DecompressionStream === "undefined")
    throw new Error("this browser cannot unpack the page's data; Chromium 80, Firefox 113, Safari 16.4 and later can");
  doc = JSON.parse(await unpack("data"));
  const code = document.createElement("script");
  code.textContent = await unpack("plotly");
  document.head.appendChild(code);
  document.getElementById("title").innerHTML = doc.runs.map(run => escape(run.name)).join("<br>");
  document.getElementById("subtitle").textContent =
      doc.runs
          .map(
              run => [run.started && `${run.started.replace("T", " ").replace("Z", " UTC")}`,
                      plural(run.blocks ?? 0, "block"), `${plural(run.workloads.length, "workload")}`]
                         .filter(Boolean)
                         .join(", "))
          .join(" · ");
  readHash();
  fillAdvice();
  document.querySelector("main").hidden = false;
  Object.keys(DRAWS).forEach(name => asked.add(name));
  await redraw();
  watchControls();
  addEventListener("hashchange", () => {
    readHash();
    fillAdvice();
    TOUCHES.all.forEach(name => asked.add(name));
    redraw();
  });
  let wide = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth !== wide && !printing) {
      wide = innerWidth;
      changed("size");
    }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => changed("all"));
  addEventListener("beforeprint", () => onPaper(true));
  addEventListener("afterprint", () => onPaper(false));
  document.documentElement.dataset.ready = "1";
}
start().catch(error => {
  const box = document.getElementById("trouble");
  box.hidden = false;
  box.textContent = `The report cannot be drawn: ${error.message}`;
  throw error;
});
