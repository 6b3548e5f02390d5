// The report's two interactive plots: the whole night, and one event down to its samples.
"use strict";
(async () => {
  const {
    MISSING_SAMPLE, decompress, readInt16, readFloat64, MinMaxPyramid, TimeCanvas,
    cssColor, drawText, drawLine, drawWaveform, tickStep, roundDown,
  } = twitchsense;
  const root = document.documentElement, byId = (id) => document.getElementById(id);

  // ---- theme: that of the system, until the button changes it ----------------------------
  const systemDark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ?? (systemDark.matches ? "dark" : "light")) === "dark";
  const plots = [];
  const redrawAll = () => plots.forEach((plot) => plot.redraw());
  const labelThemeButton = () => {
    byId("theme").textContent = isDark() ? "Light theme" : "Dark theme";
  };
  byId("theme").hidden = false;
  byId("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    labelThemeButton();
    redrawAll();
  });
  systemDark.addEventListener("change", () => { labelThemeButton(); redrawAll(); });
  labelThemeButton();
  if (!("DecompressionStream" in window)) return; // the static figures stay

  // ---- data (see page_data.py) ------------------------------------------------------------
  const data = JSON.parse(byId("night-data").textContent);
  const bytes = await decompress(byId("night-block").textContent);
  const onsets = readFloat64(bytes, data.event_onsets);
  const durations = readFloat64(bytes, data.event_durations);
  const strings = data.strings;
  const kinds = data.kinds.map(([id, name, plural, short, rule]) => ({ id, name, plural, short, rule }));
  const events = data.events.map(
    ([kind, grade, caption, measurements, label, alternatives, windows = [], confidence]) => ({
      kind, grade, windows, confidence, caption: strings[caption], label: strings[label],
      measurements: strings[measurements], alternatives: strings[alternatives],
    })); // without a caption, only the mark of the event is known
  const eventsOfKind = kinds.map((_, k) => [...events.keys()].filter((i) => events[i].kind === k));
  for (const channel of data.channels) {
    channel.pyramid = new MinMaxPyramid(readInt16(bytes, channel.low), readInt16(bytes, channel.high));
  }
  let selected = -1; // index of the event shown, or -1

  // ---- times -----------------------------------------------------------------------------
  function utcOffset(time) {
    let seconds = 0;
    for (const [from, offset] of data.utc_offsets) {
      if (time >= from || from === data.utc_offsets[0][0]) seconds = offset;
    }
    return seconds;
  }

  // "23:41", or from the start without a clock; parts 1: with seconds, 2: with milliseconds
  function formatTime(time, parts) {
    const pad = (n) => String(n).padStart(2, "0");
    let seconds = time - data.start;
    if (data.zero_utc_s !== null) {
      seconds = (((data.zero_utc_s % 86400) + time + utcOffset(time)) % 86400 + 86400) % 86400;
    }
    const ms = Math.round(seconds * 1000), hours = Math.floor(ms / 3600000);
    let out = `${data.zero_utc_s === null ? hours : pad(hours % 24)}:${pad(Math.floor(ms / 60000) % 60)}`;
    if (parts > 0) out += `:${pad(Math.floor(ms / 1000) % 60)}`;
    if (parts > 1) out += `.${String(Math.abs(ms) % 1000).padStart(3, "0")}`;
    return out;
  }

  // ---- waveforms of events ---------------------------------------------------------------
  function readWaveforms(index) {
    return events[index].windows.map(([name, kind, start, fs, width, offset, n]) => {
      const axes = [];
      for (let axis = 0; axis < width; axis++) {
        const raw = readInt16(bytes, [offset, n * width], axis * n, n);
        const present = [...raw].filter((v) => v !== MISSING_SAMPLE).sort((a, b) => a - b);
        const median = present.length ? present[present.length >> 1] : 0;
        axes.push(Float64Array.from(raw, (v) =>
          (v === MISSING_SAMPLE ? NaN : (v - median) * data.resolution[kind])));
      }
      return { name: strings[name], kind, start, fs, axes };
    });
  }
  const cache = new Map();
  function waveformsOf(index) {
    if (!cache.has(index)) {
      if (cache.size > 200) cache.clear();
      cache.set(index, readWaveforms(index));
    }
    return cache.get(index);
  }

  // ---- the night: events on top, then sleep and the time axis, signals, valid time ---------
  const HEIGHT = { emg: 84, acc: 60, kind: 22, context: 24, stages: 70, disturbed: 14, axis: 26, gap: 10 };
  const STAGES = ["W", "R", "N1", "N2", "N3", "S"].filter(
    (stage) => stage !== "S" || data.stages.some(([name]) => name === "S"));
  const GRADE_HEIGHTS = { mild: 0.5, moderate: 0.7, violent: 0.95 }; // share of the row
  const MIN_ACC_G = 0.003, ACC_DECADES = 3; // logarithmic scale of acceleration
  const SAMPLES_BELOW_S = 240; // range of time below which samples are drawn
  const MAX_WAVEFORMS = 60; // events whose samples are drawn at once
  const kindsTop = 20;
  const contextTop = kindsTop + Math.max(1, kinds.length) * HEIGHT.kind + HEIGHT.gap;
  const stagesTop = contextTop + HEIGHT.context + 4;
  const axisTop = data.stages.length ? stagesTop + HEIGHT.stages + 2 : contextTop + HEIGHT.context + 1;
  const rows = []; // a row for each channel
  let bottom = axisTop + HEIGHT.axis + HEIGHT.gap;
  for (const channel of data.channels) {
    rows.push({ channel, top: bottom, height: HEIGHT[channel.kind] });
    bottom += HEIGHT[channel.kind] + HEIGHT.gap;
  }
  const disturbedTop = bottom;
  if (data.artifact_minutes.length) bottom += HEIGHT.disturbed;
  byId("night").style.height = `${bottom}px`;
  const night = new TimeCanvas(byId("night"), data.start, data.stop, drawNight,
    { minSpan: 0.05, onTap: selectAt });
  plots.push(night);

  const isOutside = (plot, start, stop) => stop < plot.start || start > plot.stop;

  function drawNight(context, plot, width) {
    const isNarrow = width < 560;
    plot.marginLeft = isNarrow ? 82 : 158;
    const left = plot.marginLeft, right = width - 8;
    context.save();
    context.beginPath();
    context.rect(left, 0, right - left, bottom);
    context.clip();
    drawOnsetBand(context, plot);
    for (const row of rows) drawChannel(context, plot, row, left, right);
    if (plot.span < SAMPLES_BELOW_S) drawSamples(context, plot);
    drawEvents(context, plot, left, right);
    drawContexts(context, plot, left, right);
    drawStages(context, plot, left, right);
    drawDisturbed(context, plot);
    const onset = data.onset;
    if (onset && !onset.left_censored) {
      const x = plot.xOf(onset.time);
      drawLine(context, x, 14, x, disturbedTop - 6, cssColor("onset"), 1.5, [5, 3]);
    }
    if (selected >= 0) {
      const x = plot.xOf(onsets[selected]);
      const eventWidth = Math.max(2, plot.xOf(onsets[selected] + durations[selected]) - x);
      context.strokeStyle = cssColor("text");
      context.lineWidth = 1.5;
      context.strokeRect(x - 4, kindsTop + events[selected].kind * HEIGHT.kind + 1, eventWidth + 8, HEIGHT.kind - 2);
    }
    context.restore();
    if (onset && plot.xOf(onset.time) > left - 2 && plot.xOf(onset.time) < right + 2) {
      context.font = "12px system-ui, sans-serif";
      const x = Math.min(plot.xOf(onset.time) + 4, right - context.measureText(onset.label).width);
      drawText(context, onset.label, Math.max(x, 0), 8, "onset");
    }
    drawRowNames(context, left, isNarrow);
    drawPlace(context, plot, left, right);
    drawTimeAxis(context, plot, left, right, isNarrow);
    const parts = plot.span < 600 ? 1 : 0;
    byId("shown-range").textContent = `${formatTime(plot.start, parts)} to ${formatTime(plot.stop, parts)}`;
  }

  function drawOnsetBand(context, plot) {
    const onset = data.onset;
    if (!onset) return;
    const low = plot.xOf(onset.low ?? onset.time), high = plot.xOf(onset.high ?? onset.time);
    context.fillStyle = cssColor("onset-band");
    context.fillRect(low, 14, high - low, disturbedTop - 14);
  }

  function drawEvents(context, plot, left, right) {
    kinds.forEach((kind, k) => {
      const centre = kindsTop + (k + 0.5) * HEIGHT.kind, top = centre - HEIGHT.kind / 2;
      if (k) drawLine(context, left, top, right, top, cssColor("border"));
      context.fillStyle = cssColor("kind-" + kind.id) || cssColor("kind-other");
      for (const i of eventsOfKind[k]) {
        if (isOutside(plot, onsets[i], onsets[i] + durations[i])) continue;
        const half = (HEIGHT.kind * (GRADE_HEIGHTS[events[i].grade] ?? 0.66)) / 2;
        const x = plot.xOf(onsets[i]), eventWidth = Math.max(1.5, plot.xOf(onsets[i] + durations[i]) - x);
        context.fillRect(x - (eventWidth === 1.5 ? 0.75 : 0), centre - half, eventWidth, 2 * half);
      }
    });
  }

  function drawContexts(context, plot, left, right) {
    for (const [id, name, start, stop] of data.contexts) {
      if (isOutside(plot, start, stop)) continue;
      const x1 = Math.max(left, plot.xOf(start)), x2 = Math.min(right, plot.xOf(stop));
      context.fillStyle = cssColor("context-" + id) || cssColor("border");
      context.fillRect(x1, contextTop, x2 - x1 + 0.5, HEIGHT.context);
      context.font = "12px system-ui, sans-serif";
      if (context.measureText(name).width + 8 < x2 - x1) {
        drawText(context, name, (x1 + x2) / 2, contextTop + HEIGHT.context / 2 + 1,
          id === "asleep" ? "text-on-asleep" : "text-on-context", "center");
      }
    }
  }

  const yOfStage = (stage) => stagesTop + ((STAGES.indexOf(stage) + 0.5) * HEIGHT.stages) / STAGES.length;

  function drawStages(context, plot, left, right) {
    if (!data.stages.length) return;
    for (const stage of STAGES) {
      drawLine(context, left, yOfStage(stage), right, yOfStage(stage), cssColor("border"));
    }
    context.strokeStyle = cssColor("hypnogram");
    context.lineWidth = 1.5;
    context.beginPath();
    let lastStop = null;
    for (const [stage, start, stop] of data.stages) {
      if (!STAGES.includes(stage)) { lastStop = null; continue; }
      const y = yOfStage(stage);
      if (lastStop !== start) context.moveTo(plot.xOf(start), y); else context.lineTo(plot.xOf(start), y);
      context.lineTo(plot.xOf(stop), y);
      lastStop = stop;
    }
    context.stroke();
    context.fillStyle = cssColor("hypnogram"); // REM sleep is a bar, as in sleep laboratories
    for (const [stage, start, stop] of data.stages) {
      if (stage === "R") context.fillRect(plot.xOf(start), yOfStage("R") - 2.5, plot.xOf(stop) - plot.xOf(start), 5);
    }
  }

  function drawDisturbed(context, plot) {
    context.fillStyle = cssColor("artifact");
    for (const [start, length] of data.artifact_minutes) {
      if (isOutside(plot, start, start + length)) continue;
      context.fillRect(plot.xOf(start), disturbedTop + 3, Math.max(1, plot.xOf(start + length) - plot.xOf(start)), 7);
    }
  }

  // where the range shown lies in the night
  function drawPlace(context, plot, left, right) {
    if (plot.span > 0.98 * (data.stop - data.start)) return;
    const scale = (right - left) / (data.stop - data.start);
    context.fillStyle = cssColor("border");
    context.fillRect(left, 0, right - left, 3);
    context.fillStyle = cssColor("link");
    context.fillRect(left + (plot.start - data.start) * scale, 0, Math.max(4, plot.span * scale), 3);
  }

  function drawRowNames(context, left, isNarrow) {
    for (const { channel, top, height } of rows) {
      const scale = channel.kind === "emg" ? `±${channel.scale} ${channel.unit}` : "0.003–3 g";
      drawText(context, channel.name.slice(0, isNarrow ? 9 : 18), 0, top + height / 2 - 7, "text");
      drawText(context, scale, 0, top + height / 2 + 8);
    }
    kinds.forEach((kind, k) => {
      const name = isNarrow ? kind.short.slice(0, 12) : `${kind.plural} · ${eventsOfKind[k].length.toLocaleString("en")}`;
      drawText(context, name, 0, kindsTop + (k + 0.5) * HEIGHT.kind + 1, "text");
    });
    if (!kinds.length) drawText(context, "no event in the valid signal", left + 8, kindsTop + 11);
    drawText(context, "sleep", 0, contextTop + HEIGHT.context / 2 + 1, "text");
    if (data.stages.length) {
      drawText(context, isNarrow ? "stage" : "hypnogram", 0, stagesTop + HEIGHT.stages / 2, "text");
      for (const stage of STAGES) drawText(context, stage, left - 8, yOfStage(stage), "muted", "right", 11);
    }
    if (data.artifact_minutes.length) drawText(context, "disturbed", 0, disturbedTop + 7, "text", "left", 11);
  }

  const yOfEmg = (value, { channel, top, height }) =>
    top + height / 2 - (Math.max(-1, Math.min(1, value / channel.scale)) * height) / 2;

  const yOfAcc = (value, { top, height }) => {
    const share = Math.log10(Math.max(value, MIN_ACC_G) / MIN_ACC_G) / ACC_DECADES;
    return top + height - Math.min(1, share) * height;
  };

  function drawChannel(context, plot, row, left, right) {
    const { channel, top, height } = row, isEmg = channel.kind === "emg";
    const shade = (start, stop) => {
      context.fillStyle = cssColor("no-signal");
      context.fillRect(plot.xOf(start), top, plot.xOf(stop) - plot.xOf(start), height);
    };
    for (const [start, length] of channel.invalid) {
      if (!isOutside(plot, start, start + length)) shade(start, start + length);
    }
    let end = data.start; // gaps of the recording are in neither list
    for (const [start, length] of [...channel.valid, ...channel.invalid].sort((a, b) => a[0] - b[0])) {
      if (start - end > 0.05) shade(end, start);
      end = Math.max(end, start + length);
    }
    if (data.stop - end > 0.05) shade(end, data.stop);
    const gridLines = isEmg ? [yOfEmg(0, row)] : [0.01, 0.1, 1].map((g) => yOfAcc(g, row));
    for (const y of gridLines) drawLine(context, left, y, right, y, cssColor("border"));
    context.fillStyle = cssColor(channel.kind);
    context.globalAlpha = plot.span < SAMPLES_BELOW_S ? 0.3 : 1;
    const clipped = []; // where values leave the scale
    const timeOf = (column) => data.start + column * channel.column_s;
    const columnOf = (time) => (time - data.start) / channel.column_s;
    channel.pyramid.forEachColumn(columnOf(plot.start), columnOf(plot.stop), plot.width,
      (first, last, low, high) => {
        const x1 = plot.xOf(timeOf(first)), x2 = plot.xOf(timeOf(last));
        const min = low * channel.resolution, max = high * channel.resolution;
        const y1 = isEmg ? yOfEmg(max, row) : yOfAcc(max, row);
        const y2 = isEmg ? yOfEmg(min, row) : top + height;
        context.fillRect(x1, y1, Math.max(0.6, x2 - x1), Math.max(0.8, y2 - y1));
        if (isEmg && Math.max(max, -min) > channel.scale) clipped.push((x1 + x2) / 2);
      });
    context.globalAlpha = 1;
    context.fillStyle = cssColor("text");
    for (const x of clipped) {
      context.beginPath();
      context.moveTo(x - 2.5, top);
      context.lineTo(x + 2.5, top);
      context.lineTo(x, top - 4);
      context.fill();
    }
  }

  // the EMG samples of the events in range, as far as the page holds them
  function drawSamples(context, plot) {
    let count = 0;
    for (let i = 0; i < onsets.length && count < MAX_WAVEFORMS; i++) {
      if (isOutside(plot, onsets[i] - 5, onsets[i] + durations[i] + 5)) continue;
      count++;
      for (const waveform of waveformsOf(i)) {
        const row = rows.find((r) => r.channel.name === waveform.name);
        if (!row || waveform.kind !== "emg") continue;
        const xOf = (k) => plot.xOf(waveform.start + k / waveform.fs);
        drawWaveform(context, waveform.axes[0], xOf, (value) => yOfEmg(value, row), cssColor("emg"),
          xOf(1) - xOf(0) > 6);
      }
    }
  }

  function drawTimeAxis(context, plot, left, right, isNarrow) {
    const step = tickStep(plot.span, isNarrow ? 4 : 9);
    // ticks lie on whole steps of the local clock
    const shift = data.zero_utc_s === null ? -data.start
      : ((data.zero_utc_s % 86400) + utcOffset(plot.start)) % 86400;
    const parts = step < 1 ? 2 : step < 60 ? 1 : 0;
    for (let k = Math.ceil((plot.start + shift) / step); k * step - shift <= plot.stop; k++) {
      const time = k * step - shift, x = plot.xOf(time);
      drawLine(context, x, axisTop, x, axisTop + 4, cssColor("muted"));
      if (x > left + 14 && x < right - 14) {
        drawText(context, formatTime(time, parts), x, axisTop + 13, "muted", "center");
      }
    }
  }

  // select the event nearest to a point, at most `reach` pixels away; in a kind's row, of that kind
  function selectAt(x, y, reach) {
    const kind = Math.floor((y - kindsTop) / HEIGHT.kind);
    const isInKindRow = kind >= 0 && kind < kinds.length;
    let nearest = -1, distance = reach;
    for (let i = 0; i < onsets.length; i++) {
      if (isInKindRow && events[i].kind !== kind) continue;
      const start = night.xOf(onsets[i]), stop = night.xOf(onsets[i] + durations[i]);
      const gap = x < start ? start - x : x > stop ? x - stop : 0;
      if (gap < distance) { distance = gap; nearest = i; }
    }
    if (nearest >= 0) select(nearest);
  }

  // ---- one event -------------------------------------------------------------------------
  const eventPlot = new TimeCanvas(byId("event"), -1, 1, drawEvent, { minSpan: 0.01 });
  plots.push(eventPlot);

  const detail = byId("detail");
  let opener = null; // what had the focus when the panel was opened

  function close() {
    detail.hidden = true;
    document.body.classList.remove("has-detail");
    selected = -1;
    night.redraw();
    (opener?.isConnected ? opener : byId("night")).focus({ preventScroll: true });
  }

  // open the panel of an event; with `show`, scroll and zoom the night to it
  // an interval and its unit stay on one line
  const INTERVAL = /\d[\d,.:]*–\d[\d,.:]*(?: (?:%|µV|m?g|g\/s|ms|s|min|h|Hz)(?![\w/]))?/g;

  function setText(id, text) {
    const node = byId(id);
    let end = 0;
    node.textContent = "";
    for (const match of text.matchAll(INTERVAL)) {
      const span = document.createElement("span");
      span.className = "unbroken";
      span.textContent = match[0];
      node.append(text.slice(end, match.index), span);
      end = match.index + match[0].length;
    }
    node.append(text.slice(end));
  }

  function select(index, { show = false } = {}) {
    selected = index;
    if (!detail.contains(document.activeElement)) opener = document.activeElement;
    const event = events[index], kind = kinds[event.kind];
    const isDescribed = event.caption !== undefined;
    const [labelName, labelMeaning] = data.labels[event.label] ?? [];
    const name = kind.name[0].toUpperCase() + kind.name.slice(1);
    setText("event-title", event.caption ?? `${name} at ${formatTime(onsets[index], 1)}`);
    setText("event-measurements", event.measurements ?? "Not among the strongest events of this long recording; its numbers are in events.csv.");
    setText("event-rule", `Called a ${kind.name} because it is ${kind.rule}.`);
    setText("event-label", isDescribed ? `Named “${labelName}”: ${labelMeaning}.` : "");
    setText("event-confidence", isDescribed ? `How sure: ${event.confidence}.` : "");
    setText("event-alternatives", event.alternatives ? `What else fits: ${event.alternatives}.` : "");
    detail.style.setProperty("--kind", `var(--kind-${kind.id}, var(--kind-other))`);
    detail.hidden = false;
    detail.scrollTop = 0;
    document.body.classList.add("has-detail");
    const waveforms = waveformsOf(index);
    byId("event").hidden = !waveforms.length;
    setText("event-missing", waveforms.length ? "" : "Its waveform was left out to keep this file small; it is in the recording.");
    if (waveforms.length) {
      const first = Math.min(...waveforms.map((w) => w.start)) - onsets[index];
      const last = Math.max(...waveforms.map((w) => w.start + w.axes[0].length / w.fs)) - onsets[index];
      Object.assign(eventPlot, { min: first, max: last });
      eventPlot.show(first, last);
      const sensors = waveforms.map((w) => (w.kind === "emg" ? "muscle signal" : "acceleration")).join(" and ");
      byId("event").setAttribute("aria-label", `Waveform of the ${kind.name}: ${sensors}. ${event.measurements}`);
    }
    if (show || onsets[index] < night.start || onsets[index] > night.stop) {
      const margin = Math.max(4, 2 * durations[index]);
      night.show(onsets[index] - margin, onsets[index] + durations[index] + margin);
    }
    if (show) scrollToNight();
    night.redraw();
  }

  // scroll until the marks of the night are in view, beside the panel or above it
  function scrollToNight() {
    const top = byId("night").getBoundingClientRect().top, isSheet = detail.offsetLeft === 0;
    const room = innerHeight - (isSheet ? detail.offsetHeight : 0);
    if (top < 0 || top + axisTop + HEIGHT.axis > room) scrollBy({ top: top - 8, behavior: "instant" });
  }

  function drawEvent(context, plot, width, height) {
    plot.marginLeft = 62;
    const left = plot.marginLeft, waveforms = waveformsOf(selected);
    const kind = kinds[events[selected].kind], rowHeight = (height - 30) / waveforms.length;
    waveforms.forEach((waveform, k) => {
      const isEmg = waveform.kind === "emg", top = k * rowHeight + 20, plotHeight = rowHeight - 28;
      let limit = isEmg ? 25 : 0.02;
      for (const axis of waveform.axes) {
        for (const value of axis) if (Math.abs(value) > limit) limit = Math.abs(value);
      }
      limit *= 1.08;
      const yOf = (value) => top + plotHeight / 2 - (value / limit) * (plotHeight / 2);
      const xOf = (i) => plot.xOf(waveform.start - onsets[selected] + i / waveform.fs);
      context.save();
      context.beginPath();
      context.rect(left, top - 2, plot.width, plotHeight + 4);
      context.clip();
      context.globalAlpha = 0.18;
      context.fillStyle = cssColor("kind-" + kind.id) || cssColor("kind-other");
      context.fillRect(plot.xOf(0), top, Math.max(1, plot.xOf(durations[selected]) - plot.xOf(0)), plotHeight);
      context.globalAlpha = 1;
      drawLine(context, left, yOf(0), left + plot.width, yOf(0), cssColor("border"));
      waveform.axes.forEach((axis, a) => {
        drawWaveform(context, axis, xOf, yOf, cssColor(isEmg ? "emg" : "axis-" + a), xOf(1) - xOf(0) > 6);
      });
      context.restore();
      const tick = roundDown(0.85 * limit);
      for (const value of [-tick, 0, tick]) {
        const text = String(Number(value.toPrecision(3))).replace("-", "−");
        drawText(context, text, left - 6, yOf(value), "muted", "right");
      }
      const title = `${isEmg ? "muscle (EMG)" : "acceleration"} · ${waveform.name.slice(0, 24)}, ${isEmg ? "µV" : "g"}`;
      drawText(context, title, left, top - 10, "text");
      if (waveform.axes.length > 1) {
        waveform.axes.forEach((_, a) => drawText(context, "xyz"[a],
          left + plot.width - (waveform.axes.length - a) * 16, top - 10, "axis-" + a, "left", 13));
      }
    });
    const step = tickStep(plot.span, width < 560 ? 5 : 8), inMilliseconds = step < 1;
    for (let k = Math.ceil(plot.start / step); k * step <= plot.stop; k++) {
      const value = inMilliseconds ? Math.round(k * step * 1000) : Math.round(k * step * 10) / 10;
      drawText(context, String(value).replace("-", "−"), plot.xOf(k * step), height - 18, "muted", "center");
    }
    drawText(context, `${inMilliseconds ? "milliseconds" : "seconds"} from the onset`,
      left + plot.width / 2, height - 5, "muted", "center", 11);
  }

  // ---- controls ----------------------------------------------------------------------------
  const kindSelect = byId("kind-select");
  kinds.forEach((kind, k) => {
    const option = document.createElement("option");
    option.value = k;
    option.textContent = `${kind.plural} (${eventsOfKind[k].length})`;
    kindSelect.append(option);
  });

  // select the next (+1) or previous (-1) event of the kind chosen, after the last the first
  function step(direction) {
    const list = kindSelect.value === "" ? [...events.keys()] : eventsOfKind[Number(kindSelect.value)];
    if (!list.length) return;
    let place = list.findIndex((i) => i >= selected); // of the selected event, or of the one after it
    if (place < 0) place = list.length;
    if (direction < 0) place -= 1;
    else if (selected < 0) place = 0;
    else if (list[place] === selected) place += 1;
    select(list[(place + list.length) % list.length], { show: true });
  }
  night.keys = { n: () => step(1), p: () => step(-1) };

  const buttons = {
    "zoom-in": () => night.zoom(0.4), "zoom-out": () => night.zoom(2.5),
    "whole-night": () => night.showAll(),
    earlier: () => night.pan(-0.5), later: () => night.pan(0.5),
    next: () => step(1), previous: () => step(-1),
    "event-next": () => step(1), "event-previous": () => step(-1), "event-close": close,
    "event-zoom-in": () => eventPlot.zoom(0.5), "event-zoom-out": () => eventPlot.zoom(2),
    "event-in-night": () => select(selected, { show: true }),
  };
  for (const [id, action] of Object.entries(buttons)) byId(id).addEventListener("click", action);
  for (const button of document.querySelectorAll("button[data-event]")) {
    button.addEventListener("click", () => {
      select(Number(button.dataset.event));
      detail.focus({ preventScroll: true });
    });
  }
  document.addEventListener("keydown", (e) => { if (e.key === "Escape" && !detail.hidden) close(); });

  // ---- sections: folded on a phone, whole on paper -------------------------------------------
  const folds = [...document.querySelectorAll("details.fold")];
  const phone = matchMedia("screen and (max-width: 46rem)");
  const fold = () => folds.forEach((section) => { section.open = !phone.matches; });
  let openOnScreen = [];
  addEventListener("beforeprint", () => {
    openOnScreen = folds.filter((section) => section.open);
    folds.forEach((section) => { section.open = true; });
  });
  addEventListener("afterprint", () => folds.forEach((s) => { s.open = openOnScreen.includes(s); }));
  phone.addEventListener("change", fold);
  fold();
  for (const link of document.querySelectorAll('a[href^="#"]')) {
    link.addEventListener("click", () => {
      byId(link.hash.slice(1))?.closest("details.fold")?.setAttribute("open", "");
    });
  }
  for (const id of ["kind-select", "next", "previous"]) byId(id).disabled = !events.length;
  root.classList.add("js");
  root.dataset.ready = "yes";
  redrawAll();
})();
