// What a person does in the live tab: starts and stops, changes settings, keeps events, hides the tab.
import { $ } from "../shared/dom.js";
import { Camera, choices } from "./camera.js";
import { connection } from "./connection.js";
import { curve } from "./curve.js";
import { detail } from "./detail.js";
import { health } from "./health.js";
import { run, startCamera, startServer, stop } from "./run.js";
import { say } from "./stage.js";


function watch() {
  const field = $("mer-spec"), spec = field.value.trim();
  field.value = spec.replace(/^(\w+:\/\/[^/@:]*):[^@/]*@/, "$1:***@"); // the field shows no password
  startServer(spec);
}

function unfold() {
  const open = $("mer-settings").classList.toggle("mer-open");
  $("mer-settings-button").setAttribute("aria-expanded", String(open));
}

export function keep(on, pictures) {
  run.keeping = { on, pictures };
  connection.tell({ kind: "keep", on, pictures });
}

function record() {
  connection.tell({ kind: "record", on: $("mer-record").getAttribute("aria-pressed") !== "true" });
}

export function change(settings) {
  run.settings = settings;
  if (!run.wanted) return;
  run.wanted.settings = settings;
  connection.tell({ kind: "change", settings });
  say("Changing the settings …");
}

// "THRESHOLD CERTAINTY" → both, for their sliders
export function level(level, others) {
  const [threshold, certainty] = level.split(" ").map(Number);
  change({ ...others, threshold, certainty });
  return [threshold, certainty];
}

export const magnify = (times) => detail.magnify(times);

// for tests and the long run
export const figures = () => health.figures(run.wanted?.camera);
export const camera = () => run.wanted?.camera;
export const shown = () => detail.shown();
export const only = (codec) => { Camera.only = codec; };

const PRESSES = { "mer-start": startCamera, "mer-play": () => startServer("demo"), "mer-watch": watch, "mer-stop": stop, "mer-record": record, "mer-settings-button": unfold };

// here and not through Gradio, which loses clicks until it has woken up
document.addEventListener("click", (/** @type {any} */ { target }) => {
  const button = target.closest?.("button");
  if (button?.getAttribute("aria-disabled") !== "true") PRESSES[button?.id]?.();
});
document.addEventListener("keydown", (/** @type {any} */ { target, key }) => {
  if (target.id === "mer-spec" && key === "Enter") watch();
});

document.addEventListener("change", (/** @type {any} */ { target }) => {
  if (["mer-camera", "mer-size", "mer-rate"].includes(target.id) && camera())
    say("The camera goes on as it is: press Stop, then Start camera, to have it as chosen now.");
});

document.addEventListener("visibilitychange", () => {
  if (!run.wanted) return;
  if (document.hidden) say("This tab is hidden, and browsers slow hidden tabs: keep it in view while you measure.");
  else {
    say(`${run.words()} The tab was hidden for a while, and browsers slow hidden tabs: look at that time with care.`);
    curve.draw();
  }
});

// as soon as Gradio has built the page
const waiting = setInterval(() => {
  if (!$("mer-curve") || !$("mer-camera") || !$("mer-start")) return;
  clearInterval(waiting);
  choices();
  say("Tick the box, then press Start camera; or play the demo clip.");
}, 100);
