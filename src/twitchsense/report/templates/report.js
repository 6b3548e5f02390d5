// The report's two pictures: the whole night, and one event down to its samples.
"use strict";
(async () => {
  const { MISSING, unpack, whole, doubles, Pyramid, View, ink, text, line, wave, step, nice } =
    twitchsense;
  const root = document.documentElement, $ = (id) => document.getElementById(id);

  // ---- theme: as the system has it, until the button says otherwise --------------------
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
  const views = [];
  const redraw = () => views.forEach((v) => v.redraw());
  const nameTheme = () => { $("theme").textContent = isDark() ? "Light theme" : "Dark theme"; };
  $("theme").hidden = false;
  $("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    nameTheme();
    redraw();
  });
  dark.addEventListener("change", () => { nameTheme(); redraw(); });
  nameTheme();
  if (!("DecompressionStream" in window)) return; // the still pictures stay

  const data = JSON.parse($("night-data").textContent);
  const bytes = await unpack($("night-block").textContent);
  const onsets = doubles(bytes, data.event_onsets), lengths = doubles(bytes, data.event_durations);
  for (const lane of data.channels) {
    lane.pyramid = new Pyramid(whole(bytes, lane.low), whole(bytes, lane.high));
  }
  const KINDS = data.kinds.map(([id, one, many, short, rule]) => ({ id, one, many, short, rule }));
  let chosen = -1;

  // ---- times as people read them -----------------------------------------------------
  function ahead(t) {
    let seconds = 0;
    for (const [from, value] of data.utc_offsets) if (t >= from || from === data.utc_offsets[0][0]) seconds = value;
    return seconds;
  }
  function clock(t, parts) {
    const two = (n) => String(n).padStart(2, "0");
    let s;
    if (data.zero_utc_s === null) s = t;
    else s = (((data.zero_utc_s % 86400) + t + ahead(t)) % 86400 + 86400) % 86400;
    const ms = Math.round(s * 1000), h = Math.floor(ms / 3600000);
    const m = Math.floor(ms / 60000) % 60, sec = Math.floor(ms / 1000) % 60;
    let out = `${data.zero_utc_s === null ? h : two(h % 24)}:${two(m)}`;
    if (parts > 0) out += `:${two(sec)}`;
    if (parts > 1) out += `.${String(Math.abs(ms) % 1000).padStart(3, "0")}`;
    return out;
  }

  // ---- waveforms -------------------------------------------------------------------------
  function signals(index) {
    return data.events[index][6].map(([name, kind, start, fs, width, at, n]) => {
      const q = data.resolution[kind], axes = [];
      for (let axis = 0; axis < width; axis++) {
        const raw = whole(bytes, [at, n * width], axis * n, n);
        const seen = [...raw].filter((v) => v !== MISSING).sort((a, b) => a - b);
        const middle = seen.length ? seen[seen.length >> 1] : 0;
        axes.push(Float64Array.from(raw, (v) => (v === MISSING ? NaN : (v - middle) * q)));
      }
      return { name: data.strings[name], kind, start, fs, axes };
    });
  }
  const cache = new Map();
  function loaded(index) {
    if (!cache.has(index)) {
      if (cache.size > 200) cache.clear();
      cache.set(index, signals(index));
    }
    return cache.get(index);
  }

  // ---- the night ---------------------------------------------------------------------------
  const canvas = $("night");
  const HEIGHT = { emg: 84, acc: 60, kind: 22, context: 26, valid: 12, axis: 26, gap: 10 };
  // what happened stands on top, with sleep and the time below it; then the signals
  const rows = [];
  const kindsTop = 20;
  let y = kindsTop + Math.max(1, KINDS.length) * HEIGHT.kind + HEIGHT.gap;
  const contextTop = y, axisTop = contextTop + HEIGHT.context + 1;
  y += HEIGHT.context + HEIGHT.axis + HEIGHT.gap;
  for (const lane of data.channels) {
    rows.push({ lane, y, h: HEIGHT[lane.kind] });
    y += HEIGHT[lane.kind] + HEIGHT.gap;
  }
  const validTop = y + (data.artifact_minutes.length ? HEIGHT.valid : 0);
  y = validTop + data.channels.length * HEIGHT.valid + 4;
  canvas.style.height = `${y}px`;
  const byKind = KINDS.map((_, k) => [...data.events.keys()].filter((i) => data.events[i][0] === k));

  const night = new View(canvas, data.start, data.stop, drawNight, { smallest: 0.05, onTap: tap });
  views.push(night);

  function drawNight(g, v, w) {
    v.margin = w < 560 ? 82 : 158;
    const left = v.left, right = w - 8, span = v.b - v.a, small = w < 560;
    g.save();
    g.beginPath();
    g.rect(left, 0, right - left, y);
    g.clip();
    const onset = data.onset;
    if (onset) {
      const low = v.x(onset.low ?? onset.time), high = v.x(onset.high ?? onset.time);
      g.fillStyle = ink("onset-band");
      g.fillRect(low, 14, high - low, validTop - 14);
    }
    for (const { lane, y: top, h } of rows) drawLane(g, v, lane, top, h, left, right);
    if (span < 240) drawWaves(g, v);
    KINDS.forEach((kind, k) => {
      const middle = kindsTop + (k + 0.5) * HEIGHT.kind;
      if (k) line(g, left, middle - HEIGHT.kind / 2, right, middle - HEIGHT.kind / 2, ink("line"));
      g.fillStyle = ink("kind-" + kind.id) || ink("muted");
      const tall = { mild: 0.5, moderate: 0.7, violent: 0.95 };
      for (const i of byKind[k]) {
        if (onsets[i] + lengths[i] < v.a || onsets[i] > v.b) continue;
        const half = (HEIGHT.kind * (tall[data.events[i][5]] ?? 0.66)) / 2;
        const x = v.x(onsets[i]), wide = Math.max(1.5, v.x(onsets[i] + lengths[i]) - x);
        g.fillRect(x - (wide === 1.5 ? 0.75 : 0), middle - half, wide, 2 * half);
      }
    });
    for (const [context, name, a, b] of data.contexts) {
      if (b < v.a || a > v.b) continue;
      const x1 = Math.max(left, v.x(a)), x2 = Math.min(right, v.x(b));
      g.fillStyle = ink("context-" + context) || ink("line");
      g.fillRect(x1, contextTop, x2 - x1 + 0.5, HEIGHT.context);
      g.font = "12px system-ui, sans-serif";
      if (g.measureText(name).width + 8 < x2 - x1) {
        text(g, name, (x1 + x2) / 2, contextTop + HEIGHT.context / 2 + 1,
          context === "asleep" ? "on-asleep" : "on-context", "center");
      }
    }
    drawStages(g, v);
    data.channels.forEach((lane, k) => {
      const top = validTop + k * HEIGHT.valid;
      for (const [list, color, h] of [[lane.valid, "good", 6], [lane.invalid, "bad", 3]]) {
        g.fillStyle = ink(color);
        for (const [a, n] of list) {
          if (a + n < v.a || a > v.b) continue;
          g.fillRect(v.x(a), top + (6 - h) / 2, Math.max(1, v.x(a + n) - v.x(a)), h);
        }
      }
    });
    g.fillStyle = ink("disturbed");
    for (const [a, n] of data.artifact_minutes) {
      if (a + n < v.a || a > v.b) continue;
      g.fillRect(v.x(a), validTop - HEIGHT.valid, Math.max(1, v.x(a + n) - v.x(a)), 6);
    }
    if (onset && !onset.left_censored) line(g, v.x(onset.time), 14, v.x(onset.time), validTop - 6, ink("onset"), 1.5, [5, 3]);
    if (chosen >= 0) {
      const x = v.x(onsets[chosen]), wide = Math.max(2, v.x(onsets[chosen] + lengths[chosen]) - x);
      g.strokeStyle = ink("ink");
      g.lineWidth = 1.5;
      g.strokeRect(x - 4, kindsTop + data.events[chosen][0] * HEIGHT.kind + 1, wide + 8, HEIGHT.kind - 2);
    }
    g.restore();
    if (onset && v.x(onset.time) > left - 2 && v.x(onset.time) < right + 2) {
      g.font = "12px system-ui, sans-serif";
      const x = Math.min(v.x(onset.time) + 4, right - g.measureText(onset.label).width);
      text(g, onset.label, Math.max(x, 0), 8, "onset");
    }
    // names on the left
    for (const { lane, y: top, h } of rows) {
      text(g, lane.name.slice(0, small ? 9 : 18), 0, top + h / 2 - 7, "ink");
      text(g, lane.kind === "emg" ? `±${lane.scale} ${lane.unit}` : "0.003–3 g", 0, top + h / 2 + 8);
    }
    KINDS.forEach((kind, k) => {
      const label = small ? kind.short.slice(0, 12) : `${kind.many} · ${byKind[k].length.toLocaleString("en")}`;
      text(g, label, 0, kindsTop + (k + 0.5) * HEIGHT.kind + 1, "ink");
    });
    if (!KINDS.length) text(g, "no event in the valid signal", left + 8, kindsTop + 11);
    text(g, "sleep", 0, contextTop + HEIGHT.context / 2 + 1, "ink");
    data.channels.forEach((lane, k) => {
      text(g, small ? "valid" : `valid ${lane.name.slice(0, 12)}`, 0, validTop + k * HEIGHT.valid + 3,
        "muted", "left", 11);
    });
    if (data.artifact_minutes.length) text(g, "disturbed", 0, validTop - HEIGHT.valid + 3, "muted", "left", 11);
    drawAxis(g, v, left, right, small);
    $("range").textContent = `${clock(v.a, span < 600 ? 1 : 0)} to ${clock(v.b, span < 600 ? 1 : 0)}`;
  }

  function drawLane(g, v, lane, top, h, left, right) {
    const yEmg = (value) => top + h / 2 - (Math.max(-1, Math.min(1, value / lane.scale)) * h) / 2;
    const yAcc = (value) => {
      const share = Math.log10(Math.max(value, 0.003) / 0.003) / 3;
      return top + h - Math.min(1, share) * h;
    };
    for (const [a, n] of lane.invalid) {
      if (a + n < v.a || a > v.b) continue;
      g.fillStyle = ink("no-signal");
      g.fillRect(v.x(a), top, v.x(a + n) - v.x(a), h);
    }
    let end = data.start; // grey where nothing was recorded at all
    for (const [a, n] of [...lane.valid, ...lane.invalid].sort((p, q) => p[0] - q[0])) {
      if (a - end > 0.05) { g.fillStyle = ink("no-signal"); g.fillRect(v.x(end), top, v.x(a) - v.x(end), h); }
      end = Math.max(end, a + n);
    }
    if (data.stop - end > 0.05) { g.fillStyle = ink("no-signal"); g.fillRect(v.x(end), top, v.x(data.stop) - v.x(end), h); }
    const marks = lane.kind === "emg" ? [yEmg(0)] : [0.01, 0.1, 1].map(yAcc);
    for (const mark of marks) line(g, left, mark, right, mark, ink("line"));
    g.fillStyle = ink(lane.kind);
    const cut = [];
    lane.pyramid.columns((v.a - data.start) / lane.column_s, (v.b - data.start) / lane.column_s, v.width,
      (first, last, low, high) => {
        const x1 = v.x(data.start + first * lane.column_s), x2 = v.x(data.start + last * lane.column_s);
        const [y1, y2] = lane.kind === "emg"
          ? [yEmg(high * lane.resolution), yEmg(low * lane.resolution)] : [yAcc(high * lane.resolution), top + h];
        g.globalAlpha = v.b - v.a < 240 ? 0.25 : 1;
        g.fillRect(x1, y1, Math.max(0.6, x2 - x1), Math.max(0.8, y2 - y1));
        if (lane.kind === "emg" && Math.max(high, -low) * lane.resolution > lane.scale) cut.push((x1 + x2) / 2);
      });
    g.globalAlpha = 1;
    g.fillStyle = ink("bad");
    for (const x of cut) { g.beginPath(); g.moveTo(x - 2.5, top); g.lineTo(x + 2.5, top); g.lineTo(x, top - 4); g.fill(); }
  }

  // close up, the samples themselves where a window was kept
  function drawWaves(g, v) {
    let many = 0;
    for (let i = 0; i < onsets.length && many < 60; i++) {
      if (onsets[i] + lengths[i] + 5 < v.a || onsets[i] - 5 > v.b) continue;
      many++;
      for (const s of loaded(i)) {
        const row = rows.find((r) => r.lane.name === s.name);
        if (!row || s.kind !== "emg") continue;
        const yOf = (value) => row.y + row.h / 2
          - (Math.max(-1, Math.min(1, value / row.lane.scale)) * row.h) / 2;
        const xOf = (k) => v.x(s.start + k / s.fs);
        wave(g, s.axes[0], xOf, yOf, ink("emg"), xOf(1) - xOf(0) > 6);
      }
    }
  }

  function drawStages(g, v) {
    const level = { W: 0, R: 0.25, N1: 0.5, N2: 0.75, N3: 1 };
    g.strokeStyle = ink("ink");
    g.lineWidth = 1.2;
    g.beginPath();
    let last = null;
    for (const [stage, a, b] of data.stages) {
      if (!(stage in level)) { last = null; continue; }
      const at = contextTop + 3 + level[stage] * (HEIGHT.context - 6);
      if (last !== a) g.moveTo(v.x(a), at); else g.lineTo(v.x(a), at);
      g.lineTo(v.x(b), at);
      last = b;
    }
    g.stroke();
  }

  function drawAxis(g, v, left, right, small) {
    const top = axisTop;
    const span = v.b - v.a, size = step(span, small ? 4 : 9);
    const shift = data.zero_utc_s === null ? 0 : ((data.zero_utc_s % 86400) + ahead(v.a)) % 86400;
    const parts = size < 1 ? 2 : size < 60 ? 1 : 0;
    for (let k = Math.ceil((v.a + shift) / size); k * size - shift <= v.b; k++) {
      const t = k * size - shift, x = v.x(t);
      line(g, x, top, x, top + 4, ink("muted"));
      if (x > left + 14 && x < right - 14) text(g, clock(t, parts), x, top + 13, "muted", "center");
    }
  }

  function tap(x, py, reach) {
    const lane = Math.floor((py - kindsTop) / HEIGHT.kind);
    const inside = lane >= 0 && lane < KINDS.length;
    let best = -1, near = reach;
    for (let i = 0; i < onsets.length; i++) {
      if (inside && data.events[i][0] !== lane) continue;
      const a = night.x(onsets[i]), b = night.x(onsets[i] + lengths[i]);
      const gap = x < a ? a - x : x > b ? x - b : 0;
      if (gap < near) { near = gap; best = i; }
    }
    if (best >= 0) choose(best);
  }

  // ---- one event -------------------------------------------------------------------------
  const close = new View($("event"), -1, 1, drawEvent, { smallest: 0.01 });
  views.push(close);

  function choose(index, { zoom = false, focus = false } = {}) {
    chosen = index;
    const [kind, caption, detail, label, other] = data.events[index];
    const say = (id, words) => { $(id).textContent = words; };
    say("event-title", data.strings[caption]);
    say("event-numbers", data.strings[detail]);
    say("event-rule", `Called a ${KINDS[kind].one} because it is ${KINDS[kind].rule}.`);
    const [name, meaning] = data.labels[data.strings[label]];
    say("event-label", `Named “${name}”: ${meaning}.`);
    say("event-other", `How sure: ${[data.events[index][7], data.strings[other]].filter(Boolean).join("; ")}.`);
    $("detail").hidden = false;
    const list = loaded(index);
    $("event").hidden = !list.length;
    say("event-none", list.length ? "" : "Its waveform was left out to keep this file small; it is in the capture.");
    if (list.length) {
      const first = Math.min(...list.map((s) => s.start)) - onsets[index];
      const last = Math.max(...list.map((s) => s.start + s.axes[0].length / s.fs)) - onsets[index];
      Object.assign(close, { from: first, to: last });
      close.show(first, last);
      const sensors = list.map((s) => (s.kind === "emg" ? "muscle signal" : "acceleration")).join(" and ");
      $("event").setAttribute("aria-label", `Waveform of the ${KINDS[kind].one}: ${sensors}. ${data.strings[detail]}`);
    }
    const pad = Math.max(4, 2 * lengths[index]);
    const outside = onsets[index] < night.a || onsets[index] > night.b;
    if (zoom || outside) night.show(onsets[index] - pad, onsets[index] + lengths[index] + pad);
    else night.redraw();
    if (focus) $("detail").focus();
  }

  function drawEvent(g, v, w, h) {
    const list = loaded(chosen);
    v.margin = 62;
    const each = (h - 30) / list.length, kind = KINDS[data.events[chosen][0]];
    list.forEach((s, k) => {
      const top = k * each + 20, height = each - 28;
      let reach = s.kind === "emg" ? 25 : 0.02;
      for (const axis of s.axes) for (const value of axis) if (Math.abs(value) > reach) reach = Math.abs(value);
      reach *= 1.08;
      const yOf = (value) => top + height / 2 - (value / reach) * (height / 2);
      g.save();
      g.beginPath();
      g.rect(v.left, top - 2, v.width, height + 4);
      g.clip();
      g.globalAlpha = 0.18;
      g.fillStyle = ink("kind-" + kind.id) || ink("muted");
      g.fillRect(v.x(0), top, Math.max(1, v.x(lengths[chosen]) - v.x(0)), height);
      g.globalAlpha = 1;
      line(g, v.left, yOf(0), v.left + v.width, yOf(0), ink("line"));
      s.axes.forEach((axis, a) => {
        const xOf = (i) => v.x(s.start - onsets[chosen] + i / s.fs);
        wave(g, axis, xOf, yOf, ink(s.kind === "emg" ? "emg" : "axis-" + a), xOf(1) - xOf(0) > 6);
      });
      g.restore();
      const tick = nice(0.85 * reach), unit = s.kind === "emg" ? "µV" : "g";
      for (const value of [-tick, 0, tick]) {
        text(g, String(Number(value.toPrecision(3))).replace("-", "−"), v.left - 6, yOf(value), "muted", "right");
      }
      text(g, `${s.kind === "emg" ? "muscle (EMG)" : "acceleration"} · ${s.name.slice(0, 24)}, ${unit}`, v.left, top - 10, "ink");
      if (s.axes.length > 1) {
        s.axes.forEach((_, a) => text(g, "xyz"[a], v.left + v.width - (s.axes.length - a) * 16, top - 10, "axis-" + a, "left", 13));
      }
    });
    const size = step(v.b - v.a, w < 560 ? 4 : 8), ms = size < 1;
    for (let k = Math.ceil(v.a / size); k * size <= v.b; k++) {
      const words = ms ? String(Math.round(k * size * 1000)) : String(Math.round(k * size * 10) / 10);
      text(g, words.replace("-", "−"), v.x(k * size), h - 18, "muted", "center");
    }
    text(g, `${ms ? "milliseconds" : "seconds"} from the onset`, v.left + v.width / 2, h - 5, "muted", "center", 11);
  }

  // ---- ways to go about ------------------------------------------------------------------
  const which = $("which");
  KINDS.forEach((kind, k) => {
    const option = document.createElement("option");
    option.value = k;
    option.textContent = `${kind.many} (${byKind[k].length})`;
    which.append(option);
  });
  function walk(by) {
    const list = which.value === "" ? [...data.events.keys()] : byKind[Number(which.value)];
    if (!list.length) return;
    let place = list.findIndex((i) => i >= chosen);
    if (place < 0) place = list.length;
    if (by > 0) place = chosen >= 0 && list[place] === chosen ? place + 1 : chosen < 0 ? 0 : place;
    else place -= 1;
    choose(list[(place + list.length) % list.length], { zoom: night.b - night.a < 0.9 * (data.stop - data.start) });
  }
  night.keys = { n: () => walk(1), p: () => walk(-1) };
  const acts = {
    "zoom-in": () => night.zoom(0.4), "zoom-out": () => night.zoom(2.5), whole: () => night.whole(),
    earlier: () => night.pan(-0.5), later: () => night.pan(0.5),
    next: () => walk(1), previous: () => walk(-1),
    "event-in": () => close.zoom(0.5), "event-out": () => close.zoom(2),
    "event-zoom": () => choose(chosen, { zoom: true }),
  };
  for (const [id, act] of Object.entries(acts)) $(id).addEventListener("click", act);
  for (const button of document.querySelectorAll("button[data-event]")) {
    button.addEventListener("click", () => {
      choose(Number(button.dataset.event), { zoom: true });
      $("detail").scrollIntoView({ block: "center" });
      $("detail").focus({ preventScroll: true });
    });
  }
  for (const id of ["which", "next", "previous"]) $(id).disabled = !data.events.length;
  root.classList.add("js");
  root.dataset.ready = "yes";
  redraw();
})();
