// The scrolling curve of the live tab: the difference from rest, its limit, where the events were, and what was set aside.
// Its legend stands below it (live/markup.py): a still one costs no drawing.
const SECONDS = 12; // that are shown
const EVERY_MS = 100; // between two drawings, at least
const SHARE = 0.08; // of the page's time, at most: on a slow machine the camera goes first
const BANDS = { lost: "rgba(128,128,128,.22)", blink: "rgba(140,110,220,.22)", motion: "rgba(220,160,40,.22)" }; // live.css has them, too
const paper = () => document.getElementById("mer-curve");
const colour = (name) => getComputedStyle(document.body).getPropertyValue(`--mer-${name}`).trim();

let loading;

/** The library, once it is there. */
export function plotly() {
  loading ||= new Promise((done) => {
    if (window.Plotly) return done(window.Plotly);
    const script = Object.assign(document.createElement("script"), { src: "/mer/static/plotly.min.js" });
    script.onload = () => done(window.Plotly);
    document.head.append(script);
  });
  return loading;
}

const points = { x: [], y: [], threshold: [] };
let marks = [], aside = [], gates = [], drawn = 0, drawings = 0, pause = EVERY_MS, ready = false;

function clear() {
  points.x = []; points.y = []; points.threshold = [];
  marks = []; aside = []; gates = [];
  draw();
}

// One that was told at its apex is replaced by what became of it.
function mark(event) {
  marks = marks.filter((one) => one.event !== event.event);
  if (!event.withdrawn) marks.push(event);
}

// fresh: [seconds, difference, threshold, gate or none] each; setAside: [seconds, why] each
function add(fresh, setAside = []) {
  aside.push(...setAside);
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
  aside = aside.filter(([at]) => at >= from);
  if (performance.now() - drawn >= pause && !document.hidden) draw();
}

async function draw() {
  drawn = performance.now();
  if (!ready) { await plotly(); ready = true; drawn = performance.now(); }
  const end = Math.max(points.x.at(-1) ?? SECONDS, SECONDS);
  const most = top();
  window.Plotly.react(paper(), lines(most), layout(end, most), { displayModeBar: false, responsive: true, staticPlot: true });
  pause = Math.max(EVERY_MS, 0.8 * pause, Math.min((performance.now() - drawn) / SHARE, 500));
}

// of the curve at a moment
function height(at) {
  const i = points.x.findIndex((x) => x >= at);
  return Number.isFinite(points.y[i]) ? points.y[i] : 0;
}

function lines(most) {
  return [
    { x: points.x, y: points.threshold, mode: "lines", hoverinfo: "skip", line: { color: colour("macro"), width: 1.5, dash: "dash" } },
    { x: points.x, y: points.y, mode: "lines", hoverinfo: "skip", line: { color: colour("accent"), width: 1.75 } },
    {
      x: aside.map(([at]) => at), y: aside.map(([at]) => Math.min(height(at), 0.86 * most)), text: aside.map(([, why]) => why),
      mode: "markers+text", textposition: "top center", hoverinfo: "skip", textfont: { color: colour("quiet"), size: 11 },
      marker: { symbol: "x-thin", size: 8, line: { color: colour("quiet"), width: 2 } },
    },
  ];
}

function layout(end, most) {
  const grid = colour("line");
  const bands = gates.filter((gate) => gate.kind !== "lost" || gate.end > gate.start).map((gate) => ({
    type: "rect", xref: "x", yref: "paper", x0: gate.start, x1: gate.end, y0: 0, y1: 1, line: { width: 0 }, layer: "below", fillcolor: BANDS[gate.kind],
  }));
  const moments = marks.flatMap((mark) => ["onset", "apex", ...(mark.provisional ? [] : ["offset"])].map((name) => ({
    type: "line", xref: "x", yref: "paper", x0: mark[`${name}_s`], x1: mark[`${name}_s`], y0: 0, y1: 1,
    line: { color: colour(name), width: name === "apex" ? 2 : 1.25, dash: name === "apex" ? "solid" : "dot" },
  })));
  const words = marks.filter((mark) => mark.apex_s > end - SECONDS + 0.4).map((mark) => ({
    x: mark.apex_s, y: 1, xref: "x", yref: "paper", yanchor: "bottom", text: mark.label, showarrow: false, font: { color: colour("apex"), size: 12 },
  }));
  return {
    height: 190, margin: { l: 56, r: 10, t: 22, b: 26 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: colour("quiet"), size: 12 }, showlegend: false,
    xaxis: { range: [end - SECONDS, end], gridcolor: grid, zeroline: false, fixedrange: true, ticksuffix: " s", ticks: "outside", ticklen: 6, tickcolor: "rgba(0,0,0,0)" },
    yaxis: { range: [0, most], title: { text: "× usual at rest", standoff: 8 }, ticksuffix: "×", gridcolor: grid, zeroline: false, fixedrange: true },
    shapes: [...bands, ...moments], annotations: words, datarevision: ++drawings,
  };
}

// a blink is many times as high as what is looked for: the paper's height belongs to the threshold
function top() {
  const limit = Math.max(...points.threshold.slice(-300).filter(Number.isFinite), 4);
  return Math.min(Math.max(limit * 1.6, ...points.y.filter(Number.isFinite)), limit * 3.2);
}

export const curve = { add, mark, clear, draw };
