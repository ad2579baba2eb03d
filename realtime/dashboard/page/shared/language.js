// The page in the person's language. The sources and the server speak English; this puts other words in as they come to the page.
// It runs before Gradio does (server/languages.py), which carries the catalogues and puts them in for its own controls.
import { translator } from "./translate.js";

const KEY = "mer-language";
const ATTRIBUTES = ["alt", "aria-label", "aria-valuetext", "data-word", "label", "placeholder", "title"];
const AS_IT_IS = 'script, style, textarea, [translate="no"]';

/** @type {any} */
const config = /** @type {any} */ (window).gradio_config ?? {};
/** @type {Record<string, Record<string, string>>} */
const catalogues = { en: { English: "English" }, ...config.i18n_translations };
const language = wanted();
const translate = translator(catalogues[language], language);

/** What is shown for an English text, where something is made of it before it comes to the page. @param {string} english */
export const say = (english) => (language === "en" ? english : translate(english));

// ?lang=, what was chosen here once, the browser's own; English where it is none of ours
function wanted() {
  const asked = new URLSearchParams(location.search).get("lang") || localStorage.getItem(KEY);
  const base = (one) => one.split("-")[0];
  for (const wish of [asked, ...navigator.languages]) {
    const fits = wish && Object.keys(catalogues).find((one) => one === wish || base(one) === base(wish));
    if (fits) return fits;
  }
  return "en";
}

/** The field in which a language is chosen. The page is loaded anew: Gradio asks once, at its beginning. */
function choice(field) {
  field.replaceChildren(...Object.entries(catalogues).map(([name, words]) => new Option(words.English, name, false, name === language)));
  field.addEventListener("change", () => {
    localStorage.setItem(KEY, field.value);
    const address = new URL(location.href);
    address.searchParams.delete("lang");
    if (address.href === location.href) location.reload();
    else location.replace(address);
  });
}

function seen(node) {
  if (node.nodeType === Node.TEXT_NODE) return text(node);
  if (node.nodeType !== Node.ELEMENT_NODE) return;
  const field = node.querySelector("#mer-language");
  if (field && !field.options.length) choice(field);
  if (language === "en") return;
  const walk = document.createTreeWalker(node, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let one = walk.currentNode; one; one = walk.nextNode()) {
    if (one instanceof Element) ATTRIBUTES.forEach((name) => attribute(one, name));
    else text(one);
  }
}

function text(node) {
  if (node.parentElement?.closest(AS_IT_IS)) return;
  const words = say(node.data);
  if (words !== node.data) node.data = words;
}

function attribute(element, name) {
  const english = element.getAttribute(name);
  if (!english || element.closest('[translate="no"]')) return;
  const words = say(english);
  if (words !== english) element.setAttribute(name, words);
}

Object.defineProperty(navigator, "language", { value: language }); // what Gradio asks
document.documentElement.lang = language;
// Gradio translates no choices, and shows one of them in a field
for (const { props } of config.components ?? []) props.choices = props.choices?.map(([name, value]) => [typeof name === "string" ? say(name) : name, value]);
// what is drawn is never in the page: it is translated where it is drawn, and measured
for (const name of /** @type {const} */ (["fillText", "measureText"])) {
  const draw = CanvasRenderingContext2D.prototype[name];
  CanvasRenderingContext2D.prototype[name] = function (/** @type {string} */ text, /** @type {any[]} */ ...place) {
    return draw.call(this, say(text), ...place);
  };
}
new MutationObserver((changes) => {
  for (const change of changes) {
    if (change.type === "attributes") attribute(change.target, change.attributeName);
    else if (change.type === "characterData") text(change.target);
    else change.addedNodes.forEach(seen);
  }
}).observe(document.documentElement, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ATTRIBUTES });
