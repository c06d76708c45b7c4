"use strict";
// Draws what the page's data block holds. Nothing is computed here but places on the screen.
(() => {
  const page = JSON.parse(document.getElementById("tuner-data").textContent);
  const DASHES = [[], [7, 3], [2, 2], [9, 2, 2, 2]]; // as in page.css
  const SMALL_FONT = "11px system-ui, sans-serif", LABEL_FONT = "600 12px system-ui, sans-serif";
  const charts = [];
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const dollars = (v) => "$" + v.toLocaleString("en-US", { maximumSignificantDigits: 3 });
  const share = (v) => Math.round(v * 100) + "%";
  const DAYS = [1, 2, 3, 7, 14, 28, 91, 182, 364];
  const day = (v) => new Date(v * 1e3).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
  const dash = (n) => DASHES[n % 4];
  const name = (n) => "line-" + (n % 9);

  function onCanvas(u, paint) {
    const ctx = u.ctx, ratio = uPlot.pxRatio;
    ctx.save();
    ctx.scale(ratio, ratio);
    paint(ctx, {
      x: (v) => u.valToPos(v, "x", true) / ratio, y: (v) => u.valToPos(v, "y", true) / ratio,
      left: u.bbox.left / ratio, top: u.bbox.top / ratio,
      right: (u.bbox.left + u.bbox.width) / ratio, bottom: (u.bbox.top + u.bbox.height) / ratio,
    });
    ctx.restore();
  }

  function deployments(u) {
    onCanvas(u, (ctx, at) => {
      ctx.strokeStyle = colour("threshold");
      ctx.setLineDash([3, 3]);
      for (const when of page.deploys) {
        ctx.beginPath(); ctx.moveTo(at.x(when), at.top); ctx.lineTo(at.x(when), at.bottom); ctx.stroke();
      }
      ctx.setLineDash([]);
    });
  }

  // A dot on the upper edge, its words in the first row where they lie on no others.
  function changes(u) {
    onCanvas(u, (ctx, at) => {
      const ends = [];
      ctx.font = LABEL_FONT;
      ctx.textBaseline = "bottom";
      ctx.textAlign = "left";
      for (const [when, line, words] of page.changes) {
        const x = at.x(when), width = ctx.measureText(words).width;
        const start = Math.max(at.left, Math.min(x + 6, at.right - width));
        let row = ends.findIndex((end) => end < start);
        if (row < 0) row = ends.length;
        ends[row] = start + width + 8;
        ctx.fillStyle = ctx.strokeStyle = colour(name(line));
        ctx.beginPath(); ctx.arc(x, at.top, 4, 0, 7); ctx.fill();
        ctx.globalAlpha = 0.5;
        ctx.beginPath(); ctx.moveTo(x, at.top); ctx.lineTo(x, at.bottom); ctx.stroke();
        ctx.globalAlpha = 1;
        ctx.fillText(words, start, at.top - 5 - row * 14);
      }
    });
  }

  // Rows of labels that the changes need, before the chart's own place is settled.
  function room(u) {
    const ends = [], left = 60, right = u.width - 26, days = page.days;
    const span = days[days.length - 1] - days[0] + 86400;
    u.ctx.save();
    u.ctx.font = LABEL_FONT;
    for (const [when, , words] of page.changes) {
      const width = u.ctx.measureText(words).width, x = left + ((when - days[0]) / span) * (right - left);
      const start = Math.max(left, Math.min(x + 6, right - width));
      let row = ends.findIndex((end) => end < start);
      if (row < 0) row = ends.length;
      ends[row] = start + width + 8;
    }
    u.ctx.restore();
    return 14 + 14 * ends.length;
  }

  function axis(extra) {
    return {
      stroke: () => colour("quiet"), font: SMALL_FONT, gap: 4, size: 34,
      grid: { stroke: () => colour("grid"), width: 1 }, ticks: { stroke: () => colour("rule"), width: 1, size: 5 },
      ...extra,
    };
  }

  function build(kind, { data, series, bands, write, range, draw, padding }) {
    const holder = document.querySelector(`[data-chart="${kind}"]`), half = 43200;
    const plot = new uPlot({
      width: holder.clientWidth || 600, height: 300, padding: padding || [10, 26, 0, 0], legend: { show: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "Etc/UTC"),
      scales: { x: { time: true, range: (u, low, high) => [low - half, high + half] }, y: { range } },
      axes: [axis({ space: 62, size: 24, incrs: DAYS.map((n) => n * 86400), values: (u, splits) => splits.map(day) }), axis({ space: 32, size: (u, values) => 20 + 7 * Math.max(...(values || [""]).map((v) => v.length)), values: (u, splits) => splits.map((v) => (v == null ? "" : write(v))) })],
      series: [{}, ...series], bands,
      cursor: { drag: { x: false, y: false }, y: false, points: { show: false } },
      hooks: { drawAxes: [deployments], draw: draw ? [draw] : [] },
    }, data, holder);
    charts.push(plot);
    new ResizeObserver(() => {
      const width = holder.clientWidth;
      if (width && width !== plot.width) plot.setSize({ width, height: plot.height });
    }).observe(holder);
    plot.over.addEventListener("mousemove", () => select(plot.cursor.idx, plot));
    plot.over.addEventListener("click", () => select(plot.cursor.idx, plot));
    return plot;
  }

  function costs() {
    const stacked = [], below = page.days.map(() => 0);
    for (const line of page.lines) stacked.push(line.costs.map((v, n) => (below[n] += v)));
    const count = stacked.length;
    // The uppermost is drawn first, each down to the one below it.
    const series = stacked.map((_, n) => ({ stroke: () => colour(name(count - 1 - n)), width: 1.5, dash: dash(count - 1 - n), points: { show: page.days.length < 3 } }));
    const bands = stacked.slice(1).map((_, n) => ({ series: [n + 1, n + 2], fill: () => colour(name(count - 1 - n)) + "55" }));
    series[count - 1].fill = () => colour(name(0)) + "55";
    build("costs", {
      data: [page.days, ...stacked.reverse()], series, bands, write: dollars, range: (u, low, high) => [0, high * 1.08 || 1],
    });
  }

  function prices() {
    build("prices", {
      data: [page.days, ...page.lines.map((line) => line.prices)], bands: [], write: share, draw: changes, padding: [room, 26, 0, 0],
      series: page.lines.map((_, n) => ({ stroke: () => colour(name(n)), width: 2, dash: dash(n), points: { show: page.days.length < 3 } })),
      range: (u, low, high) => [Math.min(low ?? 1, 1) * 0.95, Math.max(high ?? 1, 1) * 1.05],
    });
  }

  const slider = document.getElementById("spend-day"), readout = document.getElementById("spend-readout");
  let selected = -1;
  function select(index, from) {
    if (index == null || index === selected) return;
    selected = index;
    slider.value = index;
    readout.textContent = "";
    page.readouts[index].forEach((words, n) => {
      const child = document.createElement(n ? "span" : "b");
      child.textContent = words;
      if (n) readout.append(" ");
      readout.append(child);
    });
    slider.setAttribute("aria-valuetext", readout.textContent);
    for (const plot of charts) if (plot !== from) plot.setCursor({ left: plot.valToPos(page.days[index], "x"), top: 0 }, false);
  }

  if (slider) {
    costs();
    prices();
    slider.max = page.days.length - 1;
    slider.addEventListener("input", () => select(+slider.value, null));
  }
  const repaint = () => charts.forEach((plot) => plot.redraw(false, true));
  for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", repaint);
  queueMicrotask(() => {
    if (slider) select(page.days.length - 1, null);
    document.documentElement.dataset.ready = "true";
    performance.mark("tuner-ready");
  });
})();
