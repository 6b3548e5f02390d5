// Drawing for the report and the live page: a canvas with a range of time, and the
// ways to move it. Nothing here fetches, stores or evaluates anything.
"use strict";
const twitchsense = (() => {
  const MISSING = -32768;

  // ---- numbers out of the packed block (see page_data.py) -----------------------------
  async function unpack(text) {
    const packed = Uint8Array.from(atob(text.trim()), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  function whole(bytes, [at, n], skip = 0, count = n) {
    const out = new Int16Array(count);
    for (let i = 0; i < count; i++) {
      out[i] = bytes[at + skip + i] | (bytes[at + n + skip + i] << 8);
    }
    return out;
  }

  function doubles(bytes, [at, n]) {
    return new Float64Array(bytes.slice(at, at + 8 * n).buffer);
  }

  // ---- least and greatest, at every zoom: each level joins four of the one below ------
  class Pyramid {
    constructor(low, high) {
      this.levels = [[low, high]];
      while (this.levels.at(-1)[0].length > 256) {
        const [l, h] = this.levels.at(-1);
        const n = Math.ceil(l.length / 4);
        const low4 = new Int16Array(n).fill(MISSING), high4 = new Int16Array(n).fill(MISSING);
        for (let i = 0; i < l.length; i++) {
          if (h[i] === MISSING) continue;
          const k = i >> 2;
          if (high4[k] === MISSING || h[i] > high4[k]) high4[k] = h[i];
          if (low4[k] === MISSING || l[i] < low4[k]) low4[k] = l[i];
        }
        this.levels.push([low4, high4]);
      }
    }

    // calls back with (first, last, low, high) in places of the lowest level
    columns(first, last, wanted, each) {
      let level = 0;
      while (level + 1 < this.levels.length && (last - first) / 4 ** (level + 1) > wanted) level++;
      const [low, high] = this.levels[level], step = 4 ** level;
      const a = Math.max(0, Math.floor(first / step));
      const b = Math.min(low.length, Math.ceil(last / step) + 1);
      for (let i = a; i < b; i++) {
        if (high[i] !== MISSING) each(i * step, (i + 1) * step, low[i], high[i]);
      }
    }
  }

  // ---- a canvas that shows a range, by mouse, fingers and keys ------------------------
  class View {
    constructor(canvas, from, to, draw, { smallest = 0.02, onTap = () => {} } = {}) {
      Object.assign(this, { canvas, from, to, draw, smallest, onTap, a: from, b: to });
      this.fingers = new Map();
      new ResizeObserver(() => this.redraw()).observe(canvas);
      canvas.addEventListener("wheel", (e) => this.wheel(e), { passive: false });
      canvas.addEventListener("pointerdown", (e) => this.press(e));
      canvas.addEventListener("pointermove", (e) => this.move(e));
      for (const end of ["pointerup", "pointercancel"]) {
        canvas.addEventListener(end, (e) => this.release(e));
      }
      canvas.addEventListener("dblclick", (e) => this.zoom(0.25, this.timeAt(e.offsetX)));
      canvas.addEventListener("keydown", (e) => this.key(e));
    }

    get left() { return this.margin ?? 0; }
    get width() { return this.canvas.clientWidth - this.left - 8; }
    x(t) { return this.left + ((t - this.a) / (this.b - this.a)) * this.width; }
    timeAt(x) { return this.a + ((x - this.left) / this.width) * (this.b - this.a); }

    show(a, b) {
      const most = this.to - this.from;
      const span = Math.min(most, Math.max(this.smallest, b - a));
      const middle = (a + b) / 2;
      this.a = Math.min(Math.max(this.from, middle - span / 2), this.to - span);
      this.b = this.a + span;
      this.redraw();
    }

    zoom(factor, at = (this.a + this.b) / 2) {
      const span = Math.max(this.smallest, (this.b - this.a) * factor);
      const share = (at - this.a) / (this.b - this.a);
      this.show(at - share * span, at + (1 - share) * span);
    }

    pan(share) {
      const step = share * (this.b - this.a);
      this.show(this.a + step, this.b + step);
    }

    whole() { this.show(this.from, this.to); }

    wheel(e) {
      // plain scrolling stays with the page
      if (!e.ctrlKey && !e.metaKey && Math.abs(e.deltaX) <= Math.abs(e.deltaY)) return;
      e.preventDefault();
      if (e.ctrlKey || e.metaKey) this.zoom(Math.exp(e.deltaY * 0.004), this.timeAt(e.offsetX));
      else this.pan(e.deltaX / this.width);
    }

    press(e) {
      this.canvas.setPointerCapture(e.pointerId);
      this.fingers.set(e.pointerId, e.offsetX);
      this.still = this.fingers.size === 1 ? [e.offsetX, e.offsetY] : null;
    }

    move(e) {
      if (!this.fingers.has(e.pointerId)) return;
      const before = [...this.fingers.values()];
      if (this.still && Math.abs(e.offsetX - this.still[0]) < 4) return;
      this.still = null;
      this.fingers.set(e.pointerId, e.offsetX);
      const after = [...this.fingers.values()];
      if (before.length === 1) {
        this.pan((before[0] - after[0]) / this.width);
      } else {
        const was = Math.abs(before[0] - before[1]), is = Math.abs(after[0] - after[1]);
        if (was > 8 && is > 8) this.zoom(was / is, this.timeAt((after[0] + after[1]) / 2));
      }
    }

    release(e) {
      if (this.still && this.fingers.has(e.pointerId) && e.type === "pointerup") {
        this.onTap(this.still[0], this.still[1], e.pointerType === "mouse" ? 7 : 18);
      }
      this.still = null;
      this.fingers.delete(e.pointerId);
    }

    key(e) {
      const acts = {
        ArrowLeft: () => this.pan(-0.2), ArrowRight: () => this.pan(0.2),
        "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2),
        0: () => this.whole(), Home: () => this.whole(), ...this.keys,
      };
      if (!acts[e.key] || e.ctrlKey || e.metaKey || e.altKey) return;
      e.preventDefault();
      acts[e.key]();
    }

    redraw() {
      if (this.waiting) return;
      this.waiting = true;
      requestAnimationFrame(() => {
        this.waiting = false;
        const { canvas } = this, ratio = devicePixelRatio || 1;
        const w = canvas.clientWidth, h = canvas.clientHeight;
        if (!w || !h) return;
        if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
          canvas.width = Math.round(w * ratio);
          canvas.height = Math.round(h * ratio);
        }
        const g = canvas.getContext("2d");
        g.setTransform(ratio, 0, 0, ratio, 0, 0);
        g.clearRect(0, 0, w, h);
        this.draw(g, this, w, h);
      });
    }
  }

  // ---- pieces of pictures --------------------------------------------------------------
  const ink = (name) =>
    getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

  function text(g, words, x, y, color = "muted", align = "left", size = 12) {
    g.font = `${size}px system-ui, sans-serif`;
    g.fillStyle = ink(color);
    g.textAlign = align;
    g.textBaseline = "middle";
    g.fillText(words, x, y);
  }

  function line(g, x1, y1, x2, y2, color, width = 1, dash = []) {
    g.strokeStyle = color;
    g.lineWidth = width;
    g.setLineDash(dash);
    g.beginPath();
    g.moveTo(x1, y1);
    g.lineTo(x2, y2);
    g.stroke();
    g.setLineDash([]);
  }

  // a waveform; `dots` marks its samples where they stand apart
  function wave(g, values, xOf, yOf, color, dots) {
    g.strokeStyle = g.fillStyle = color;
    g.lineWidth = 1.1;
    g.beginPath();
    let pen = false;
    for (let i = 0; i < values.length; i++) {
      const v = values[i];
      if (Number.isNaN(v)) { pen = false; continue; }
      if (pen) g.lineTo(xOf(i), yOf(v)); else g.moveTo(xOf(i), yOf(v));
      pen = true;
    }
    g.stroke();
    if (!dots) return;
    for (let i = 0; i < values.length; i++) {
      if (!Number.isNaN(values[i])) g.fillRect(xOf(i) - 1.5, yOf(values[i]) - 1.5, 3, 3);
    }
  }

  const STEPS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60,
    120, 300, 600, 900, 1800, 3600, 7200, 14400];
  const step = (span, wanted) => STEPS.find((s) => span / s <= wanted) ?? STEPS.at(-1);

  function nice(value) {
    const power = 10 ** Math.floor(Math.log10(value));
    return [5, 2, 1].map((s) => s * power).find((s) => s <= value);
  }

  return { MISSING, unpack, whole, doubles, Pyramid, View, ink, text, line, wave, step, nice };
})();
