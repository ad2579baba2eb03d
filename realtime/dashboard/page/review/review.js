// Tab Review: what its controls and keys do. Every key presses a control that is on the page, so that both do the same.
import { Boxes, number } from "./boxes.js";
import { Desk } from "./desk.js";

const NAME = "mer-reviewer"; // the reviewer's name stays in this browser
const KEYS = { ArrowUp: "before", ArrowDown: "after", a: "accept", r: "reject", u: "undo", s: "slow", e: "export" };
// a verdict is somebody's: without a name it leads to the field for it
const JUDGING = "#rv-accept, #rv-reject, #rv-undo, #rv-label, #rv-add, #rv-kind, #rv-units-take, .rv-steps";

/** @type {Boxes} */
let boxes;
/** @type {Desk} */
let desk;

const visible = () => Boolean(boxes?.root.offsetParent);
const press = (id) => boxes.at(id)?.click();

/** What each button does. @type {Record<string, () => any>} */
const PRESSES = {
  refresh: () => desk.look({}, true),
  before: () => desk.look({ by: -1 }),
  after: () => desk.look({ by: 1 }),
  accept: () => desk.judge({}),
  reject: () => desk.judge({ reject: true }),
  undo: () => desk.undo(),
  "units-take": () => taken(),
  add: () => add(),
  slow: () => slow(),
  export: () => made("training", "exported", { many: chosen("which"), own: chosen("whose"), frames: boxes.at("frames").checked }),
  delete: () => sure(true),
  "delete-no": () => sure(false),
  "delete-yes": () => { sure(false); desk.delete(); },
};
for (const moment of ["onset", "apex", "offset"]) {
  PRESSES[`${moment}-earlier`] = () => desk.move(moment, -1);
  PRESSES[`${moment}-later`] = () => desk.move(moment, 1);
}

/** The page is there. @param {HTMLElement} element of Gradio's */
export function begin(element) {
  const root = /** @type {HTMLElement | null} */ (element.querySelector(".rv"));
  if (!root || root === boxes?.root) return;
  boxes = new Boxes(root);
  desk = new Desk(root.dataset.page, boxes);
  const name = boxes.at("reviewer");
  if (name.value) localStorage.setItem(NAME, name.value); // typed before this script was there
  else name.value = localStorage.getItem(NAME) ?? "";
  root.addEventListener("click", nameFirst, true);
  root.addEventListener("click", clicked);
  root.addEventListener("input", typing);
  root.addEventListener("change", changed);
  root.addEventListener("focusout", left);
  // the log may have grown while the tab was out of sight
  new IntersectionObserver(([one]) => { if (one.isIntersecting) desk.look({}, true); }).observe(root);
}

function nameFirst(event) {
  if (!event.target.closest(JUDGING) || boxes.reviewer()) return false;
  event.preventDefault();
  event.stopImmediatePropagation();
  return askName();
}

function askName() {
  const field = boxes.at("reviewer");
  if (!boxes.at("asked")) field.closest("label").insertAdjacentHTML("beforeend", '<p id="rv-asked" role="alert">Type your name first, then Enter: a verdict is somebody’s.</p>');
  field.focus();
  field.scrollIntoView({ block: "nearest" });
  return true;
}

function clicked({ target }) {
  const row = target.closest("tr[data-key]"), format = target.closest("button[data-kind]"), button = target.closest("button[id^=rv-]");
  if (row) desk.look({ key: row.dataset.key });
  else if (format) {
    format.closest("details").open = false;
    made("corrected", "ready", { kind: format.dataset.kind });
  } else if (button) PRESSES[button.id.slice(3)]?.();
}

function typing({ target }) {
  if (target.id === "rv-reviewer") {
    localStorage.setItem(NAME, target.value);
    boxes.at("asked")?.remove();
    desk.look({}, true);
  } else if (target.matches("[data-mark], #rv-person, #rv-missed")) boxes.begin(target, { ...desk.here, before: desk.now.person });
}

function changed({ target }) {
  const about = desk.here;
  if (target.id === "rv-session") open({ session: Number(target.value), source: "", key: "" });
  else if (target.id === "rv-source") open({ source: target.value, key: "" });
  else if (target.name === "rv-label") desk.judge({ change: () => ({ label: target.value }), about });
  else if (target.id === "rv-kind") desk.judge({ change: () => ({ kind: target.value }), about });
}

function open(place) {
  boxes.hold();
  desk.look(place);
}

// A field was left, or Enter pressed in it: only a change is a word of the reviewer.
function left({ target }) {
  if (target.id === "rv-missed") return; // it waits for its button
  const said = boxes.end(target);
  if (!said) return;
  const { before, ...about } = said.about;
  if (target.id === "rv-person") desk.name(target.value.trim(), before, about);
  else if (said.value !== null) desk.judge({ change: () => ({ [said.name]: said.value }), about });
  else desk.look({}, true);
}

function add() {
  const field = boxes.at("missed"), apex = number(field);
  boxes.end(field);
  desk.add(apex);
}

function taken() {
  const units = boxes.at("units-take").value;
  boxes.end(boxes.at("units"));
  desk.judge({ change: () => ({ action_units: units }), about: desk.here });
}

function slow() {
  boxes.at("slow").setAttribute("aria-pressed", String(!boxes.slow()));
  desk.pictures();
}

function sure(asked) {
  boxes.at("delete").hidden = asked;
  boxes.at("sure").hidden = !asked;
}

const chosen = (name) => Boolean(boxes.root.querySelector(`[name=rv-${name}]:checked`)?.getAttribute("value"));

async function made(what, place, more) {
  boxes.at(place).innerHTML = '<p class="mer-state" role="status">One moment: it is being made…</p>';
  boxes.at(place).innerHTML = await desk.made(what, more);
  boxes.at(place).querySelector("a[download]")?.click();
}

function play() {
  const film = boxes.at("around").querySelector("video");
  if (film) film.paused ? film.play() : film.pause();
}

function inField(target) {
  return target.closest("textarea, select, [contenteditable=true], [role=listbox]")
    || (target.matches("input") && !["checkbox", "radio", "button"].includes(target.type));
}

// → what the key does, or nothing
function action(event) {
  const control = event.ctrlKey || event.altKey, key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === "ArrowLeft" || key === "ArrowRight") {
    if (!control && !event.shiftKey) return null;
    const moment = control ? (event.shiftKey ? "offset" : "apex") : "onset";
    return () => press(`${moment}-${key === "ArrowLeft" ? "earlier" : "later"}`);
  }
  if (control || event.metaKey) return null;
  if (key.startsWith("Arrow") && event.target.type === "radio") return null; // a radio group's own keys
  if (key in KEYS) return () => press(KEYS[key]);
  if (/^[1-9]$/.test(key) && boxes.at("label")) return () => labelled(Number(key) - 1);
  if (key === "p") return play;
  const missed = boxes.at("missed"), row = event.target.closest("tr[data-key]");
  if (key === "n" && missed) return () => { missed.focus(); missed.select(); };
  if (key === "Enter" && row) return () => row.click();
  return null;
}

// the label of the event that is shown by then, and not of the one before
function labelled(place) {
  if (!boxes.reviewer()) askName();
  else desk.judge({ change: ({ labels }) => (labels.length ? labels[place] && { label: labels[place][0] } : {}) });
}

document.addEventListener("keydown", (/** @type {any} */ event) => {
  const { target, key } = event;
  if (!visible() || event.defaultPrevented || !(target instanceof Element)) return;
  if (inField(target)) {
    // Enter saves a field, Escape leaves it; both give the keys back to the review
    if (!boxes.root.contains(target)) return;
    if (key === "Enter" && target.id === "rv-missed") press("add");
    if (key === "Escape" || (key === "Enter" && target.matches("input"))) /** @type {HTMLElement} */ (target).blur();
    return;
  }
  const act = action(event);
  if (!act) return;
  event.preventDefault();
  act();
});

document.addEventListener("click", (/** @type {any} */ event) => {
  // where one starts with the mouse, the field for the name waits for it
  if (event.detail && event.target instanceof Element && event.target.closest("#mer-review-button")) setTimeout(() => {
    if (visible() && boxes.at("events").querySelector("tr[data-key]") && !boxes.reviewer()) boxes.at("reviewer").focus();
  }, 600);
});

// a choice made with the mouse must not keep the arrow keys
document.addEventListener("pointerup", (/** @type {any} */ event) => {
  const held = event.target instanceof Element && event.target.closest("#rv-label");
  if (held) setTimeout(() => { if (document.activeElement instanceof HTMLInputElement && document.activeElement.type === "radio") document.activeElement.blur(); }, 0);
});
