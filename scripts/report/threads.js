// The number of threads of a pool against what it carries and how long it takes.
function drawThreads() {
  const at = pAt(), groups = {}, body = document.getElementById("threads-body"),
        note = document.getElementById("threads-note");
  for (const c of shown()) {
    const n = Number(style(c.id).options.threads),
          rest = Object.entries(style(c.id).options).filter(o => o[0] !== "threads").join();
    if (n > 0) (groups[`${c.r}|${style(c.id).model}|${style(c.id).policy}|${rest}`] ??= []).push({...c, n});
  }
  const many = Object.values(groups).filter(g => new Set(g.map(c => c.n)).size > 1);
  body.hidden = !many.length;
  note.textContent = many.length ?
      "" :
      "Nothing to compare: no model shown has more than one number of threads on this workload. threads = [8, 64, 512] in a suite makes a series of each.";
  if (!many.length) return;
  const sizes = [...new Set(many.flat().map(c => c.n))].sort((a, b) => a - b), traces = [], wide = !narrow(),
        rates = [], times = [];
  const x = {
    type: "log",
    range: [Math.log10(sizes[0] / 1.4), Math.log10(sizes[sizes.length - 1] * 1.4)],
    tickvals: sizes,
    ticktext: sizes.map(String),
    title: {text: "threads in the pool"}
  };
  for (const g of many) {
    g.sort((a, b) => a.n - b.n);
    const hue = colour(g[Math.floor(g.length / 2)].id), base = {mode: "lines+markers", hoverinfo: "text"},
          dark = readable(hue);
    for (const [n, symbol, dash, c] of [["saturation", "square", "solid", dark], ["cliff", "circle", "6px,3px", hue]]) {
      const rows = g.filter(q => q.cell.figures[n]?.value > 0), f = q => q.cell.figures[n];
      rates.push(...rows.map(q => f(q).value));
      traces.push({
        ...base,
        x: rows.map(q => q.n),
        y: rows.map(q => f(q).value),
        line: {color: c, width: 2, dash},
        marker: {size: 9, symbol, color: c},
        name: n,
        text: rows.map(q => `${q.n} threads: ${n} ${perSecond(f(q))}`),
        error_y: {
          type: "data",
          symmetric: false,
          array: rows.map(q => f(q).high > 0 ? f(q).high - f(q).value : 0),
          arrayminus: rows.map(q => f(q).low > 0 ? f(q).value - f(q).low : 0),
          color: faded(c, 0.5),
          thickness: 2,
          width: 0
        }
      });
    }
    for (const [p, symbol, dash, c] of [[percentile(), "square", "solid", dark], [50, "circle", "6px,3px", hue]]) {
      if (p === 50 && percentile() === 50) continue;
      const k = doc.percentiles.indexOf(p),
            rows = g.map(q => {
                      const cliff = q.cell.figures.cliff?.value,
                            near =
                                q.cell.points
                                    .filter(
                                        z => z.stable && known(z.q[k]) && z.rate > 0.3 * cliff && z.rate < 0.75 * cliff)
                                    .sort((a, b) => Math.abs(a.rate / cliff - 0.5) - Math.abs(b.rate / cliff - 0.5))[0];
                      return near && [q.n, near.q[k], near.rate];
                    }).filter(Boolean);
      times.push(...rows.map(q => q[1]));
      traces.push({
        ...base,
        x: rows.map(q => q[0]),
        y: rows.map(q => q[1]),
        xaxis: "x2",
        yaxis: "y2",
        line: {color: c, width: 2, dash},
        marker: {size: 9, symbol, color: c},
        name: pname(p),
        text: rows.map(q => `${q[0]} threads: ${pname(p)} ${time(q[1])} at ${rate(q[2])}/s`)
      });
    }
  }
  // Names stand at the first mark of each line, since the panels share one hue.
  const logY = Math.max(...rates) > 10 * Math.min(...rates);
  const lay = {
    xaxis: {...x, domain: wide ? [0, 0.44] : [0, 1], anchor: "y"},
    xaxis2: {...x, domain: wide ? [0.56, 1] : [0, 1], anchor: "y2"},
    yaxis: {
      ...(logY ? logAxis(Math.min(...rates) / 1.6, Math.max(...rates) * 1.8, "requests/s", v => rate(v)) :
                 linearAxis(Math.max(...rates) * 1.25, "requests/s", v => rate(v))),
      domain: wide ? [0, 1] : [0.58, 1]
    },
    yaxis2: {
      ...(times.length ?
              logAxis(Math.min(...times) / 1.4, Math.max(...times) * 1.4, "response at half load", v => time(v), 6) :
              {range: [0, 1], showticklabels: false}),
      domain: wide ? [0, 1] : [0, 0.4],
      anchor: "x2"
    },
    showlegend: true,
    legend: {orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: {size: 12}, bgcolor: "rgba(0,0,0,0)"},
    margin: {l: 66, r: 16, t: 34, b: 46}
  };
  if (!times.length)
    lay.annotations = [{
      xref: "x2 domain",
      yref: "y2 domain",
      x: 0.5,
      y: 0.5,
      showarrow: false,
      text: "no stable rate near half of the cliff",
      font: {color: css("--muted")}
    }];
  return draw("threads", traces, lay, "pool size against throughput and latency");
}

section({id: "threads", draw: drawThreads, on: ["size", "all"]});
