// The stage of the live tab: what it says (how it stands, what runs, what is wrong, that something is being stored), which picture is
// shown, boxes and words over it, and the latest event in its corner.
import { $ } from "../shared/dom.js";

const LATEST_MS = 6000; // for which an event stands in the picture's corner

export function say(text) {
  $("mer-status").textContent = text;
}

// which: the id of the button whose work runs now, or none. "aria-disabled": a button that is disabled loses the keyboard's place
export function pressed(which) {
  for (const id of ["mer-start", "mer-play", "mer-watch"]) {
    $(id).setAttribute("aria-pressed", String(id === which));
    $(id).setAttribute("aria-disabled", String(id === which));
  }
  $("mer-stop").setAttribute("aria-disabled", String(!which));
  $("mer-record").setAttribute("aria-disabled", String(!which));
}

// action: what the button beside it does, in words; without one it closes the box
export function problem(text, action, act) {
  const box = $("mer-problem"), button = box.querySelector("button");
  box.querySelector("span").textContent = text;
  button.textContent = action || "Close";
  button.onclick = act || hideProblem;
  box.hidden = false;
}

export function hideProblem() {
  $("mer-problem").hidden = true;
}

// what: is being stored, in words, or nothing
export function recording(what) {
  $("mer-recsign").hidden = !what;
  $("mer-recsign").querySelector("b").textContent = what ? `REC: ${what} are being stored` : "";
  $("mer-frame").classList.toggle("mer-storing", Boolean(what));
}

// on: the video itself is being stored
export const filming = (on) => $("mer-record").setAttribute("aria-pressed", String(on));

export const consent = () => Boolean($("mer-consent")?.querySelector("input")?.checked);

export function agreed() {
  if (consent()) return true;
  problem("Tick the box first: everyone in view must know that their face is analysed, and agree.");
  $("mer-consent")?.querySelector("input")?.focus();
  return false;
}

// text: why results are incomplete, or nothing
export function busy(text) {
  if ($("mer-busy").textContent !== text) $("mer-busy").textContent = text;
  $("mer-busy").hidden = !text;
}

// Gradio's own webcam, for where no WebSocket gets through
export function openPlain() {
  const button = /** @type {HTMLElement | null} */ (document.querySelector("#mer-plain > button"));
  if (button && !button.classList.contains("open")) button.click();
}

// --- the picture

let latest = null, hiding = null;

// which: "mer-video" (the browser's camera), "mer-viewer" (a source of the server), or none
function show(which) {
  for (const name of ["mer-video", "mer-viewer"]) if (which) $(name).hidden = name !== which;
  $("mer-idle").hidden = Boolean(which);
  if (which) return;
  overlay(undefined, 640, 480);
  $("mer-gate").hidden = true;
  forget();
}

function overlay(face, width, height) {
  const canvas = $("mer-overlay"), context = canvas.getContext("2d");
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  context.clearRect(0, 0, width, height);
  const gate = $("mer-gate");
  const word = face ? face.words : "No face in view";
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

function viewer(image, width, height) {
  const canvas = $("mer-viewer");
  if (canvas.width !== image.width || canvas.height !== image.height) Object.assign(canvas, { width: image.width, height: image.height });
  canvas.getContext("2d").drawImage(image, 0, 0);
  canvas.dataset.width = width;
  canvas.dataset.height = height;
}

// Where a person looks who has just moved their face: its label, at its apex already, and its flow as soon as that is there.
function mark(event) {
  if (event.withdrawn && event.event !== latest) return;
  latest = event.event;
  const box = $("mer-latest");
  box.querySelector("img").hidden = true;
  box.querySelector("b").textContent = event.label;
  box.querySelector("small").textContent = event.withdrawn ? "withdrawn" : event.provisional ? `${event.kind}, provisional` : `${event.kind}, event ${event.event}`;
  box.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(forget, LATEST_MS);
}

// → the picture in the corner, or none where the event is no longer there
function flow(number, url) {
  return number === latest ? Object.assign($("mer-latest").querySelector("img"), { src: url, hidden: false }) : null;
}

function forget() {
  latest = null;
  $("mer-latest").hidden = true;
}

export const picture = { show, overlay, viewer, mark, flow };
