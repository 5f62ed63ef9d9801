// Starts the page: unpacks the data and plotly, draws everything, and draws again what a change touches.

// What is drawn, each registered by its own file: {id, draw, on}. `id` is an element of page.html, whose order is that of
// drawing; `on` are the changes that touch it: drag, slo, load, heat, advice, size, all. The start draws everything.
const sections = [];
function section(one) {
  sections.push({...one, element: document.getElementById(one.id)});
}

let asked = new Set(), due = 0;
const ask = what => sections.filter(one => one.on.includes(what)).forEach(one => asked.add(one));
// Asks for a drawing at the next frame; many changes within one frame cost one drawing.
function changed(what) {
  ask(what);
  writeHash();
  if (!due) due = requestAnimationFrame(redraw);
}
function redraw() {
  cancelAnimationFrame(due);
  due = 0;
  const now = asked;
  asked = new Set();
  document.documentElement.dataset.theme = printing ? "light" : isDark() ? "dark" : "light";
  return Promise.all(sections.filter(one => now.has(one)).map(one => one.draw())).then(() => {
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
  ask("all");
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
  sections.sort((a, b) => a.element.compareDocumentPosition(b.element) & Node.DOCUMENT_POSITION_PRECEDING ? 1 : -1);
  asked = new Set(sections);
  await redraw();
  watchControls();
  addEventListener("hashchange", () => {
    readHash();
    fillAdvice();
    ask("all");
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
function cannotBeDrawn(error) {
  const box = document.getElementById("trouble");
  box.hidden = false;
  box.textContent = `The report cannot be drawn: ${error.message}`;
  throw error;
}
// After the other files, whose sections are registered by then.
addEventListener("DOMContentLoaded", () => start().catch(cannotBeDrawn));
