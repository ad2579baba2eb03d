// The list of events of the live tab, the pictures of each, for as long as it stands in the list, and all of them as a file.
import { $ } from "../shared/dom.js";
import { connection } from "./connection.js";
import { problem } from "./stage.js";
import { clock, percent } from "./words.js";

const MOST = 50;
const SMALL = ["onset", "apex"]; // shown in the list
const TYPES = { magnified: "image/webp" };
const WHAT = "When it peaked, minutes and seconds from the start; how long it lasted, seconds; how likely the label is, given that it was a movement";
const PROVISIONAL = "Told at its apex. When the movement is over it is confirmed, or withdrawn.";
const ANSWER_MS = 15_000, GONE_MS = 4_000; // for which a withdrawn one is still to be read
const pictures = new Map(); // event → Map of name → URL of a picture in memory
let waiting = null;

// --- the files

// what: a format of live/download.py
function ask(what) {
  connection.tell({ kind: "download", what });
  clearTimeout(waiting);
  waiting = setTimeout(() => problem("The server does not answer. If it was restarted, these events are no longer there."), ANSWER_MS);
}

function save(name, data) {
  clearTimeout(waiting);
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(new Blob([data])), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const any = () => found > 0;

// rows: of frames that were measured, which can be downloaded, too
function frames(rows) {
  $("mer-frames").hidden = !rows;
  $("mer-frames-count").textContent = rows === 1 ? "1 row" : `${rows} rows`;
  for (const button of $("mer-frames").querySelectorAll("button")) button.setAttribute("aria-disabled", String(!rows));
}

function offer(on) {
  for (const button of $("mer-downloads").querySelectorAll("button")) button.setAttribute("aria-disabled", String(!on));
}

// --- the list

let found = 0; // events, the provisional ones left out

function clear() {
  found = 0;
  $("mer-events").replaceChildren();
  [...pictures.keys()].forEach(forget);
  $("mer-count").textContent = "0";
  $("mer-none").hidden = false;
  offer(false);
  frames(0);
}

function forget(number) {
  pictures.get(number)?.forEach((url) => URL.revokeObjectURL(url));
  pictures.delete(number);
}

// choose(): a person wants to see it
function add(event, unsure, choose) {
  const button = document.createElement("button");
  button.type = "button";
  button.title = WHAT;
  button.className = "mer-event";
  button.dataset.number = event.event;
  button.setAttribute("aria-pressed", "false");
  const images = SMALL.map((name) => Object.assign(document.createElement("img"), { alt: `Face at ${name}`, width: 56, height: 56 }));
  images.forEach((image, i) => { image.dataset.name = SMALL[i]; });
  button.append(...images, words(event, unsure));
  button.onclick = choose;
  place(event, button);
  pictures.set(event.event, new Map());
  $("mer-count").textContent = String(++found);
  offer(true);
}

// Told at its apex: nothing more is to be seen of it until it is confirmed, and the event takes its place.
function early(event, unsure) {
  const box = Object.assign(document.createElement("div"), { className: "mer-early", title: PROVISIONAL });
  box.append(words(event, unsure));
  place(event, box);
}

function place(event, inside) {
  const list = $("mer-events"), row = document.createElement("li"), before = rowOf(event.event);
  row.value = event.event;
  row.append(inside);
  if (before) before.replaceWith(row);
  else list.prepend(row);
  while (list.children.length > MOST) {
    forget(Number(list.lastChild.value));
    list.lastChild.remove();
  }
  $("mer-none").hidden = true;
}

// It was told at its apex, and is none.
function withdraw(number) {
  const row = rowOf(number);
  if (!row) return;
  row.classList.add("mer-withdrawn");
  row.querySelector("small").textContent = "Withdrawn: no event came of it.";
  setTimeout(() => {
    row.remove();
    $("mer-none").hidden = $("mer-events").children.length > 0;
  }, GONE_MS);
}

const rowOf = (number) => [.../** @type {HTMLCollectionOf<HTMLLIElement>} */ ($("mer-events").children)].find((row) => row.value === number);

const doubt = (event, unsure, score) => !unsure ? `${score} likely` : event.kind === "macro" ? "macro-expressions are not named" : `no class above ${score}`;

function words(event, unsure) {
  const score = percent(Math.max(...Object.values(event.scores))), long = event.offset_s - event.onset_s;
  const words = document.createElement("span");
  const name = Object.assign(document.createElement("strong"), { textContent: event.label });
  if (unsure) name.className = "mer-unsure";
  const kind = Object.assign(document.createElement("span"), {
    className: `mer-kind mer-${event.kind}`, textContent: event.kind, title: event.kind === "micro" ? "brief: a micro-expression" : "longer: a macro-expression",
  });
  const at = clock(event.apex_s), sure = doubt(event, unsure, score);
  const more = Object.assign(document.createElement("small"), {
    textContent: event.provisional ? `at ${at} · not over yet · ${sure}` : `at ${at} · lasted ${long.toFixed(2)} s · ${sure}`,
  });
  const tag = Object.assign(document.createElement("span"), { className: "mer-kind mer-tag", textContent: "provisional" });
  words.append(name, " ", kind, ...(event.provisional ? [" ", tag] : []), document.createElement("br"), more);
  if (event.estimated_units) words.append(document.createElement("br"), estimate(event));
  return words;
}

function estimate(event) {
  return Object.assign(document.createElement("small"), {
    className: "mer-units", textContent: `action units (estimated) ${event.estimated_units}`, title: "By a network: no FACS coder has checked it.",
  });
}

function press(number) {
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".mer-event")))
    button.setAttribute("aria-pressed", String(button.dataset.number === String(number)));
}

// → its URL, or none where the event has left the list meanwhile
function keep(number, name, data) {
  const of = pictures.get(number), before = of?.get(name);
  if (!of) return null;
  const url = URL.createObjectURL(new Blob([data], { type: TYPES[name] || "image/jpeg" }));
  of.set(name, url);
  const small = /** @type {HTMLImageElement | null} */ (document.querySelector(`.mer-event[data-number="${number}"] img[data-name="${name}"]`));
  if (small) small.src = url;
  if (before) setTimeout(() => URL.revokeObjectURL(before), 1000);
  return url;
}

const url = (number, name) => pictures.get(number)?.get(name);

document.addEventListener("click", (/** @type {any} */ { target }) => {
  const button = target.closest?.("#mer-downloads button, #mer-frames button");
  if (button?.getAttribute("aria-disabled") === "false") ask(button.dataset.what);
});

export const events = { add, any, clear, early, frames, press, keep, save, url, withdraw };
