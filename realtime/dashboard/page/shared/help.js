// What the page says of itself: three steps at a first visit, its keys at "?". Their words are in dashboard/guidance.py.
import { $ } from "./dom.js";

const SEEN = "mer-welcomed"; // by this browser
const FIELDS = 'textarea, select, [contenteditable="true"], input:not([type="checkbox"], [type="radio"], [type="button"], [type="range"])';

const tab = (name) => $(`mer-${name}-button`);
const here = () => /** @type {HTMLElement | null} */ (document.querySelector('#mer-tabs [role="tab"][aria-selected="true"]'));

/** @type {Record<string, () => any>} */
const STEPS = {
  async demo() {
    tab("live").click();
    await import("../live/live.js"); // a press before it is there would be lost
    $("mer-play").click();
    $("mer-stage").scrollIntoView({ block: "nearest" });
  },
  replay: () => go("replay"),
  review: () => go("review"),
  done() {
    welcome(false);
    localStorage.setItem(SEEN, "yes");
    here()?.focus(); // what had it is gone
  },
};

function go(name) {
  tab(name).click();
  tab(name).focus();
}

function welcome(on) {
  $("mer-welcome").hidden = !on;
}

function help() {
  const dialog = $("mer-help"), part = [...dialog.querySelectorAll("[data-tab]")].find(({ dataset }) => here()?.id === `mer-${dataset.tab}-button`);
  if (part) part.parentElement.prepend(part); // what is of use now stands first
  dialog.showModal();
}

document.addEventListener("click", (/** @type {any} */ { target }) => {
  if (target.closest?.("#mer-help-button")) help();
  else STEPS[target.closest?.("[data-step]")?.dataset.step]?.();
});

document.addEventListener("keydown", (/** @type {any} */ event) => {
  const { target, key } = event;
  if (!(target instanceof Element) || event.ctrlKey || event.altKey || event.metaKey) return;
  if (key === "Escape" && target.closest("#mer-welcome")) STEPS.done();
  if (key !== "?" || target.closest(FIELDS) || document.querySelector("dialog[open]")) return;
  event.preventDefault();
  help();
});

// as soon as Gradio has built the page
const waiting = setInterval(() => {
  if (!$("mer-welcome") || !$("mer-help") || !$("mer-play")) return;
  clearInterval(waiting);
  welcome(!localStorage.getItem(SEEN));
  const dialog = $("mer-help");
  dialog.addEventListener("keydown", (event) => event.stopPropagation()); // no key goes through it to the tab below
  dialog.addEventListener("close", () => {
    if (dialog.returnValue !== "steps") return;
    dialog.returnValue = "";
    welcome(true);
    $("mer-welcome").scrollIntoView({ block: "nearest" });
    $("mer-welcome").querySelector("button[data-step=demo]").focus();
  });
}, 100);
