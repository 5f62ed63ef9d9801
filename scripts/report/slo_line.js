// The line that the reader drags lies over the chart, so that touch, keyboard and screen readers know it as a slider.
function placeLine() {
  const box = document.getElementById("response"), full = box._fullLayout;
  let line = document.getElementById("slo-line");
  if (!line) {
    line = document.createElement("div");
    line.id = "slo-line";
    line.tabIndex = 0;
    line.setAttribute("role", "slider");
    line.setAttribute("aria-label", "SLO");
    line.setAttribute("aria-orientation", "vertical");
    line.innerHTML = "<span></span><i></i>";
    box.parentElement.appendChild(line);
    watchLine(line);
  }
  line.hidden = !responseAxis || !full?.yaxis;
  line.style.display = line.hidden ? "none" : "";
  if (line.hidden) return;
  const [a, b] = full.yaxis.range, share = (Math.log10(slo()) - a) / (b - a);
  const seen = share >= 0 && share <= 1;
  line.style.display = seen ? "" : "none";
  line.style.left = full._size.l + "px";
  line.style.width = full._size.w + "px";
  line.style.top = full._size.t + (1 - share) * full._size.h + "px";
  line.firstChild.textContent = `SLO ${pname(percentile())} ≤ ${time(slo())}`;
  line.setAttribute("aria-valuenow", Math.round(slo() / 1e3));
  line.setAttribute("aria-valuemin", Math.round(10 ** a / 1e3));
  line.setAttribute("aria-valuemax", Math.round(10 ** b / 1e3));
  line.setAttribute("aria-valuetext", time(slo()));
}

function watchLine(line) {
  let range = null;
  const to = event => {
    const full = document.getElementById("response")._fullLayout,
          top = document.getElementById("response").getBoundingClientRect().top;
    const share = 1 - (event.clientY - top - full._size.t) / full._size.h;
    setSlo(10 ** (range[0] + Math.min(0.98, Math.max(0.02, share)) * (range[1] - range[0])), true);
  };
  line.addEventListener("pointerdown", event => {
    line.setPointerCapture(event.pointerId);
    line.focus();
    range = document.getElementById("response")._fullLayout.yaxis.range.slice();
    held = true;
    event.preventDefault();
  });
  line.addEventListener("pointermove", event => {
    if (range) to(event);
  });
  for (const end of ["pointerup", "pointercancel"])
    line.addEventListener(end, () => {
      if (range) {
        range = null;
        held = false;
        changed("slo");
      }
    });
  line.addEventListener("keydown", event => {
    const step = {ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10}[event.key];
    if (!step) return;
    event.preventDefault();
    setSlo(slo() * 1.01 ** (step * (event.shiftKey ? 10 : 1)));
  });
}
