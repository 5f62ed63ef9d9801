// The curve behind the answer: the response of what is advised against load, beside the same model without its policy
// and a few others, with the reader's rate and bound. Times and rates are the reader's, as the answer has them.
const MOST_CURVES = 5;

// The answer first, then the same model without a policy, those alike, and whatever else carries the rate.
function behind({best, same, able, each}) {
  const first = best ?? each.slice().sort((a, b) => (b.capacity.value ?? 0) - (a.capacity.value ?? 0))[0],
        bare = each.find(c => c.id === bareOf(first.id) && c.r === first.r);
  return [...new Set([first, bare, ...same, ...able, ...each].filter(Boolean))].slice(0, MOST_CURVES);
}

function drawAdviceCurve(a) {
  const figure = document.getElementById("advice-figure");
  figure.hidden = !a;
  if (!a) return;
  const {near, wish, p} = a, at = doc.percentiles.indexOf(p), scale = near.scale, cells = behind(a), lead = cells[0];
  // Of one model the policies alone tell curves apart.
  const alike =
      cells.every(c => bareOf(c.id) === bareOf(lead.id) && c.r === lead.r) && cells.some(c => style(c.id).policy);
  const curves =
      cells
          .map(c => ({
                 ...c,
                 ...(alike ? {text: style(c.id).policy || "no policy"} : {}),
                 points: c.cell.points.filter(q => known(q.q[at])).map(q => ({
                                                                         x: q.rate / scale,
                                                                         y: q.q[at] * scale,
                                                                         line: (q.line[at] ?? q.q[at]) * scale,
                                                                         stable: q.stable
                                                                       }))
               }))
          .filter(c => c.points.length);
  if (!curves.length) {
    figure.hidden = true;
    return;
  }
  const xs = curves.flatMap(c => c.points.map(q => q.x)).concat([wish.rate]),
        carried = curves.flatMap(c => c.points.filter(q => q.stable).map(q => q.y)),
        low = Math.min(wish.slo, ...curves.flatMap(c => c.points.map(q => q.y))) / 1.4,
        high = Math.max(3 * wish.slo, 1.6 * Math.max(wish.slo, ...carried)), edge = high / (high / low) ** 0.04;
  const title = `offered load (your requests/s)`, top = Math.max(...xs), spread = top > 20 * Math.min(...xs),
        x = spread ? logAxis(Math.min(...xs) / 1.3, top * 1.2, title, v => rate(v), narrow() ? 4 : 8) :
                     linearAxis(top * 1.05, title, v => rate(v), narrow() ? 4 : 8);
  const traces = [], ends = [];
  for (const c of curves) {
    const main = c.id === lead.id && c.r === lead.r, hue = colour(c.id), s = style(c.id),
          good = c.points.filter(q => q.stable), past = c.points.filter(q => !q.stable);
    const say = q => `<b>${escape(label(c.id, c.r))}</b><br>${pname(p)} ${time(q.y)} at ${rate(q.x)}/s`;
    traces.push({
      x: good.map(q => q.x),
      y: good.map(q => Math.min(q.line, edge)),
      mode: "lines",
      line: {color: hue, width: main ? 3.5 : 1.6, dash: s.dash},
      hoverinfo: "skip",
      meta: "line"
    });
    traces.push({
      x: good.map(q => q.x),
      y: good.map(q => Math.min(q.y, edge)),
      mode: "markers",
      text: good.map(say),
      hoverinfo: "text",
      meta: main ? "lead" : "other",
      customdata: c.id,
      marker: {symbol: s.symbol, size: main ? 10 : 7, color: hue, line: {width: 1, color: css("--paper")}}
    });
    traces.push({
      x: past.map(q => q.x),
      y: past.map(q => Math.min(q.y, edge)),
      mode: "markers",
      text: past.map(say),
      hoverinfo: "text",
      meta: "past",
      customdata: c.id,
      cliponaxis: false,
      marker: {symbol: s.symbol + "-open", size: 7, color: hue, line: {width: 1.5, color: hue}}
    });
    if (c.capacity?.reached === "ok")
      traces.push({
        x: [c.capacity.value],
        y: [wish.slo],
        mode: "markers",
        text: [`<b>${escape(label(c.id, c.r))}</b><br>carries ${perSecond(c.capacity)}`],
        hoverinfo: "text",
        meta: "cliff",
        customdata: c.id,
        marker: {symbol: s.symbol, size: 14, color: hue, line: {width: 1.5, color: css("--paper")}}
      });
    const last = good[good.length - 1];
    if (last)
      ends.push(
          {id: c.id, r: c.r, text: c.text, share: Math.log(Math.min(last.line, edge) / low) / Math.log(high / low)});
  }
  const line = {color: css("--ink"), width: 1.5, dash: "6px,4px"}, box = document.getElementById("advice-curve");
  document.getElementById("advice-title").textContent = "The curve behind it";
  document.getElementById("advice-caption").innerHTML =
      `${narrow() ? names(curves) + ". " : ""}Thick: ${
          named(lead.id, lead.r)}. Large mark: what meets the bound. Hollow: past ` +
      `saturation. From ${basisOf(near)}${Math.abs(scale - 1) < 0.02 ? "" : `, its times scaled by ${digits(scale)}`}.`;
  return draw(
      "advice-curve", traces, {
        margin: {l: 66, r: labelRoom(curves), t: 14, b: 48},
        xaxis: x,
        yaxis: logAxis(low, high, `${pname(p)} response`, v => time(v), 8),
        shapes: [
          {type: "line", xref: "paper", x0: 0, x1: 1, y0: wish.slo, y1: wish.slo, line},
          {type: "line", yref: "paper", y0: 0, y1: 1, x0: wish.rate, x1: wish.rate, line}
        ],
        annotations: [
          ...endLabels(ends, box.clientHeight - 62), {
            xref: "paper",
            x: 0,
            xanchor: "left",
            y: Math.log10(wish.slo),
            yanchor: "bottom",
            showarrow: false,
            text: `<b>${pname(p)} ≤ ${time(wish.slo)}</b>`,
            bgcolor: css("--card"),
            font: {size: 12}
          },
          {
            x: x.type === "log" ? Math.log10(wish.rate) : wish.rate,
            yref: "paper",
            y: 0,
            yanchor: "bottom",
            xanchor: "left",
            showarrow: false,
            text: "<b>your rate</b>",
            bgcolor: css("--card"),
            font: {size: 12}
          }
        ]
      },
      `${pname(p)} response against load, ${curves.map(c => label(c.id, c.r)).join(", ")}`);
}
