// What a recording is moved about in with: the row of buttons, the timeline as a slider, and which keys do the same.
import { make } from "./parts.js";

const SPEEDS = [["1", "1×"], ["0.5", "½×"], ["0.25", "¼×"], ["0.1", "⅒×"]];
const HINT = [
  ["←", ""], ["→", " a frame (with Shift ten), "], ["↑", ""], ["↓", " an event, "],
  ["Space", " plays, "], ["+", ""], ["−", " zoom"],
];

/** {row: the buttons, play: the one whose text changes, speed: the choice} */
export function controls(player) {
  const button = (text, label, run) => make("button", { type: "button", text, "aria-label": label, title: label, onclick: run });
  const play = button("Play", "Play or pause (space)", () => player.play());
  const speed = make("select", {}, ...SPEEDS.map(([value, text]) => make("option", { value, text })));
  const row = make("div", { class: "mr-keys" },
    button("|◀", "Event before (up)", () => player.step(-1)), button("◀", "Frame before (left)", () => player.go(player.n - 1)),
    play,
    button("▶", "Next frame (right)", () => player.go(player.n + 1)), button("▶|", "Next event (down)", () => player.step(1)),
    make("label", {}, "Speed", speed), player.sound.button, ...(player.sound.audio ? [player.sound.audio] : []),
    button("−", "Zoom out (-)", () => player.zoom(2)), button("+", "Zoom in (+)", () => player.zoom(0.5)));
  return { row, play, speed };
}

export function timeline(player) {
  const one = make("div", {
    class: "mr-time", tabindex: "0", role: "slider", "aria-label": "Timeline", "aria-orientation": "horizontal",
    "aria-valuemin": "0", "aria-valuemax": String(player.data.times.length - 1),
  }, player.curve.canvas);
  one.addEventListener("pointerdown", (e) => { one.setPointerCapture(e.pointerId); player.scrub(e); });
  one.addEventListener("pointermove", (e) => {
    if (e.buttons) player.scrub(e);
    const about = player.curve.about(e.clientY, player.lanes.shown);
    if (one.title !== about) one.title = about;
  });
  one.addEventListener("wheel", (e) => {
    if (!e.ctrlKey && !e.shiftKey) return; // the page scrolls
    e.preventDefault();
    player.zoom((e.deltaY || e.deltaX) > 0 ? 1.25 : 0.8);
  }, { passive: false });
  return one;
}

export function hint() {
  const words = make("p", { class: "mr-hint" });
  for (const [key, what] of HINT) words.append(make("kbd", { text: key }), what || " ");
  return words;
}

// Which of the events are shown: by kind, by label, by how certain it is that there is a movement at all.
const ALL = "all";
const CERTAIN = "That it is a movement at all, 0 to 1";

export class Filter {
  /** changed(): another choice was made. */
  constructor(data, changed) {
    this.data = data;
    this.passes = (event) => this.wanted(event);
    const of = (what) => [...new Set(data.events.map((event) => event[what]))].sort();
    const choice = (name, words, values) => make("select", { "aria-label": name, onchange: () => this.tell(changed) },
      make("option", { value: ALL, text: words }), ...values.map((value) => make("option", { value, text: value })));
    this.kind = choice("Kind", "micro and macro", of("kind"));
    this.label = choice("Label", "all labels", of("label"));
    this.least = make("input", { type: "range", min: "0", max: "1", step: "0.05", value: "0", "aria-label": "Certainty, at least",
      oninput: () => this.tell(changed) });
    this.at = make("output", { text: "0.00", title: CERTAIN });
    this.said = make("p", { class: "mr-hint", role: "status", title: "What the choices above leave" });
    const certain = make("label", { class: "mr-slide", title: CERTAIN }, "certainty ≥", this.least, this.at);
    this.root = make("div", { class: "mr-filter", role: "group", "aria-label": "Filter" }, this.kind, this.label, certain, this.said);
    this.root.hidden = data.events.length < 2;
  }

  wanted(event) {
    return [ALL, event.kind].includes(this.kind.value) && [ALL, event.label].includes(this.label.value) && event.confidence >= Number(this.least.value);
  }

  tell(changed) {
    const { events } = this.data, shown = events.filter(this.passes).length;
    this.at.textContent = Number(this.least.value).toFixed(2);
    this.said.textContent = shown < events.length ? `${shown} of ${events.length} events shown; downloads hold all.` : "";
    changed();
  }
}

// A button that opens a list of formats; each says what it is for.
/** menu: [kind, name, what it is for, whether it takes long]. choose(kind, slow) */
export function downloads(menu, choose) {
  const items = menu.map(([kind, name, about, slow]) => make("button", {
    type: "button", "data-kind": kind, onclick: () => {
      root.open = false;
      head.focus();
      choose(kind, slow);
    },
  }, make("b", { text: name }), make("span", { text: about })));
  const head = make("summary", { text: "Download" });
  const root = make("details", { class: "mr-menu" }, head, make("div", { class: "mr-formats", role: "group", "aria-label": "Formats" }, ...items));
  root.addEventListener("keydown", (/** @type {any} */ event) => {
    const place = items.indexOf(document.activeElement), step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape" && root.open) {
      root.open = false;
      head.focus();
    } else if (root.open && step) items[(place + step + items.length) % items.length].focus();
    else return;
    event.preventDefault();
    event.stopPropagation(); // the arrow keys are the timeline's otherwise
  });
  root.addEventListener("focusout", (/** @type {any} */ event) => { if (event.relatedTarget && !root.contains(event.relatedTarget)) root.open = false; });
  const outside = (event) => { if (!root.contains(event.target)) root.open = false; };
  root.addEventListener("toggle", () => document[root.open ? "addEventListener" : "removeEventListener"]("pointerdown", outside));
  return root;
}
