// What a recording is moved about in with: the row of buttons, the timeline as a slider, and which keys do the same.
import { make } from "./timeline_parts.js";

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
  one.addEventListener("pointermove", (e) => { if (e.buttons) player.scrub(e); });
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
