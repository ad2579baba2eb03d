// Human coders' marks: what a file of them means is asked in a dialog; the table of the comparison can be changed.
import { make } from "./parts.js";

const KINDS = [["", "by length: micro up to 0.5 s"], ["micro", "micro"], ["macro", "macro"]];
const LIKELY = /micro|expression|emotion|\bau/i; // of several tiers, the one that is meant

/** told: see replay/coders.py, `question`. answer(wish): what the person says of it. */
export function ask(told, answer) {
  const name = make("input", { required: "", maxlength: "80", value: told.file.replace(/\.[^.]*$/, ""), autocomplete: "off" });
  const shift = make("input", { type: "number", step: "any", value: "0", required: "" });
  const kind = make("select", {}, ...KINDS.map(([value, text]) => make("option", { value, text })));
  const complete = make("input", { type: "checkbox" });
  complete.checked = true;
  const tiers = told.tiers.map(([tier, count]) => tierBox(tier, count, () => tell()));
  const likely = tiers.find(({ tier }) => LIKELY.test(tier));
  for (const { box, tier } of tiers) box.checked = tiers.length === 1 || tier === likely?.tier;
  const meanings = make("div", { class: "mr-codes" }), selects = new Map();
  const chosen = () => tiers.filter(({ box }) => box.checked).map(({ tier }) => tier);

  function tell() {
    const here = new Map(); // code → [how often, guess], of the chosen tiers
    for (const [tier, code, count, guess] of told.codes) {
      if (chosen().includes(tier)) here.set(code, [(here.get(code)?.[0] || 0) + count, guess]);
    }
    const rows = [...here].map(([code, [count, guess]]) => {
      if (!selects.has(code)) selects.set(code, meaning(code, guess, told.labels));
      return make("label", {}, make("span", { text: `${code || "(no text)"} × ${count}` }), selects.get(code));
    });
    meanings.replaceChildren(...rows);
    tiers[0].box.setCustomValidity(chosen().length ? "" : "Choose a tier.");
  }

  tell();
  const form = make("form", { method: "dialog" },
    make("h3", { id: "mr-ask-title", text: `What the marks of ${told.file} mean` }),
    make("label", {}, "Whose marks they are", name),
    make("fieldset", { ...(tiers.length === 1 ? { hidden: "" } : {}) }, make("legend", { text: "Tiers" }), ...tiers.map(({ root }) => root)),
    make("fieldset", {}, make("legend", { text: "What each code means" }), meanings),
    make("label", {}, "Seconds added to all times", shift), make("label", {}, "Kind", kind),
    make("label", { class: "mr-check" }, complete, "They looked at all of it: what they did not mark was nothing"),
    make("div", { class: "mr-answer" }, make("button", { value: "compare", class: "mer-button mer-main", text: "Compare" }),
      make("button", { value: "", class: "mer-button", formnovalidate: "", text: "Cancel" })));
  const dialog = make("dialog", { class: "mr-ask", "aria-labelledby": "mr-ask-title" }, form);
  dialog.addEventListener("close", () => {
    dialog.remove();
    /** @type {HTMLElement | null} */ (document.querySelector("button#mer-replay-coder, #mer-replay-coder button"))?.focus();
    if (dialog.returnValue !== "compare") return;
    const codes = Object.fromEntries([...selects].map(([code, select]) => [code, select.value]));
    answer({ what: "compare", name: name.value, tiers: chosen(), codes, shift: Number(shift.value), kind: kind.value, complete: complete.checked });
  });
  (document.querySelector(".gradio-container") ?? document.body).append(dialog);
  dialog.showModal();
}

function tierBox(tier, count, changed) {
  const box = make("input", { type: "checkbox", onchange: changed });
  return { tier, box, root: make("label", { class: "mr-check" }, box, `${tier || "(no tier)"} × ${count}`) };
}

function meaning(code, guess, labels) {
  const options = [...new Set([code, ...labels])].filter(Boolean).map((label) => make("option", { value: label, text: label === code ? `${label}, as it is` : label }));
  const select = make("select", {}, ...options, make("option", { value: "", text: "leave out" }));
  select.value = code ? guess : "";
  return select;
}

/** The table. wish(what is wanted): goes to the server. */
export function changes(element, wish) {
  element.addEventListener("click", (/** @type {any} */ event) => {
    const button = event.target.closest("[data-remove]");
    if (button) wish({ what: "remove", name: button.dataset.remove });
  });
  element.addEventListener("change", (/** @type {any} */ event) => {
    if (event.target.matches("[data-iou]") && event.target.validity.valid) wish({ what: "iou", iou: event.target.valueAsNumber });
  });
}
