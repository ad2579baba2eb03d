// The event that is looked at: the newest by itself, or one that a person chose and that then stays.
import { $ } from "../shared/dom.js";
import { say as translated } from "../shared/language.js";
import { connection } from "./connection.js";
import { plotly } from "./curve.js";
import { events } from "./events.js";

const ALTS = { flow: "Motion as colours", magnified: "Slow motion from onset to apex, enlarged", strain: "Strain of the skin", looked: "What the network's answer depended on" };
const FRESH = ["scores", "strain", "magnified"]; // asked for at every look: colours and factor may have changed
const newest = () => $("mer-newest").querySelector("input");
const box = (name) => document.querySelector(`.mer-picture[data-name="${name}"]`);
let shown = null, latest = null, factor = 8, waiting = false; // for the flow, before anything else is asked for

function clear() {
  shown = latest = null;
  waiting = false;
  $("mer-detail-box").classList.remove("mer-open");
}

// An event has come; its flow is on the way.
function arrived(event) {
  latest = event;
  if (newest().checked) open(event, false);
}

function chosen(event) {
  if (newest().checked) newest().click(); // Gradio hears of it, too
  open(event, true);
}

function open(event, byHand) {
  shown = event.event;
  events.press(shown);
  $("mer-detail-box").classList.add("mer-open");
  $("mer-detail-title").textContent = `Event ${shown}: ${event.label}, ${event.onset_s.toFixed(2)} to ${event.offset_s.toFixed(2)} s`;
  for (const name of Object.keys(ALTS)) {
    const url = events.url(shown, name);
    if (url) fill(name, url);
    else say(name, "Being made …");
  }
  $("mer-scores").replaceChildren();
  const lacking = Object.keys(ALTS).filter((name) => !FRESH.includes(name) && !events.url(shown, name));
  waiting = !byHand && lacking.includes("flow");
  if (!waiting) ask(byHand ? [...FRESH, ...lacking] : FRESH);
  if (!byHand && lacking.includes("looked")) offer();
}

// The flow is there, or there will be none: now the rest, which would have held it up.
function goOn(number, name) {
  if (!waiting || number !== shown || name !== "flow") return;
  waiting = false;
  requestAnimationFrame(() => number === shown && ask(FRESH));
}

// It takes the network dozens of calls, or seconds of another program: not for every event unasked.
function offer() {
  const number = shown, button = document.createElement("button");
  Object.assign(button, { type: "button", className: "mer-button mer-small", textContent: "Show where" });
  button.onclick = () => {
    if (number !== shown) return;
    say("looked", "Being made …");
    ask(["looked"]);
  };
  box("looked").replaceChildren(button);
}

function ask(what) {
  connection.tell({ kind: "look", number: shown, what, factor, dark: document.body.classList.contains("dark") });
}

function magnify(times) {
  factor = times;
  if (shown !== null) ask(["magnified"]);
}

// --- what came

// → where it is shown, or none
function picture(number, name, url) {
  goOn(number, name);
  return number === shown ? fill(name, url) : null;
}

function fill(name, url) {
  const place = box(name);
  if (!place) return null; // one that only the list shows
  const image = place.querySelector("img") || place.replaceChildren() || place.appendChild(document.createElement("img"));
  return Object.assign(image, { alt: ALTS[name], src: url });
}

function say(name, text) {
  box(name)?.replaceChildren(Object.assign(document.createElement("p"), { textContent: text }));
}

function missing(number, name, text) {
  goOn(number, name);
  if (number === shown) say(name, text);
}

function gone(number, text) {
  if (number !== shown) return;
  for (const name of Object.keys(ALTS)) if (!events.url(number, name)) say(name, text);
}

async function scores(number, figure) {
  if (number !== shown) return;
  await plotly();
  const layout = { ...figure.layout, autosize: true, width: undefined };
  const data = figure.data.map((one) => ({ ...one, y: one.y.map(translated) })); // what is translated once it is drawn has no room made for it
  window.Plotly.newPlot($("mer-scores"), data, layout, { displayModeBar: false, responsive: true, staticPlot: true });
}

// ticked again: on with the newest
document.addEventListener("change", (/** @type {any} */ { target }) => {
  if (target.closest?.("#mer-newest") && target.checked && latest && latest.event !== shown) open(latest, false);
});

export const detail = { arrived, chosen, clear, magnify, picture, missing, gone, scores, shown: () => shown };
