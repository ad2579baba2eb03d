// What the live tab shows: boxes over the picture, the curve, the events, the chosen one, the figures.
"use strict";
window.MerLive = window.MerLive || {};

(() => {
  const SECONDS = 12; // of the curve
  const CURVE_MS = 100; // between two drawings, at least
  const CURVE_SHARE = 0.08; // of the page's time, at most: on a slow machine the camera goes first
  const MOST_EVENTS = 50;
  const GATES = { lost: "No face in view", blink: "Blink: not judged", motion: "Head moves: not judged" };
  const $ = (id) => document.getElementById(id);
  const colour = (name) => getComputedStyle(document.body).getPropertyValue(`--mer-${name}`).trim();
  const dark = () => document.body.classList.contains("dark");
  const ms = (value) => `${Math.round(value)} ms`;

  let plotly;
  function loadPlotly() {
    plotly ||= new Promise((done) => {
      if (window.Plotly) return done(window.Plotly);
      const script = Object.assign(document.createElement("script"), { src: "/mer/static/plotly.min.js" });
      script.onload = () => done(window.Plotly);
      document.head.append(script);
    });
    return plotly;
  }

  // --- over the picture

  function overlay(face, width, height) {
    const canvas = $("mer-overlay"), context = canvas.getContext("2d");
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context.clearRect(0, 0, width, height);
    const gate = $("mer-gate");
    const word = !face ? GATES.lost : face.gate ? GATES[face.gate] : face.ready ? "" : "Learning the resting face: hold still";
    gate.hidden = !word;
    if (gate.textContent !== word) gate.textContent = word;
    if (!face) return;
    const [left, top, right, bottom] = face.box;
    const unit = width / 640;
    context.lineWidth = 2 * unit;
    context.strokeStyle = face.gate ? "#f0c062" : "#6fd3c8";
    context.strokeRect(left, top, right - left, bottom - top);
    context.lineWidth = 1.25 * unit;
    context.setLineDash([5 * unit, 4 * unit]);
    for (const quad of face.regions) {
      context.beginPath();
      quad.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
      context.closePath();
      context.stroke();
    }
    context.setLineDash([]);
  }

  // --- the curve

  const points = { x: [], y: [], threshold: [] };
  let marks = [], gates = [], drawn = 0, drawings = 0, pause = CURVE_MS, curveReady = false;

  function clearCurve() {
    points.x = []; points.y = []; points.threshold = [];
    marks = []; gates = [];
    drawCurve();
  }

  function addPoints(fresh) {
    for (const [at, difference, threshold, gate] of fresh) {
      points.x.push(at); points.y.push(difference); points.threshold.push(threshold);
      const last = gates.at(-1);
      if (gate && last && last.kind === gate && last.open) last.end = at;
      else {
        if (last) last.open = false;
        if (gate) gates.push({ kind: gate, start: at, end: at, open: true });
      }
    }
    const from = points.x.length ? points.x.at(-1) - SECONDS - 1 : 0;
    const old = points.x.findIndex((at) => at >= from);
    if (old > 60) for (const name of ["x", "y", "threshold"]) points[name].splice(0, old);
    gates = gates.filter((gate) => gate.end >= from);
    marks = marks.filter((mark) => mark.offset_s >= from);
    if (performance.now() - drawn >= pause && !document.hidden) drawCurve();
  }

  async function drawCurve() {
    drawn = performance.now();
    if (!curveReady) { await loadPlotly(); curveReady = true; drawn = performance.now(); }
    const end = Math.max(points.x.at(-1) ?? SECONDS, SECONDS), ink = colour("quiet"), grid = colour("line");
    const bands = gates.filter((gate) => gate.kind !== "lost" || gate.end > gate.start).map((gate) => ({
      type: "rect", xref: "x", yref: "paper", x0: gate.start, x1: gate.end, y0: 0, y1: 1, line: { width: 0 }, layer: "below",
      fillcolor: gate.kind === "lost" ? "rgba(128,128,128,.22)" : gate.kind === "blink" ? "rgba(140,110,220,.22)" : "rgba(220,160,40,.22)",
    }));
    const lines = marks.flatMap((mark) => ["onset", "apex", "offset"].map((name) => ({
      type: "line", xref: "x", yref: "paper", x0: mark[`${name}_s`], x1: mark[`${name}_s`], y0: 0, y1: 1,
      line: { color: colour(name), width: name === "apex" ? 2 : 1.25, dash: name === "apex" ? "solid" : "dot" },
    })));
    const words = marks.filter((mark) => mark.apex_s > end - SECONDS + 0.4).map((mark) => ({
      x: mark.apex_s, y: 1, xref: "x", yref: "paper", yanchor: "bottom", text: mark.label, showarrow: false, font: { color: colour("apex"), size: 12 },
    }));
    // a blink is many times as high as what is looked for: the paper's height belongs to the threshold
    const limit = Math.max(...points.threshold.slice(-300).filter(Number.isFinite), 4);
    const seen = points.y.filter(Number.isFinite);
    const top = Math.min(Math.max(limit * 1.6, ...seen), limit * 3.2);
    window.Plotly.react($("mer-curve"), [
      { x: points.x, y: points.threshold, mode: "lines", name: "threshold", hoverinfo: "skip", line: { color: colour("macro"), width: 1.5, dash: "dash" } },
      { x: points.x, y: points.y, mode: "lines", name: "difference", hoverinfo: "skip", line: { color: colour("accent"), width: 1.75 } },
    ], {
      height: 230, margin: { l: 44, r: 10, t: 24, b: 40 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: ink, size: 12 }, showlegend: true, legend: { orientation: "h", x: 1, xanchor: "right", y: -0.16, yanchor: "top" },
      xaxis: { range: [end - SECONDS, end], gridcolor: grid, zeroline: false, fixedrange: true, ticksuffix: " s", ticks: "outside", ticklen: 6, tickcolor: "rgba(0,0,0,0)" },
      yaxis: { range: [0, top], gridcolor: grid, zeroline: false, fixedrange: true },
      shapes: [...bands, ...lines], annotations: words, datarevision: ++drawings,
    }, { displayModeBar: false, responsive: true, staticPlot: true });
    pause = Math.max(CURVE_MS, 0.8 * pause, Math.min((performance.now() - drawn) / CURVE_SHARE, 500));
  }

  // --- the events

  const pictures = new Map(); // "number/name" → URL of a picture in memory

  function clearEvents() {
    $("mer-events").replaceChildren();
    for (const url of pictures.values()) URL.revokeObjectURL(url);
    pictures.clear();
    $("mer-count").textContent = "0";
    $("mer-none").hidden = false;
    $("mer-detail").hidden = true;
    $("mer-detail-box").classList.remove("mer-open");
  }

  function addEvent(event, unsure, choose) {
    marks.push(event);
    const row = document.createElement("li"), button = document.createElement("button");
    row.value = event.event;
    button.type = "button";
    button.className = "mer-event";
    button.dataset.number = event.event;
    button.setAttribute("aria-pressed", "false");
    const score = Math.max(...Object.values(event.scores)), long = event.offset_s - event.onset_s;
    const images = ["onset", "apex"].map((name) => Object.assign(document.createElement("img"), { alt: `Face at ${name}`, width: 56, height: 56 }));
    images.forEach((image, i) => { image.dataset.name = ["onset", "apex"][i]; });
    const words = document.createElement("span");
    const name = Object.assign(document.createElement("strong"), { textContent: event.label });
    if (unsure) name.className = "mer-unsure";
    const kind = Object.assign(document.createElement("span"), { className: `mer-kind mer-${event.kind}`, textContent: event.kind });
    const more = Object.assign(document.createElement("small"), {
      textContent: `${unsure ? "likeliest" : "score"} ${score.toFixed(2)} · at ${event.apex_s.toFixed(2)} s · lasted ${long.toFixed(2)} s · known after ${ms(event.latency_ms)}`,
    });
    words.append(name, " ", kind, document.createElement("br"), more);
    button.append(...images, words);
    button.onclick = () => choose(event, button);
    row.append(button);
    const list = $("mer-events");
    list.prepend(row);
    while (list.children.length > MOST_EVENTS) {
      forget(Number(list.lastChild.value));
      list.lastChild.remove();
    }
    $("mer-none").hidden = true;
  }

  function forget(number) {
    for (const name of ["onset", "apex", "magnified", "flow", "strain", "looked"]) {
      const url = pictures.get(`${number}/${name}`);
      if (url) URL.revokeObjectURL(url);
      pictures.delete(`${number}/${name}`);
    }
  }

  const KINDS = { magnified: "image/webp" };
  function picture(number, name, data, shown) {
    const key = `${number}/${name}`, before = pictures.get(key);
    const url = URL.createObjectURL(new Blob([data], { type: KINDS[name] || "image/jpeg" }));
    pictures.set(key, url);
    const small = document.querySelector(`.mer-event[data-number="${number}"] img[data-name="${name}"]`);
    if (small) small.src = url;
    if (number === shown) fill(name, url);
    if (before) setTimeout(() => URL.revokeObjectURL(before), 1000);
  }

  const ALTS = { magnified: "Slow motion from onset to apex, enlarged", flow: "Motion as colours", strain: "Strain of the skin", looked: "What the network's answer depended on" };
  function fill(name, url) {
    const box = document.querySelector(`.mer-picture[data-name="${name}"]`);
    if (!box) return;
    const image = box.querySelector("img") || box.replaceChildren() || box.appendChild(document.createElement("img"));
    image.alt = ALTS[name];
    image.src = url;
  }

  function words(name, text) {
    const box = document.querySelector(`.mer-picture[data-name="${name}"]`);
    if (box) box.replaceChildren(Object.assign(document.createElement("p"), { textContent: text }));
  }

  function openDetail(event, button) {
    document.querySelectorAll(".mer-event").forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
    $("mer-detail").hidden = false;
    $("mer-detail-box").classList.add("mer-open");
    $("mer-detail-title").textContent = `Event ${event.event}: ${event.label}, ${event.onset_s.toFixed(2)} to ${event.offset_s.toFixed(2)} s`;
    for (const name of Object.keys(ALTS)) {
      const url = pictures.get(`${event.event}/${name}`);
      if (url) fill(name, url);
      else words(name, "Being made …");
    }
    $("mer-scores").replaceChildren();
  }

  async function scores(figure) {
    await loadPlotly();
    const layout = { ...figure.layout, autosize: true, width: undefined };
    window.Plotly.newPlot($("mer-scores"), figure.data, layout, { displayModeBar: false, responsive: true, staticPlot: true });
  }

  // --- the figures

  function health(figures) {
    const list = $("mer-health");
    const rows = Object.entries(figures).map(([name, [value, title]]) => {
      const box = document.createElement("div");
      box.append(Object.assign(document.createElement("dt"), { textContent: name }), Object.assign(document.createElement("dd"), { textContent: value, title: title || "" }));
      return box;
    });
    list.replaceChildren(...rows);
  }

  function viewer(image, width, height) {
    const canvas = $("mer-viewer");
    if (canvas.width !== image.width || canvas.height !== image.height) Object.assign(canvas, { width: image.width, height: image.height });
    canvas.getContext("2d").drawImage(image, 0, 0);
    canvas.dataset.width = width;
    canvas.dataset.height = height;
  }

  MerLive.view = { overlay, addPoints, clearCurve, drawCurve, addEvent, clearEvents, picture, words, openDetail, scores, health, viewer, dark, ms };
})();
