// The live page: the last half minute of each signal, drawn with the report's pieces.
"use strict";
(() => {
  const { ink, text, line } = twitchsense;
  const $ = (id) => document.getElementById(id);
  document.documentElement.dataset.theme = "dark"; // it is night
  const query = location.search;
  const ROW = 96;
  let state = null;

  function draw() {
    const canvas = $("trails"), ratio = devicePixelRatio || 1;
    const rows = state.trails.length, w = canvas.clientWidth, h = Math.max(1, rows) * ROW + 24;
    canvas.style.height = `${h}px`;
    canvas.width = w * ratio;
    canvas.height = h * ratio;
    const g = canvas.getContext("2d");
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    const left = 96, wide = w - left - 8;
    state.trails.forEach(({ name, kind, columns: [low, high] }, k) => {
      const top = k * ROW + 6, height = ROW - 20, emg = kind === "emg";
      const known = [...low, ...high].filter((v) => v !== null).map(Math.abs);
      const most = Math.max(emg ? 50 : 0.02, ...known), reach = most * 1.05;
      const yOf = (v) => (emg ? top + height / 2 - (v / reach) * (height / 2) : top + height - (v / reach) * height);
      text(g, name.slice(0, 12), 0, top + height / 2 - 8, "ink");
      text(g, `${emg ? "±" : ""}${most >= 10 ? Math.round(most) : Number(most.toPrecision(2))} ${emg ? "µV" : "g"}`, 0, top + height / 2 + 8);
      line(g, left, yOf(0), left + wide, yOf(0), ink("line"));
      const each = wide / low.length;
      for (let i = 0; i < low.length; i++) {
        const x = left + i * each;
        g.fillStyle = ink(high[i] === null ? "no-signal" : kind);
        if (high[i] === null) g.fillRect(x, top, each + 0.5, height);
        else g.fillRect(x, yOf(high[i]), each, Math.max(1, yOf(emg ? low[i] : 0) - yOf(high[i])));
      }
    });
    text(g, state.over ? "30 s before" : "30 s ago", left, h - 8);
    text(g, state.over ? "the end" : "now", left + wide, h - 8, "muted", "right");
  }

  function show() {
    $("title").textContent = state.over ? "Recorded" : "Recording";
    $("link").textContent = state.link;
    $("link").style.color = state.silent ? ink("bad") : ink("ink");
    $("stored").textContent = `${state.frames.toLocaleString("en")} packets stored, ${state.lost.toLocaleString("en")} lost · battery ${state.battery}`;
    $("none").hidden = state.events.length > 0;
    $("events").replaceChildren(...state.events.map(([t, kind, seconds, channel, settled]) => {
      const item = document.createElement("li");
      item.textContent = `${new Date(t * 1000).toLocaleTimeString()}  ${kind}, ${seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`}, ${channel}${settled ? "" : ", may still change"}`;
      return item;
    }));
    $("counts").textContent = state.counts === null ? ""
      : Object.entries(state.counts).map(([kind, n]) => `${n} ${kind}`).join(", ");
    document.documentElement.dataset.until = state.until;
    draw();
  }

  const news = new EventSource(`/news${query}`);
  news.onmessage = (message) => { state = JSON.parse(message.data); requestAnimationFrame(show); };
  news.onerror = () => { $("link").textContent = "the live view has ended; the recording goes on by itself"; };
  $("mark").addEventListener("submit", async (e) => {
    e.preventDefault();
    const answer = await fetch(`/marker${query}`, { method: "POST", body: $("words").value });
    $("marked").textContent = answer.ok ? `stored at ${new Date().toLocaleTimeString()}` : await answer.text();
    if (answer.ok) $("words").value = "";
  });
})();
