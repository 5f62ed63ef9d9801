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

// What the pointer has moved counts, not where it is: a line of text that wraps above the chart must not move the SLO.
function watchLine(line) {
  let from = null;
  const drag = event => {
    const up = (from.y - event.clientY) / from.height * (from.range[1] - from.range[0]);
    const share = (Math.log10(from.slo) + up - from.range[0]) / (from.range[1] - from.range[0]);
    setSlo(10 ** (from.range[0] + Math.min(0.98, Math.max(0.02, share)) * (from.range[1] - from.range[0])), true);
  };
  line.addEventListener("pointerdown", event => {
    const full = document.getElementById("response")._fullLayout;
    line.setPointerCapture(event.pointerId);
    line.focus({preventScroll: true});
    from = {y: event.clientY, slo: slo(), range: full.yaxis.range.slice(), height: full._size.h};
    held = true;
    event.preventDefault();
  });
  line.addEventListener("pointermove", event => {
    if (from) drag(event);
  });
  for (const end of ["pointerup", "pointercancel"])
    line.addEventListener(end, () => {
      if (!from) return;
      from = null;
      held = false;
      changed("slo");
    });
  line.addEventListener("keydown", event => {
    const step = {ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10}[event.key];
    if (!step) return;
    event.preventDefault();
    setSlo(slo() * 1.01 ** (step * (event.shiftKey ? 10 : 1)));
  });
}
