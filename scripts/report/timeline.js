// What a trigger does: goodput, p99, attempts and what an adaptive policy adjusts, slice by slice of one trial.
const TIMELINES = [
  {name: "goodput", title: "goodput (requests/s)", say: v => rate(v), reference: (c, t) => t.rate},
  {name: "p99", title: "p99 of the response", say: v => time(v), reference: c => c.cell.slo, log: true},
  {name: "attempts", title: "attempts (per second)", say: v => rate(v), reference: (c, t) => t.rate},
  {name: "knob", title: "what the policy adjusts", say: v => digits(v), reference: () => null}
];

function timelinePanel({name, title, say, reference, log}, cells) {
  const drawn = cells.filter(c => c.cell.timeline[name].some(v => known(v) && v > 0));
  if (!drawn.length) return null;
  const first = drawn[0].cell.timeline, line = reference(drawn[0], first), traces = [],
        values = drawn.flatMap(c => c.cell.timeline[name]).concat([line]).filter(v => known(v) && v > 0),
        low = Math.min(...values), top = Math.max(...values), logs = log && top > 10 * low,
        end = Math.max(...drawn.map(c => c.cell.timeline[name].length * c.cell.timeline.slice));
  drawn.forEach((c, nth) => {
    const t = c.cell.timeline, s = style(c.id), x = t[name].map((_, i) => (i + 0.5) * t.slice),
          y = t[name].map(v => known(v) && (!logs || v > 0) ? v : null);
    traces.push({
      x,
      y,
      mode: "lines",
      connectgaps: false,
      line: {color: colour(c.id), width: 2, dash: s.dash},
      hoverinfo: "skip",
      meta: "line"
    });
    // A mark now and then, at other slices for each series: dashes alone are hard to tell apart.
    traces.push({
      x,
      y,
      mode: "markers",
      hoverinfo: "text",
      text: y.map((v, i) => `<b>${escape(label(c.id, c.r))}</b><br>${title}: ${say(v)} at ${digits(x[i])} s`),
      meta: "slice",
      customdata: c.id,
      marker: {
        symbol: s.symbol,
        color: colour(c.id),
        size: x.map((_, i) => i % 9 === (2 + 3 * nth) % 9 ? 9 : 3),
        line: {width: 0}
      }
    });
  });
  const from = first.begin, to = Math.min(first.end ?? end, end);
  const shapes = [{
    type: "rect",
    yref: "paper",
    y0: 0,
    y1: 1,
    x0: from,
    x1: to,
    line: {width: 0},
    fillcolor: css("--muted"),
    opacity: 0.25,
    layer: "below"
  }];
  if (known(line) && line > 0)
    shapes.push({
      type: "line",
      xref: "paper",
      x0: 0,
      x1: 1,
      y0: line,
      y1: line,
      line: {color: css("--muted"), width: 1.5, dash: "5px,4px"}
    });
  return {
    id: `timeline-${name}`,
    title: name === "knob" && first.knobName ? first.knobName : title,
    draw: () => draw(
        `timeline-${name}`, traces, {
          shapes,
          xaxis: {...linearAxis(end, "time in the window (s)", v => digits(v), 6), range: [0, end]},
          yaxis: logs ? logAxis(low / 1.5, top * 1.5, "", say, 5) :
                        {...linearAxis(top * 1.12, "", say, 5), range: [-0.03 * top, top * 1.12]},
          margin: {l: 56, r: 18, t: 6, b: 46}
        },
        `${title} over time, ${drawn.map(c => label(c.id, c.r)).join(", ")}`)
  };
}

function drawTimeline() {
  const any = doc.runs.some(run => run.workloads.some(w => w.cells.some(c => c.timeline))),
        host = document.getElementById("timeline"),
        say = text => document.getElementById("timeline-lead").innerHTML = text;
  document.getElementById("s-timeline").hidden = !any;
  if (!any) return;
  const cells = shown().filter(c => c.cell.timeline);
  if (!cells.length) {
    host.innerHTML = "";
    return say("No model is shown, or none has a trial with a trigger here.");
  }
  const t = cells[0].cell.timeline, back = c => c.cell.timeline.recovered;
  const after = cells.filter(c => known(back(c))).sort((a, b) => back(a) - back(b)),
        never = cells.filter(c => !known(back(c)));
  const said = after.map(c => `${named(c.id, c.r)} after ${digits(back(c))} s`);
  say(`<b>${escape(t.trigger[0].toUpperCase() + t.trigger.slice(1))}</b>, ${rate(t.rate)} requests/s offered. ` +
      (said.length ? `Within the SLO again: ${listed(said)}. ` : "") +
      (never.length ? `Not by the end: ${names(never)}.` : ""));
  const jobs = TIMELINES.map(one => timelinePanel(one, cells)).filter(Boolean);
  placeSmall(host, jobs);
  return Promise.all(jobs.map(j => j.draw()));
}

section({id: "timeline", draw: drawTimeline, on: ["size", "all"]});
