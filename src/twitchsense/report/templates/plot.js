// Drawing functions of the report and the live page: a canvas that shows a range of time and
// can be zoomed and panned. Nothing here makes a request, stores data or evaluates text.
"use strict";
const twitchsense = (() => {
  const MISSING_SAMPLE = -32768;

  // ---- arrays of the compressed block (see page_data.py) --------------------------------
  async function decompress(base64) {
    const compressed = Uint8Array.from(atob(base64.trim()), (c) => c.charCodeAt(0));
    const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  // `count` values from value `first` on of an int16 array: all low bytes, then all high bytes
  function readInt16(bytes, [offset, length], first = 0, count = length) {
    const out = new Int16Array(count);
    for (let i = 0; i < count; i++) {
      out[i] = bytes[offset + first + i] | (bytes[offset + length + first + i] << 8);
    }
    return out;
  }

  function readFloat64(bytes, [offset, length]) {
    return new Float64Array(bytes.slice(offset, offset + 8 * length).buffer);
  }

  // ---- minimum and maximum at every zoom: each level joins four columns of the one below ---
  class MinMaxPyramid {
    constructor(low, high) {
      this.levels = [[low, high]];
      while (this.levels.at(-1)[0].length > 256) {
        const [below, above] = this.levels.at(-1);
        const n = Math.ceil(below.length / 4);
        const low4 = new Int16Array(n).fill(MISSING_SAMPLE);
        const high4 = new Int16Array(n).fill(MISSING_SAMPLE);
        for (let i = 0; i < below.length; i++) {
          if (above[i] === MISSING_SAMPLE) continue;
          const k = i >> 2;
          if (high4[k] === MISSING_SAMPLE || above[i] > high4[k]) high4[k] = above[i];
          if (low4[k] === MISSING_SAMPLE || below[i] < low4[k]) low4[k] = below[i];
        }
        this.levels.push([low4, high4]);
      }
    }

    // calls back with (first, last, low, high); first and last are columns of the lowest level
    forEachColumn(first, last, maxColumns, callback) {
      let level = 0;
      while (level + 1 < this.levels.length && (last - first) / 4 ** (level + 1) > maxColumns) level++;
      const [low, high] = this.levels[level], size = 4 ** level;
      const start = Math.max(0, Math.floor(first / size));
      const stop = Math.min(low.length, Math.ceil(last / size) + 1);
      for (let i = start; i < stop; i++) {
        if (high[i] !== MISSING_SAMPLE) callback(i * size, (i + 1) * size, low[i], high[i]);
      }
    }
  }

  // ---- a canvas that shows a range of time, moved by mouse, touch and keyboard ------------
  class TimeCanvas {
    constructor(canvas, min, max, draw, { minSpan = 0.02, onTap = () => {} } = {}) {
      Object.assign(this, { canvas, min, max, draw, minSpan, onTap, start: min, stop: max });
      this.pointers = new Map(); // x of each pressed pointer by its id
      this.tapStart = null; // where a press began, until it moves
      this.marginLeft = 0;
      this.keys = {}; // further keys and their actions
      new ResizeObserver(() => this.redraw()).observe(canvas);
      canvas.addEventListener("wheel", (e) => this.onWheel(e), { passive: false });
      canvas.addEventListener("pointerdown", (e) => this.onPointerDown(e));
      canvas.addEventListener("pointermove", (e) => this.onPointerMove(e));
      for (const type of ["pointerup", "pointercancel"]) {
        canvas.addEventListener(type, (e) => this.onPointerEnd(e));
      }
      canvas.addEventListener("dblclick", (e) => this.zoom(0.25, this.timeAt(e.offsetX)));
      canvas.addEventListener("keydown", (e) => this.onKey(e));
    }

    get width() { return this.canvas.clientWidth - this.marginLeft - 8; }
    get span() { return this.stop - this.start; }
    xOf(time) { return this.marginLeft + ((time - this.start) / this.span) * this.width; }
    timeAt(x) { return this.start + ((x - this.marginLeft) / this.width) * this.span; }

    show(start, stop) {
      const span = Math.min(this.max - this.min, Math.max(this.minSpan, stop - start));
      const centre = (start + stop) / 2;
      this.start = Math.min(Math.max(this.min, centre - span / 2), this.max - span);
      this.stop = this.start + span;
      this.redraw();
    }

    zoom(factor, time = (this.start + this.stop) / 2) {
      const span = Math.max(this.minSpan, this.span * factor);
      const share = (time - this.start) / this.span;
      this.show(time - share * span, time + (1 - share) * span);
    }

    pan(share) {
      const shift = share * this.span;
      this.show(this.start + shift, this.stop + shift);
    }

    showAll() { this.show(this.min, this.max); }

    onWheel(e) {
      // vertical scrolling without Ctrl scrolls the page
      if (!e.ctrlKey && !e.metaKey && Math.abs(e.deltaX) <= Math.abs(e.deltaY)) return;
      e.preventDefault();
      if (e.ctrlKey || e.metaKey) this.zoom(Math.exp(e.deltaY * 0.004), this.timeAt(e.offsetX));
      else this.pan(e.deltaX / this.width);
    }

    onPointerDown(e) {
      this.canvas.setPointerCapture(e.pointerId);
      this.pointers.set(e.pointerId, e.offsetX);
      this.tapStart = this.pointers.size === 1 ? [e.offsetX, e.offsetY] : null;
    }

    onPointerMove(e) {
      if (!this.pointers.has(e.pointerId)) return;
      const before = [...this.pointers.values()];
      if (this.tapStart && Math.abs(e.offsetX - this.tapStart[0]) < 4) return;
      this.tapStart = null;
      this.pointers.set(e.pointerId, e.offsetX);
      const after = [...this.pointers.values()];
      if (before.length === 1) {
        this.pan((before[0] - after[0]) / this.width);
      } else {
        const oldGap = Math.abs(before[0] - before[1]), newGap = Math.abs(after[0] - after[1]);
        if (oldGap > 8 && newGap > 8) this.zoom(oldGap / newGap, this.timeAt((after[0] + after[1]) / 2));
      }
    }

    onPointerEnd(e) {
      if (this.tapStart && this.pointers.has(e.pointerId) && e.type === "pointerup") {
        this.onTap(this.tapStart[0], this.tapStart[1], e.pointerType === "mouse" ? 7 : 18);
      }
      this.tapStart = null;
      this.pointers.delete(e.pointerId);
    }

    onKey(e) {
      const actions = {
        ArrowLeft: () => this.pan(-0.2), ArrowRight: () => this.pan(0.2),
        "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2),
        0: () => this.showAll(), Home: () => this.showAll(), ...this.keys,
      };
      if (!actions[e.key] || e.ctrlKey || e.metaKey || e.altKey) return;
      e.preventDefault();
      actions[e.key]();
    }

    redraw() {
      if (this.isScheduled) return;
      this.isScheduled = true;
      requestAnimationFrame(() => {
        this.isScheduled = false;
        const { canvas } = this, ratio = devicePixelRatio || 1;
        const width = canvas.clientWidth, height = canvas.clientHeight;
        if (!width || !height) return;
        if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
          canvas.width = Math.round(width * ratio);
          canvas.height = Math.round(height * ratio);
        }
        const context = canvas.getContext("2d");
        context.setTransform(ratio, 0, 0, ratio, 0, 0);
        context.clearRect(0, 0, width, height);
        this.draw(context, this, width, height);
      });
    }
  }

  // ---- parts of a plot; `context` is the 2D context of a canvas ----------------------------
  const cssColor = (name) =>
    getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

  function drawText(context, text, x, y, color = "muted", align = "left", size = 12) {
    context.font = `${size}px system-ui, sans-serif`;
    context.fillStyle = cssColor(color);
    context.textAlign = align;
    context.textBaseline = "middle";
    context.fillText(text, x, y);
  }

  function drawLine(context, x1, y1, x2, y2, color, width = 1, dash = []) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.setLineDash(dash);
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    context.stroke();
    context.setLineDash([]);
  }

  // NaN interrupts the line; `dots` marks each sample
  function drawWaveform(context, values, xOf, yOf, color, dots) {
    context.strokeStyle = context.fillStyle = color;
    context.lineWidth = 1.1;
    context.beginPath();
    let isDown = false;
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (Number.isNaN(value)) { isDown = false; continue; }
      if (isDown) context.lineTo(xOf(i), yOf(value)); else context.moveTo(xOf(i), yOf(value));
      isDown = true;
    }
    context.stroke();
    if (!dots) return;
    for (let i = 0; i < values.length; i++) {
      if (!Number.isNaN(values[i])) context.fillRect(xOf(i) - 1.5, yOf(values[i]) - 1.5, 3, 3);
    }
  }

  const TICK_STEPS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60,
    120, 300, 600, 900, 1800, 3600, 7200, 14400];
  const tickStep = (span, maxTicks) =>
    TICK_STEPS.find((s) => span / s <= maxTicks) ?? TICK_STEPS.at(-1);

  // to 1, 2 or 5 times a power of ten
  function roundDown(value) {
    const power = 10 ** Math.floor(Math.log10(value));
    return [5, 2, 1].map((s) => s * power).find((s) => s <= value);
  }

  return {
    MISSING_SAMPLE, decompress, readInt16, readFloat64, MinMaxPyramid, TimeCanvas,
    cssColor, drawText, drawLine, drawWaveform, tickStep, roundDown,
  };
})();
