// What was measured in every frame, as lanes under the curve: which columns a person has chosen, and their numbers.
import { make } from "./parts.js";

const CHOSEN = "mer-replay-lanes"; // remembered by this browser, for the next recording too
const HINT = "Head pose, gaze and 52 blendshapes can be drawn here: tick “Measure every frame” before you drop a recording.";

export class Lanes {
  /** data: see replay/routes.py. changed(): other lanes, or their numbers have come. */
  constructor(token, data, changed) {
    this.token = token;
    this.changed = changed;
    this.frames = data.times.length;
    this.most = data.most_lanes;
    this.columns = new Map(data.measures.flatMap(([, columns]) => columns.map(([name, unit, about]) => [name, { unit, about }])));
    this.numbers = new Map(); // of a column: Float32Array, one a frame
    this.asked = new Set();
    this.chosen = remembered().filter((name) => this.columns.has(name)).slice(0, this.most);
    this.boxes = new Map();
    this.said = make("p", { class: "mr-hint", role: "status" });
    const groups = data.measures.map(([group, columns]) => this.group(group, columns));
    this.root = make("details", { class: "mr-lanes" }, make("summary", { text: "Lanes under the curve" }),
      ...(groups.length ? [...groups, this.said] : [make("p", { class: "mr-hint", text: HINT })]));
    this.tell();
    this.fetch();
  }

  group(name, columns) {
    const boxes = columns.map(([column, unit, about]) => {
      const box = make("input", { type: "checkbox", value: column, onchange: () => this.choose(column, box.checked) });
      box.checked = this.chosen.includes(column);
      this.boxes.set(column, box);
      return make("label", { title: unit ? `${about} (${unit})` : about }, box, column);
    });
    return make("fieldset", {}, make("legend", { text: name }), ...boxes);
  }

  choose(column, on) {
    this.chosen = on ? [...this.chosen, column] : this.chosen.filter((name) => name !== column);
    localStorage.setItem(CHOSEN, this.chosen.join(","));
    this.tell();
    this.changed();
    this.fetch();
  }

  tell() {
    const full = this.chosen.length >= this.most;
    for (const [column, box] of this.boxes) box.disabled = full && !this.chosen.includes(column);
    this.said.textContent = full ? `These are all that fit: ${this.most} lanes.` : this.chosen.length ? "Reports show these lanes, too." : "";
  }

  /** The numbers of the chosen columns that are not here yet, in one go. */
  async fetch() {
    const missing = this.chosen.filter((name) => !this.asked.has(name));
    if (!missing.length) return;
    for (const name of missing) this.asked.add(name);
    try {
      const answer = await fetch(`/mer/replay/${this.token}/measures/${missing.join(",")}`);
      if (!answer.ok) throw new Error(String(answer.status));
      const numbers = new Float32Array(await answer.arrayBuffer());
      missing.forEach((name, i) => this.numbers.set(name, numbers.subarray(i * this.frames, (i + 1) * this.frames)));
      this.changed();
    } catch {
      for (const name of missing) this.asked.delete(name);
      this.said.textContent = "These numbers did not come: choose them once more.";
    }
  }

  /** The lanes from above to below: name, unit, numbers (empty until they have come), their least and largest. */
  get shown() {
    return this.chosen.map((name) => {
      const numbers = this.numbers.get(name) || new Float32Array(0), { unit, about } = this.columns.get(name);
      return { name, unit, about, numbers, ...range(numbers) };
    });
  }

  /** As "pose_Rx 0.123 rad": what frame n has. */
  words(lane, n) {
    const value = lane.numbers[n];
    return Number.isFinite(value) ? `${lane.name} ${value.toFixed(decimals(lane))} ${lane.unit}`.trim() : lane.name;
  }
}

const ranges = new WeakMap(); // of numbers that were looked through

function range(numbers) {
  if (!ranges.has(numbers)) {
    let least = Infinity, most = -Infinity;
    for (const value of numbers) if (Number.isFinite(value)) { least = Math.min(least, value); most = Math.max(most, value); }
    ranges.set(numbers, least <= most ? { least, most } : { least: 0, most: 1 });
  }
  return ranges.get(numbers);
}

/** Enough to tell the lane's numbers apart. */
export const decimals = ({ least, most }) => Math.min(4, Math.max(0, 2 - Math.floor(Math.log10(most - least || 1))));

function remembered() {
  return (localStorage.getItem(CHOSEN) || "").split(",").filter(Boolean);
}
