// The timeline as a drawing: micro and macro events on lanes of their own, the curve below, and where nothing could be judged.
import { clock } from "./arithmetic.js";
import { colour, css, make } from "./parts.js";

const GUTTER = 52, MARGIN = 8; // pixels left and right of the time
const LANES = { micro: [10, 36], macro: [42, 68] }, TOP = 80, FOOT = 24; // pixels
const STEPS = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600]; // seconds
const STEP_WIDE = 64; // pixels from one time to the next, at least
const MOST_POINTS = 3000; // of a line: in a long view, the largest of each few frames
const CROWDED = 12; // pixels an event: where there is less, only the lanes show them, or they would hide the curve

export class Curve {
  constructor(data) {
    this.data = data;
    this.top = highest(data);
    this.canvas = make("canvas", { "aria-hidden": "true" });
    this.after = new Map(); // of each event, when the next one of its lane begins: room for its label
    for (const lane of Object.keys(LANES)) {
      const row = data.events.filter((event) => event.kind === lane).sort((one, other) => one.onset_s - other.onset_s);
      row.forEach((event, i) => this.after.set(event, row[i + 1] ? row[i + 1].onset_s : Infinity));
    }
  }

  /** The share, 0 to 1, of the time in view at a place on screen. */
  share(clientX) {
    const box = this.canvas.getBoundingClientRect();
    return Math.min(Math.max((clientX - box.left - GUTTER) / (box.width - GUTTER - MARGIN), 0), 1);
  }

  /** view: [from, to] seconds. first, last: the frames in it. now: seconds. chosen: an event or none.
   * differs(event): another model's label, or "". passes(event): whether it is to be shown. */
  draw({ view: [from, to], first, last, now, chosen, differs, passes }) {
    const ratio = window.devicePixelRatio || 1, { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width) return;
    Object.assign(this.canvas, { width: width * ratio, height: height * ratio });
    const g = this.canvas.getContext("2d"), right = width - MARGIN, bottom = height - FOOT;
    g.scale(ratio, ratio);
    g.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    g.textBaseline = "middle";
    const paper = {
      g, from, to, right, bottom,
      ink: css("--mer-ink"), quiet: css("--mer-quiet"), ground: css("--mer-ground"), grid: css("--mer-line"),
      x: (t) => GUTTER + (t - from) / (to - from) * (right - GUTTER),
      y: (value) => bottom - Math.min(value / this.top, 1) * (bottom - TOP),
    };
    this.ground(paper);
    g.save();
    g.beginPath();
    g.rect(GUTTER, 0, right - GUTTER, height);
    g.clip();
    this.gates(paper);
    const shown = this.data.events.filter((event) => event.offset_s >= from && event.onset_s <= to && passes(event));
    const crowded = shown.length * CROWDED > right - GUTTER;
    for (const event of shown) this.event(paper, event, differs(event), event === chosen, !crowded);
    this.line(paper, this.data.threshold, first, last, css("--mer-macro"), [4, 4]);
    this.line(paper, this.data.difference, first, last, paper.ink, []);
    g.strokeStyle = css("--mer-apex");
    g.lineWidth = 2;
    stroke(g, paper.x(now), 4, paper.x(now), bottom + 4);
    g.restore();
  }

  ground({ g, from, to, x, right, bottom, quiet, grid }) {
    g.textAlign = "right";
    for (const [kind, [top, foot]] of Object.entries(LANES)) {
      g.fillStyle = quiet;
      g.fillText(kind, GUTTER - 8, (top + foot) / 2);
      fill(g, grid, 0.45, GUTTER, top, right - GUTTER, foot - top);
    }
    g.fillStyle = quiet;
    g.fillText("curve", GUTTER - 8, (TOP + bottom) / 2);
    g.textAlign = "center";
    const step = STEPS.find((one) => one / (to - from) * (right - GUTTER) > STEP_WIDE) || STEPS.at(-1);
    for (let t = Math.ceil(from / step - 1e-6) * step; t <= to + 1e-6; t += step) {
      g.fillText(to < 60 ? `${+t.toFixed(2)} s` : clock(t, step < 1 ? 2 : 0), Math.min(x(t), right - 14), bottom + 13);
    }
    g.textAlign = "left";
    g.strokeStyle = grid;
    g.lineWidth = 1;
    stroke(g, GUTTER, bottom, right, bottom);
  }

  gates({ g, from, to, x, bottom, quiet }) {
    for (const [begin, end, gate] of this.data.spans) {
      if (end < from || begin > to) continue;
      const wide = x(end) - x(begin);
      fill(g, quiet, gate === "lost" ? 0.28 : 0.16, x(begin), TOP, Math.max(1, wide), bottom - TOP);
      const words = this.data.causes[gate];
      if (wide > g.measureText(words).width + 8) g.fillText(words, Math.max(x(begin), GUTTER) + 4, bottom - 9);
    }
  }

  event({ g, x, right, bottom, ink, ground }, event, other, chosen, roomy) {
    const [top, foot] = LANES[event.kind] || LANES.micro, tint = colour(this.data, event.label);
    const left = x(event.onset_s), wide = Math.max(3, x(event.offset_s) - left), apex = x(event.apex_s);
    fill(g, tint, 1, left, top + 2, wide, foot - top - 4);
    if (chosen) {
      g.strokeStyle = ink;
      g.lineWidth = 2;
      g.strokeRect(left - 1, top + 1, wide + 2, foot - top - 2);
    }
    if (chosen || roomy) {
      fill(g, tint, chosen ? 0.25 : 0.13, left, TOP, wide, bottom - TOP);
      g.strokeStyle = tint;
      g.lineWidth = 1.5;
      stroke(g, apex, top + 2, apex, bottom);
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

  line({ g, x, y }, values, first, last, tint, dash) {
    const { times } = this.data, every = Math.max(1, Math.floor((last - first) / MOST_POINTS));
    g.strokeStyle = tint;
    g.lineWidth = 1.3;
    g.setLineDash(dash);
    g.beginPath();
    let drawing = false;
    for (let i = first; i <= last; i += every) {
      let value = null;
      for (let j = i; j < Math.min(i + every, last + 1); j++) if (values[j] !== null) value = Math.max(value ?? -Infinity, values[j]);
      if (value !== null && drawing) g.lineTo(x(times[i]), y(value));
      else if (value !== null) g.moveTo(x(times[i]), y(value));
      drawing = value !== null;
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
