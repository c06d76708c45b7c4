"use strict";
// Draws what the page's data block holds. Nothing is computed here but places on the screen.
(() => {
  const page = JSON.parse(document.getElementById("tuner-data").textContent);
  const charts = []; // {plot, repaint}
  const POWERS = [128, 256, 512, 1024, 2048, 4096, 8192];
  const LOG_FROM_RATIO = 8; // as in the figures
  const DASHES = [[], [7, 3], [2, 2], [9, 2, 2, 2]]; // as in page.css
  const LABEL_FONT = "600 12px system-ui, sans-serif";
  const SMALL_FONT = "11px system-ui, sans-serif";

  // uPlot lays a chart out in a microtask of its own, queued when the chart is made.
  const afterLayout = (task) => queueMicrotask(task);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  const dollars = (v) => "$" + v.toLocaleString("en-US", { maximumFractionDigits: v < 10 ? 2 : 0 });
  const milliseconds = (v) => (v >= 10000 ? v / 1000 + " s" : v + " ms");
  const count = (v) =>
    v >= 1e9 ? v / 1e9 + "G" : v >= 1e6 ? v / 1e6 + "M" : v >= 1e3 ? v / 1e3 + "k" : String(+v.toPrecision(6));

  // A canvas pixel is not a CSS pixel: everything below is written in the latter.
  function onCanvas(u, paint) {
    const ctx = u.ctx, ratio = uPlot.pxRatio;
    ctx.save();
    ctx.scale(ratio, ratio);
    paint(ctx, {
      x: (v, scale) => u.valToPos(v, scale || "x", true) / ratio,
      y: (v, scale) => u.valToPos(v, scale || "y", true) / ratio,
      left: u.bbox.left / ratio, top: u.bbox.top / ratio,
      right: (u.bbox.left + u.bbox.width) / ratio, bottom: (u.bbox.top + u.bbox.height) / ratio,
    });
    ctx.restore();
  }

  function verticalLine(ctx, at, x, stroke, dash, width) {
    ctx.strokeStyle = stroke;
    ctx.lineWidth = width;
    ctx.setLineDash(dash);
    ctx.beginPath();
    ctx.moveTo(x, at.top);
    ctx.lineTo(x, at.bottom);
    ctx.stroke();
    ctx.setLineDash([]);
  }

  // Labels above the chart, each in the first row where it lies on no other.
  function placed(ctx, left, right, labels) {
    const ends = [];
    ctx.font = LABEL_FONT;
    return [...labels].sort((a, b) => a.x - b.x).map((each) => {
      const width = ctx.measureText(each.text).width;
      const start = Math.max(left, Math.min(each.x - width / 2, right - width));
      let row = ends.findIndex((end) => end < start);
      if (row < 0) row = ends.length;
      ends[row] = start + width + 8;
      return { ...each, start, row };
    });
  }

  function labelsAbove(ctx, at, labels) {
    const all = placed(ctx, at.left, at.right, labels);
    ctx.textBaseline = "bottom";
    ctx.textAlign = "left";
    for (const each of all) {
      ctx.fillStyle = colour(each.colour);
      ctx.fillText(each.text, each.start, at.top - 3 - each.row * 14);
    }
  }

  // The room that the rows of labels need, before the chart's own place is settled.
  function roomAbove(u, sizes, marks) {
    u.ctx.save();
    const left = 70, right = u.width - (u.axes.length > 2 ? 60 : 14), low = Math.log(sizes[0] / 1.06), high = Math.log(sizes[sizes.length - 1] * 1.06);
    const labels = marks.map((m) => ({
      text: markText(m), x: left + (right - left) * (high > low ? (Math.log(m.mb) - low) / (high - low) : 0.5),
    }));
    const rows = placed(u.ctx, left, right, labels).reduce((most, each) => Math.max(most, each.row + 1), 0);
    u.ctx.restore();
    return 6 + 14 * rows;
  }

  const markText = (mark) => `${mark.label} ${mark.mb} MB`;

  // The names stand where the curves are not: above those that fall, below those that rise.
  function drawThresholds(u, marks) {
    onCanvas(u, (ctx, at) => {
      const lasts = u.data.slice(1).map((column, n) => [column[column.length - 1], u.series[n + 1].scale]).filter((each) => each[0] > 0);
      const above = lasts.length > 0 && lasts.every(([v, scale]) => at.y(v, scale) > (at.top + at.bottom) / 2);
      ctx.font = SMALL_FONT;
      ctx.textBaseline = "top";
      for (const [mb, name] of page.thresholds) {
        const x = at.x(mb);
        if (x < at.left || x > at.right) continue;
        verticalLine(ctx, at, x, colour("threshold"), [3, 3], 1);
        const taken = (marks || []).some((m) => Math.abs(at.x(m.mb) - x - 8) < 10) || x + 14 > at.right;
        ctx.save(); // upright along the line, so that near thresholds do not meet
        ctx.translate(taken ? x - 13 : x + 2, above ? at.top + 4 : at.bottom - 4);
        ctx.rotate(-Math.PI / 2);
        ctx.textAlign = above ? "right" : "left";
        ctx.fillStyle = colour("quiet");
        ctx.fillText(name, 0, 0);
        ctx.restore();
      }
    });
  }

  function drawMarks(u, marks) {
    onCanvas(u, (ctx, at) => {
      const dashes = { best: [], now: [6, 4], option: [2, 3] };
      for (const mark of marks) verticalLine(ctx, at, at.x(mark.mb), colour(mark.role), dashes[mark.role], 1.5);
      labelsAbove(ctx, at, marks.map((m) => ({ x: at.x(m.mb), text: markText(m), colour: m.role })));
    });
  }

  // Where a marked size lies on each curve.
  function drawOptions(u, marks, sizes, lines) {
    onCanvas(u, (ctx, at) => {
      ctx.lineWidth = 2;
      for (const mark of marks) {
        const n = sizes.indexOf(mark.mb);
        if (n < 0) continue;
        for (const each of lines) {
          ctx.beginPath(); ctx.arc(at.x(mark.mb), at.y(each.band[0][n], each.scale), 5, 0, 7);
          ctx.fillStyle = colour("paper"); ctx.fill();
          ctx.strokeStyle = colour(mark.role); ctx.stroke();
        }
      }
    });
  }

  // Shape and colour both tell the kind: a filled disc, a ring, a diamond, a faint ring.
  function drawSamples(u, samples, value) {
    onCanvas(u, (ctx, at) => {
      ctx.lineWidth = 1.5;
      for (const sample of samples) {
        const kind = sample[3], x = at.x(sample[0]), y = at.y(sample[value]);
        if (!(sample[value] > 0) || y < at.top - 4 || y > at.bottom + 4) continue;
        ctx.beginPath();
        if (kind === 2) {
          ctx.moveTo(x, y - 5); ctx.lineTo(x + 5, y); ctx.lineTo(x, y + 5); ctx.lineTo(x - 5, y); ctx.closePath();
        } else ctx.arc(x, y, 3.2, 0, 7);
        ctx.globalAlpha = kind === 0 ? 0.6 : 1;
        if (kind === 0) { ctx.fillStyle = colour("curve"); ctx.fill(); }
        else { ctx.strokeStyle = colour(["curve", "cold", "failed", "threshold"][kind]); ctx.stroke(); }
        ctx.globalAlpha = 1;
      }
    });
  }

  function scaleOf(values) {
    let low = Infinity, high = 0;
    for (const v of values) if (v > 0) { low = Math.min(low, v); high = Math.max(high, v); }
    if (!(high > 0)) return { distr: 1, range: () => [0, 1] };
    if (high / low > LOG_FROM_RATIO) return { distr: 3, log: 10, range: () => [low / 1.2, high * 1.2] };
    return { distr: 1, range: () => [0, high * 1.08] };
  }

  // 1, 2 and 5 times the powers of ten; where that is too much for the room, fewer of them.
  function steps125(u, axis, low, high, increment, space) {
    const all = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++)
      for (const step of [1, 2, 5]) {
        const v = +(step * 10 ** power).toPrecision(1);
        if (v >= low && v <= high) all.push(v);
      }
    const ones = all.filter((v) => Math.round(v / 10 ** Math.floor(Math.log10(v) + 1e-9)) === 1);
    return all.length > 9 && ones.length > 1 ? ones : all;
  }

  function axis(extra) {
    return {
      stroke: () => colour("quiet"), font: SMALL_FONT, gap: 4, size: 34,
      grid: { stroke: () => colour("grid"), width: 1 }, ticks: { stroke: () => colour("rule"), width: 1, size: 5 },
      ...extra,
    };
  }
  function valueAxis(scale, write, extra) {
    const more = scale.distr === 3 ? { splits: steps125, filter: (u, splits) => splits } : { space: 32 };
    return axis({
      ...more, values: (u, splits) => splits.map((v) => (v == null ? "" : write(v))),
      size: (u, values) => {
        u.ctx.font = SMALL_FONT;
        const longest = (values || []).reduce((a, b) => (String(a).length > String(b).length ? a : b), "");
        return 14 + String(longest).length * 7;
      },
      ...extra,
    });
  }
  function memoryAxis(sizes) {
    const named = POWERS.filter((mb) => mb >= sizes[0] && mb <= sizes[sizes.length - 1]);
    const ticks = named.length > 1 ? named : [sizes[0], sizes[sizes.length - 1]];
    return axis({ splits: () => ticks, filter: (u, s) => s, values: (u, s) => s, size: 22, label: "MB", labelSize: 14, labelFont: SMALL_FONT, labelGap: 0 });
  }

  // `right`: a second scale with its axis, for the series that name it.
  function build(holder, { data, height, x, scale, xAxis, write, series, bands, padding, hooks, right }) {
    const options = {
      width: holder.clientWidth || 600, height: height || 280, padding: padding || [8, 14, 0, 0],
      legend: { show: false },
      scales: right ? { x, y: scale, [right.name]: right.scale } : { x, y: scale },
      axes: [xAxis, valueAxis(scale, write), ...(right ? [right.axis] : [])],
      series: [{}, ...series],
      bands,
      cursor: {
        drag: { x: false, y: false }, y: false,
        points: { size: 9, width: 2 },
      },
      hooks,
    };
    const plot = new uPlot(options, data, holder);
    charts.push(plot);
    new ResizeObserver(() => {
      const width = holder.clientWidth;
      if (width && width !== plot.width) plot.setSize({ width, height: plot.height });
    }).observe(holder);
    return plot;
  }

  const line = (name, dash, show) => ({
    stroke: () => colour(name), width: 2, dash: dash || [], points: { show: show || false },
  });
  const edge = () => ({ stroke: "transparent", width: 0, points: { show: false } });
  const logMemory = (sizes) => ({
    time: false, distr: 3, log: 2, range: () => [sizes[0] / 1.06, sizes[sizes.length - 1] * 1.06],
  });
  const holderOf = (kind, id) =>
    document.querySelector(`[data-chart="${kind}"]` + (id ? `[data-sweep="${id}"]` : ""));
  const bandOf = (low, high, name) => ({
    series: [high, low], fill: () => (name ? colour(name) + "2b" : colour("band")),
  });

  // ---- one sweep -----------------------------------------------------------------------------

  function sweepCharts(id, sweep) {
    const sizes = sweep.curve.sizes;
    if (!sizes.length) return;
    const slider = document.getElementById(id + "-size");
    const readout = document.getElementById(id + "-readout");
    const linked = []; // charts over memory: their cursors move together
    const front = frontChart(id, sweep, (index) => select(index, null));
    let selected = -1;

    function select(index, from) {
      if (index === selected || index == null) return;
      selected = index;
      slider.value = index;
      const [duration, cost, change, notes] = sweep.readouts[index];
      readout.textContent = "";
      write(readout, "b", `${sizes[index]} MB`);
      write(readout, "span", duration);
      write(readout, "span", `${cost} per million`);
      if (change) write(readout, "span", `${change} vs now`);
      if (notes) write(readout, "span", notes);
      slider.setAttribute("aria-valuetext", readout.textContent);
      for (const plot of linked) if (plot !== from) point(plot, index);
      front.show(index);
    }

    const memory = (kind, extra) => memoryChart(holderOf(kind, id), {
      sizes, marks: sweep.marks, onIndex: (plot, index) => select(index, plot), back: () => selected, ...extra,
    });
    linked.push(memory("both", {
      lines: [{ name: "line-0", band: sweep.curve.duration }, { name: "cost", dash: DASHES[1], band: sweep.curve.cost, scale: "cost" }],
      write: milliseconds, height: 340, rightWrite: dollars,
    }));
    linked.push(memory("duration", { lines: [{ name: "line-0", band: sweep.curve.duration }], samples: sweep.samples, value: 1, write: milliseconds }));
    linked.push(memory("cost", { lines: [{ name: "line-0", band: sweep.curve.cost }], samples: sweep.samples, value: 2, write: dollars }));
    if (sweep.payloads.length)
      linked.push(memory("payloads", {
        lines: sweep.payloads.map((each, n) => ({ name: "line-" + (n % 9), dash: DASHES[n % 4], band: each.duration })), write: milliseconds,
      }));
    const each = (quantity) => sweep.architectures.map((one, n) => ({ name: "line-" + n, dash: DASHES[n], band: one[quantity] }));
    if (sweep.architectures.length) {
      linked.push(memory("architecture-time", { lines: each("duration"), write: milliseconds, marks: null }));
      linked.push(memory("architecture-cost", { lines: each("cost"), write: dollars, marks: null }));
    }
    coldChart(id, sweep);

    slider.max = sizes.length - 1;
    slider.addEventListener("input", () => select(+slider.value, null));
    const start = sweep.marks.find((m) => m.role === "best") || sweep.marks.find((m) => m.role === "now");
    const index = start ? sizes.indexOf(start.mb) : 0;
    afterLayout(() => select(index < 0 ? 0 : index, null));
  }

  function write(parent, tag, text) {
    const child = document.createElement(tag);
    child.textContent = text;
    if (parent.childNodes.length) parent.append(" ");
    parent.append(child);
  }

  function point(plot, index) {
    plot.setCursor({ left: plot.valToPos(plot.data[0][index], "x"), top: 0 }, false);
  }

  // After the pointer has left, the cursor goes back to what is selected.
  function follow(plot, onIndex, back) {
    plot.over.addEventListener("mousemove", () => onIndex(plot, plot.cursor.idx));
    plot.over.addEventListener("click", () => onIndex(plot, plot.cursor.idx));
    plot.over.addEventListener("mouseleave", () => point(plot, back()));
  }

  // Lines whose `scale` is "cost" belong to the axis on the right.
  function memoryChart(holder, { sizes, lines, samples, value, marks, write, rightWrite, onIndex, back, height }) {
    const data = [sizes], series = [], bands = [], values = [], rightValues = [];
    for (const each of lines) {
      data.push(each.band[0], each.band[1], each.band[2]);
      const own = [line(each.name, each.dash), edge(), edge()];
      if (each.scale) for (const one of own) one.scale = each.scale;
      series.push(...own);
      const last = series.length;
      bands.push(bandOf(last - 1, last, lines.length > 1 ? each.name : null));
      for (const part of each.band) (each.scale ? rightValues : values).push(...part);
    }
    const rightScale = rightValues.length ? scaleOf(rightValues) : null;
    const right = rightScale && {
      name: "cost", scale: rightScale,
      axis: valueAxis(rightScale, rightWrite, { scale: "cost", side: 1, stroke: () => colour("cost"), grid: { show: false } }),
    };
    if (samples) for (const s of samples) if (s[3] < 2) values.push(s[value]);
    const plot = build(holder, {
      data, series, bands, height, x: logMemory(sizes), scale: scaleOf(values), xAxis: memoryAxis(sizes), write, right,
      padding: [marks ? (u) => roomAbove(u, sizes, marks) : 8, 14, 0, 0],
      hooks: {
        drawAxes: [(u) => drawThresholds(u, marks)],
        draw: [(u) => {
          if (marks) drawMarks(u, marks);
          if (marks && right) drawOptions(u, marks, sizes, lines);
          if (samples) drawSamples(u, samples, value);
        }],
      },
    });
    if (onIndex) follow(plot, onIndex, back);
    return plot;
  }

  // Points in the order of their durations, which is not that of memory where a duration rises with
  // it; the line follows memory.
  function frontChart(id, sweep, onPick) {
    const order = sweep.curve.sizes.map((_, n) => n).sort((a, b) => sweep.curve.duration[0][a] - sweep.curve.duration[0][b]);
    const place = []; order.forEach((n, at) => { place[n] = at; });
    const pick = (list) => order.map((n) => list[n]);
    const xs = pick(sweep.curve.duration[0]), ys = pick(sweep.curve.cost[0]);
    const onFront = order.map((n) => sweep.front.includes(sweep.curve.sizes[n]));
    const low = xs[0], high = xs[xs.length - 1], wide = high / low > LOG_FROM_RATIO;
    let shown = null;
    const x = wide ? { time: false, distr: 3, log: 10, range: () => [low / 1.1, high * 1.1] }
      : { time: false, range: () => [Math.max(0, low - (high - low) * 0.06), high + (high - low) * 0.06 || low * 1.1] };
    const ticks = wide ? { splits: steps125, filter: (u, s) => s } : { space: 70 };
    const plot = build(holderOf("front", id), {
      data: [xs, ys], series: [edge()], x, scale: scaleOf(ys), write: dollars,
      xAxis: axis({ ...ticks, values: (u, s) => s.map((v) => (v == null ? "" : milliseconds(v))) }),
      padding: [14, 20, 0, 0],
      hooks: { draw: [(u) => onCanvas(u, (ctx, at) => {
        ctx.beginPath();
        place.forEach((i, n) => (n ? ctx.lineTo(at.x(xs[i]), at.y(ys[i])) : ctx.moveTo(at.x(xs[i]), at.y(ys[i]))));
        ctx.strokeStyle = colour("line-0"); ctx.lineWidth = 2; ctx.stroke();
        order.forEach((n, i) => {
          if (!onFront[i]) return;
          ctx.beginPath(); ctx.arc(at.x(xs[i]), at.y(ys[i]), 3.4, 0, 7);
          ctx.fillStyle = colour("curve"); ctx.fill();
        });
        ctx.font = LABEL_FONT; ctx.textBaseline = "middle";
        const taken = [];
        for (const mark of sweep.marks) {
          const n = sweep.curve.sizes.indexOf(mark.mb);
          if (n < 0) continue;
          const px = at.x(xs[place[n]]), py = at.y(ys[place[n]]), text = markText(mark);
          ctx.beginPath(); ctx.arc(px, py, 6, 0, 7);
          ctx.fillStyle = colour(mark.role); ctx.fill();
          const width = ctx.measureText(text).width, fits = px + 12 + width < at.right;
          const from = fits ? px + 11 : px - 11 - width;
          // Right above its point, or left below: a front that falls leaves both free.
          let up = fits ? Math.max(at.top + 8, py - 12) : Math.min(at.bottom - 8, py + 14);
          const meets = (t) => from < t.to + 4 && t.from < from + width + 4 && Math.abs(t.up - up) < 15;
          for (let tries = 0; taken.some(meets) && tries < 4; tries += 1) up -= 15;
          taken.push({ from, to: from + width, up });
          ctx.textAlign = "left";
          ctx.fillText(text, from, up);
        }
        if (shown != null) {
          ctx.beginPath(); ctx.arc(at.x(xs[place[shown]]), at.y(ys[place[shown]]), 9, 0, 7);
          ctx.strokeStyle = colour("link"); ctx.lineWidth = 2; ctx.stroke();
        }
      })] },
    });
    const told = () => { if (plot.cursor.idx != null) onPick(order[plot.cursor.idx]); };
    plot.over.addEventListener("mousemove", told);
    plot.over.addEventListener("click", told);
    return { show: (index) => { shown = index; plot.redraw(false); } };
  }

  function coldChart(id, sweep) {
    const holder = holderOf("cold", id);
    if (!holder) return;
    const modelled = sweep.cold.sizes.length > 0;
    const sizes = modelled ? sweep.cold.sizes : sweep.curve.sizes;
    const none = sizes.map(() => null);
    const extra = modelled ? sweep.cold.extra : [none, none, none];
    const seen = sweep.cold.seen;
    const values = [...seen.map((s) => s[1]), ...(modelled ? extra.flat() : [])];
    build(holder, {
      data: [sizes, ...extra], series: [line("line-5"), edge(), edge()], bands: [bandOf(2, 3, "line-5")],
      x: logMemory(sizes), scale: scaleOf(values), xAxis: memoryAxis(sizes), write: milliseconds, height: 220,
      hooks: { drawAxes: [(u) => drawThresholds(u)], draw: [(u) => drawSamples(u, seen.map(([mb, ms]) => [mb, ms, 0, 1]), 1)] },
    });
  }

  // ---- break-even ----------------------------------------------------------------------------

  function rateChart(id, found) {
    const holder = holderOf("rates", id);
    if (!holder || !found || !found.rates.length) return;
    const { rates, platforms } = found, last = rates[rates.length - 1];
    const values = platforms.flatMap((p) => p.cost);
    const plot = build(holder, {
      data: [rates, ...platforms.map((p) => p.cost)], height: 340,
      series: platforms.map((p, n) => line("line-" + (n % 9), DASHES[n % 4])),
      x: { time: false, distr: 3, log: 10, range: () => [rates[0], last] },
      scale: scaleOf(values), write: dollars,
      xAxis: axis({ splits: steps125, filter: (u, s) => s, values: (u, s) => s.map((v) => count(v) + "/s") }),
      padding: [24, 20, 0, 0],
      hooks: { draw: [(u) => onCanvas(u, (ctx, at) => {
        let row = 0; // a bar for each platform that becomes cheaper: low, estimate, high
        platforms.forEach((p, n) => {
          if (!p.crossing || p.crossing[0] > last) return;
          const [rate, low, high] = p.crossing, y = at.bottom - 8 - 9 * row++;
          const left = Math.max(at.left, at.x(low)), right = high == null ? at.right : Math.min(at.right, at.x(high));
          ctx.fillStyle = colour("line-" + (n % 9));
          ctx.globalAlpha = 0.35; ctx.fillRect(left, y, Math.max(right - left, 2), 5); ctx.globalAlpha = 1;
          ctx.fillRect(at.x(rate) - 1.5, y - 2, 3, 9);
        });
        if (found.rate) {
          verticalLine(ctx, at, at.x(found.rate), colour("now"), [6, 4], 1.5);
          labelsAbove(ctx, at, [{ x: at.x(found.rate), text: `asked: ${count(found.rate)}/s`, colour: "now" }]);
        }
      })] },
    });
    const slider = document.getElementById(id + "-rate"), readout = document.getElementById(id + "-rate-readout");
    let selected = -1;
    function select(index, from) {
      if (index == null || index === selected) return;
      selected = index;
      slider.value = index;
      readout.textContent = "";
      write(readout, "b", `${count(+rates[index].toPrecision(3))}/s`);
      const byCost = platforms.map((p) => [p.cost[index], p.name]).sort((a, b) => a[0] - b[0]);
      for (const [cost, name] of byCost.slice(0, 3)) write(readout, "span", `${name} ${dollars(cost)}`);
      slider.setAttribute("aria-valuetext", readout.textContent + " a month");
      if (from == null) point(plot, index);
    }
    follow(plot, (u, index) => select(index, u), () => selected);
    slider.max = rates.length - 1;
    slider.addEventListener("input", () => select(+slider.value, null));
    const near = found.rate || (platforms.map((p) => p.crossing).find(Boolean) || [rates[rates.length >> 1]])[0];
    const nearest = rates.reduce((best, rate, n) => (Math.abs(Math.log(rate / near)) < Math.abs(Math.log(rates[best] / near)) ? n : best), 0);
    afterLayout(() => select(nearest, null));
  }

  // ---- several sweeps ------------------------------------------------------------------------

  function overlay(kind, part, sweeps, write, onIndex, back) {
    const holder = document.querySelector(`[data-chart="${kind}"]`);
    if (!holder) return null;
    const known = sweeps.filter((s) => s.curve.sizes.length);
    const sizes = [...new Set(known.flatMap((s) => s.curve.sizes))].sort((a, b) => a - b);
    const lines = known.map((s, n) => {
      const at = new Map(s.curve.sizes.map((mb, i) => [mb, i]));
      return { name: "line-" + (n % 9), dash: DASHES[n % 4], band: s.curve[part].map((column) => sizes.map((mb) => (at.has(mb) ? column[at.get(mb)] : null))) };
    });
    return memoryChart(holder, { sizes, lines, write, onIndex, back });
  }

  function comparisonCharts(found) {
    const slider = document.getElementById("compare-size"), readout = document.getElementById("compare-readout");
    const sides = [{ curve: found.a }, { curve: found.b }], linked = [];
    let selected = -1;
    function select(index, from) {
      if (index == null || index === selected) return;
      selected = index;
      slider.value = index;
      readout.textContent = "";
      write(readout, "b", `${found.a.sizes[index]} MB`);
      for (const words of found.readouts[index]) write(readout, "span", words);
      slider.setAttribute("aria-valuetext", readout.textContent);
      for (const plot of linked) if (plot !== from) point(plot, index);
    }
    const moved = (plot, index) => select(index, plot);
    linked.push(overlay("compare-duration", "duration", sides, milliseconds, moved, () => selected));
    linked.push(overlay("compare-cost", "cost", sides, dollars, moved, () => selected));
    slider.max = found.a.sizes.length - 1;
    slider.addEventListener("input", () => select(+slider.value, null));
    afterLayout(() => select(Math.max(0, found.a.sizes.indexOf(found.start)), null));
  }

  // ---- the page ------------------------------------------------------------------------------

  if (page.comparison) comparisonCharts(page.comparison);
  overlay("overlay-duration", "duration", page.sweeps, milliseconds);
  overlay("overlay-cost", "cost", page.sweeps, dollars);
  page.sweeps.forEach((sweep, n) => {
    const id = "sweep-" + (n + 1);
    sweepCharts(id, sweep);
    rateChart(id, sweep.breakEven);
  });
  rateChart("break-even", page.breakEven);
  const repaint = () => charts.forEach((plot) => plot.redraw(false, true));
  for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", repaint);
  afterLayout(() => {
    document.documentElement.dataset.ready = "true";
    performance.mark("tuner-ready");
  });
})();
