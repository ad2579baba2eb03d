// The timeline as a drawing: micro and macro events on lanes of their own, the curve below, and where nothing could be judged; under
// it, by the same time, what was measured in every frame.
import { clock } from "./arithmetic.js";
import { decimals } from "./lanes.js";
import { colour, css, dark, make } from "./parts.js";

const GUTTER = 52, MARGIN = 8; // pixels left and right of the time
const ROW = 32, BAR = 26, FIRST = 10; // pixels: from one lane of events to the next, of it the bar; above the first
const CURVE = 106, LANE = 52, FOOT = 24; // pixels: of the curve, of each lane of measures, of the times below
const STEPS = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600]; // seconds
const STEP_WIDE = 64; // pixels from one time to the next, at least
const MOST_POINTS = 3000; // of a line: in a long view, the least and the largest of each few frames
const NAME = 7; // letters of a coder's that fit
const CROWDED = 12; // pixels an event: where there is less, only the lanes show them, or they would hide the curve

export class Curve {
  constructor(data) {
    this.data = data;
    this.highest = highest(data);
    this.canvas = make("canvas", { "aria-hidden": "true" });
    this.after = new Map(); // of each event, when the next one of its lane begins: room for its label
    this.rows = ["micro", "macro"].map((kind) => this.row(kind, data.events.filter((event) => event.kind === kind)));
  }

  /** A lane of events: {name, events, coder: whether they are a coder's}. */
  row(name, events, coder = false) {
    const row = [...events].sort((one, other) => one.onset_s - other.onset_s);
    row.forEach((event, i) => this.after.set(event, row[i + 1] ? row[i + 1].onset_s : Infinity));
    return { name, events, coder };
  }

  /** Coders' marks, each on a lane below ours: [{name, events}]. */
  code(coders) {
    this.rows = [...this.rows.slice(0, 2), ...coders.map(({ name, events }) => this.row(name, events, true))];
  }

  /** Where the curve begins, pixels from above. */
  get top() { return FIRST + this.rows.length * ROW + 6; }

  /** The share, 0 to 1, of the time in view at a place on screen. */
  share(clientX) {
    const box = this.canvas.getBoundingClientRect();
    return Math.min(Math.max((clientX - box.left - GUTTER) / (box.width - GUTTER - MARGIN), 0), 1);
  }

  /** What is drawn at a height on screen, and in which unit. */
  about(clientY, lanes) {
    const y = clientY - this.canvas.getBoundingClientRect().top, row = this.rows[Math.floor((y - FIRST) / ROW)], lane = lanes[Math.floor((y - this.top - CURVE) / LANE)];
    if (y < this.top) return row?.coder ? "A coder's marks" : row?.name === "macro" ? "Macro-expressions: longer than half a second" : "Micro-expressions: half a second at most";
    if (y < this.top + CURVE) return "How far the face is from rest, multiples of what is usual; dashed: the limit above which a movement is looked at";
    return lane ? lane.about : "Time from the beginning";
  }

  /** view: [from, to] seconds. first, last: the frames in it. n: the frame on screen. chosen: an event or none.
   * differs(event): another model's label, or "". passes(event): whether it is to be shown. lanes: see lanes.js. */
  draw({ view: [from, to], first, last, n, chosen, differs, passes, lanes }) {
    const now = this.data.times[n], bottom = this.top + CURVE, foot = bottom + lanes.shown.length * LANE, height = foot + FOOT;
    this.canvas.style.height = `${height}px`;
    const ratio = window.devicePixelRatio || 1, { clientWidth: width } = this.canvas;
    if (!width) return;
    Object.assign(this.canvas, { width: width * ratio, height: height * ratio });
    const g = this.canvas.getContext("2d"), right = width - MARGIN;
    g.scale(ratio, ratio);
    g.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    g.textBaseline = "middle";
    const paper = {
      g, from, to, right, bottom, foot, first, last,
      ink: css("--mer-ink"), quiet: css("--mer-quiet"), ground: css("--mer-ground"), grid: css("--mer-line"),
      x: (t) => GUTTER + (t - from) / (to - from) * (right - GUTTER),
      y: (value) => bottom - Math.min(value / this.highest, 1) * CURVE,
    };
    this.ground(paper);
    g.save();
    g.beginPath();
    g.rect(GUTTER, 0, right - GUTTER, height);
    g.clip();
    this.gates(paper);
    const within = ({ events, coder }) => events.filter((event) => event.offset_s >= from && event.onset_s <= to && (coder || passes(event)));
    const shown = this.rows.map(within), crowded = shown.flat().length * CROWDED > right - GUTTER;
    shown.forEach((events, row) => {
      const { coder } = this.rows[row]; // theirs are not drawn through the curve
      for (const event of events) this.event(paper, row, event, coder ? "" : differs(event), event === chosen, !crowded && !coder);
    });
    this.line(paper, this.data.threshold, css("--mer-macro"), [4, 4]);
    this.line(paper, this.data.difference, paper.ink, []);
    lanes.shown.forEach((lane, i) => this.lane(paper, lane, bottom + i * LANE, lanes.words(lane, n)));
    g.strokeStyle = css("--mer-apex");
    g.lineWidth = 2;
    stroke(g, paper.x(now), 4, paper.x(now), foot + 4);
    g.restore();
  }

  ground({ g, from, to, x, right, bottom, foot, quiet, grid }) {
    g.textAlign = "right";
    this.rows.forEach(({ name }, i) => {
      g.fillStyle = quiet;
      g.fillText(name.length > NAME ? `${name.slice(0, NAME - 1)}…` : name, GUTTER - 8, FIRST + i * ROW + BAR / 2, GUTTER - 10);
      fill(g, grid, 0.45, GUTTER, FIRST + i * ROW, right - GUTTER, BAR);
    });
    g.fillStyle = quiet;
    g.fillText("curve", GUTTER - 8, (this.top + bottom) / 2);
    g.textAlign = "center";
    const step = STEPS.find((one) => one / (to - from) * (right - GUTTER) > STEP_WIDE) || STEPS.at(-1);
    for (let t = Math.ceil(from / step - 1e-6) * step; t <= to + 1e-6; t += step) {
      g.fillText(to < 60 ? `${+t.toFixed(2)} s` : clock(t, step < 1 ? 2 : 0), Math.min(x(t), right - 14), foot + 13);
    }
    g.textAlign = "left";
    g.strokeStyle = grid;
    g.lineWidth = 1;
    for (let y = bottom; y <= foot; y += LANE) stroke(g, GUTTER, y, right, y);
  }

  gates({ g, from, to, x, bottom, quiet }) {
    for (const [begin, end, gate] of this.data.spans) {
      if (end < from || begin > to) continue;
      const wide = x(end) - x(begin);
      fill(g, quiet, gate === "lost" ? 0.28 : 0.16, x(begin), this.top, Math.max(1, wide), CURVE);
      const words = this.data.causes[gate];
      if (wide > g.measureText(words).width + 8) g.fillText(words, Math.max(x(begin), GUTTER) + 4, bottom - 9);
    }
  }

  event({ g, x, right, foot: end, ink, ground }, row, event, other, chosen, roomy) {
    const top = FIRST + row * ROW, foot = top + BAR, tint = event.colours ? event.colours[Number(dark())] : colour(this.data, event.label);
    const left = x(event.onset_s), wide = Math.max(3, x(event.offset_s) - left), apex = x(event.apex_s);
    fill(g, tint, 1, left, top + 2, wide, foot - top - 4);
    if (chosen) {
      g.strokeStyle = ink;
      g.lineWidth = 2;
      g.strokeRect(left - 1, top + 1, wide + 2, foot - top - 2);
    }
    if (chosen || roomy) {
      fill(g, tint, chosen ? 0.25 : 0.13, left, this.top, wide, end - this.top);
      g.strokeStyle = tint;
      g.lineWidth = 1.5;
      stroke(g, apex, top + 2, apex, end);
    }
    const middle = (top + foot) / 2, room = Math.min(right, x(this.after.get(event) ?? Infinity)) - left - wide - 10;
    const sayings = other ? [`${event.label} ≠ ${other}`, `${event.label} ≠`, "≠"] : [event.label];
    for (const words of sayings) { // beside the bar, else in it, else not
      const long = g.measureText(words).width;
      if (long > room && long > wide - 10) continue;
      g.fillStyle = long > room ? ground : ink;
      g.fillText(words, long > room ? Math.max(left, GUTTER) + 5 : left + wide + 5, middle);
      break;
    }
  }

  /** What was measured, between its least and its largest; its number at the moment on screen, and what the height stands for. */
  lane({ g, x, right, ink, quiet, ground, first, last }, lane, top, words) {
    const { least, most, numbers } = lane, inner = LANE - 22;
    const y = (value) => top + LANE - 4 - (value - least) / (most - least || 1) * inner;
    this.line({ g, x, y, first, last }, numbers, ink, []);
    const say = (text, left, tint) => {
      fill(g, ground, 0.8, left - 3, top + 2, g.measureText(text).width + 6, 14);
      g.fillStyle = tint;
      g.fillText(text, left, top + 9);
    };
    say(words, GUTTER + 4, ink);
    if (!numbers.length) return;
    const scale = [least, most].map((value) => value.toFixed(decimals(lane))).join(" to "), wide = g.measureText(scale).width;
    if (GUTTER + 24 + g.measureText(words).width + wide < right) say(scale, right - wide - 4, quiet);
  }

  line({ g, x, y, first, last }, values, tint, dash) {
    const { times } = this.data, every = Math.max(1, Math.floor((last - first) / MOST_POINTS));
    g.strokeStyle = tint;
    g.lineWidth = 1.3;
    g.setLineDash(dash);
    g.beginPath();
    let drawing = false;
    for (let i = first; i <= last; i += every) {
      let low = Infinity, high = -Infinity;
      for (let j = i; j < Math.min(i + every, last + 1); j++) if (Number.isFinite(values[j])) { low = Math.min(low, values[j]); high = Math.max(high, values[j]); }
      const there = low <= high;
      if (there && drawing) g.lineTo(x(times[i]), y(high));
      else if (there) g.moveTo(x(times[i]), y(high));
      if (low < high) g.lineTo(x(times[i]), y(low));
      drawing = there;
    }
    g.stroke();
    g.setLineDash([]);
  }
}

/** Of the curve's paper. Blinks and head motion, which are no events, may stand out above it. */
function highest({ times, difference, threshold, spans }) {
  let most = 0.1, i = 0;
  times.forEach((t, n) => {
    while (i < spans.length && spans[i][1] <= t) i++;
    if (i < spans.length && spans[i][0] <= t) return;
    most = Math.max(most, Math.min(difference[n] || 0, 12 * (threshold[n] || 1)), 1.4 * (threshold[n] || 0));
  });
  return 1.15 * most;
}

function fill(g, tint, share, left, top, wide, tall) {
  g.globalAlpha = share;
  g.fillStyle = tint;
  g.fillRect(left, top, wide, tall);
  g.globalAlpha = 1;
}

function stroke(g, fromX, fromY, toX, toY) {
  g.beginPath();
  g.moveTo(fromX, fromY);
  g.lineTo(toX, toY);
  g.stroke();
}
