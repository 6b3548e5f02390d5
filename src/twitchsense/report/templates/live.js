// The live page: the last half minute of each signal, and the events found so far.
"use strict";
(() => {
  const { cssColor, drawText, drawLine } = twitchsense;
  const byId = (id) => document.getElementById(id);
  document.documentElement.dataset.theme = "dark"; // the page is open at night
  const query = location.search;
  const ROW_HEIGHT = 96;
  let state = null; // the newest state the server sent

  function draw() {
    const canvas = byId("waveforms"), ratio = devicePixelRatio || 1;
    const width = canvas.clientWidth, height = Math.max(1, state.waveforms.length) * ROW_HEIGHT + 24;
    canvas.style.height = `${height}px`;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const left = 96, plotWidth = width - left - 8;
    state.waveforms.forEach(({ name, kind, columns: [low, high] }, k) => {
      const top = k * ROW_HEIGHT + 6, plotHeight = ROW_HEIGHT - 20, isEmg = kind === "emg";
      const magnitudes = [...low, ...high].filter((v) => v !== null).map(Math.abs);
      const peak = Math.max(isEmg ? 50 : 0.02, ...magnitudes), limit = peak * 1.05;
      const yOf = (value) => (isEmg
        ? top + plotHeight / 2 - (value / limit) * (plotHeight / 2)
        : top + plotHeight - (value / limit) * plotHeight);
      const shownPeak = peak >= 10 ? Math.round(peak) : Number(peak.toPrecision(2));
      drawText(context, name.slice(0, 12), 0, top + plotHeight / 2 - 8, "text");
      drawText(context, `${isEmg ? "±" : ""}${shownPeak} ${isEmg ? "µV" : "g"}`, 0, top + plotHeight / 2 + 8);
      drawLine(context, left, yOf(0), left + plotWidth, yOf(0), cssColor("border"));
      const columnWidth = plotWidth / low.length;
      for (let i = 0; i < low.length; i++) {
        const x = left + i * columnWidth, isMissing = high[i] === null;
        context.fillStyle = cssColor(isMissing ? "no-signal" : kind);
        if (isMissing) {
          context.fillRect(x, top, columnWidth + 0.5, plotHeight);
        } else {
          const y = yOf(high[i]);
          context.fillRect(x, y, columnWidth, Math.max(1, yOf(isEmg ? low[i] : 0) - y));
        }
      }
    });
    drawText(context, state.over ? "30 s before" : "30 s ago", left, height - 8);
    drawText(context, state.over ? "the end" : "now", left + plotWidth, height - 8, "muted", "right");
  }

  function formatEvent([time, kind, seconds, channel, isFinal]) {
    const duration = seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`;
    const clock = new Date(time * 1000).toLocaleTimeString("en-GB");
    return `${clock}  ${kind}, ${duration}, ${channel}${isFinal ? "" : ", may still change"}`;
  }

  function show() {
    byId("title").textContent = state.over ? "Recorded" : "Recording";
    byId("connection").textContent = state.link;
    byId("connection").style.color = cssColor(state.silent ? "warning" : "text");
    byId("packets").textContent = `${state.frames.toLocaleString("en")} packets stored, ${state.lost.toLocaleString("en")} lost · battery ${state.battery}`;
    byId("no-events").hidden = state.events.length > 0;
    byId("events").replaceChildren(...state.events.map((event) => {
      const item = document.createElement("li");
      item.textContent = formatEvent(event);
      return item;
    }));
    byId("counts").textContent = state.counts === null ? ""
      : Object.entries(state.counts).map(([kind, n]) => `${n} ${kind}`).join(", ");
    document.documentElement.dataset.until = state.until;
    draw();
  }

  const source = new EventSource(`/news${query}`);
  source.onmessage = (message) => { state = JSON.parse(message.data); requestAnimationFrame(show); };
  source.onerror = () => { byId("connection").textContent = "the live view has ended, or another browser has it open; the recording continues by itself"; };
  byId("marker-form").addEventListener("submit", async (e) => {
    e.preventDefault();
    const note = byId("marker-status");
    try {
      const response = await fetch(`/marker${query}`, { method: "POST", body: byId("marker-text").value });
      note.textContent = response.ok ? `stored at ${new Date().toLocaleTimeString("en-GB")}` : await response.text();
      if (response.ok) byId("marker-text").value = "";
    } catch {
      note.textContent = "the live view did not answer: the marker may not be stored, so store it again";
    }
  });
})();
