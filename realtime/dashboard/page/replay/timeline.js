// Tab 2, its places in the page: the queue, the recording that is open, another model's answers about it.
import { ask, changes } from "./coders.js";
import { warning } from "./parts.js";
import { Player } from "./player.js";
import { OPEN, showQueue } from "./queue.js";

let player = null, openToken = "", asked = "";

export function queue(element, trigger, writes) {
  const act = (what, token) => trigger(what === "show" ? "input" : "click", { what, token });
  const press = (what, token) => {
    if (what === "show") asked = token;
    act(what, token);
  };
  const ask = (what) => trigger({ all: "select", keep: "submit", demo: "play" }[what], {});
  showQueue(element, { press, ask, open: (token) => act("show", token), opened: () => openToken, writes });
}

export function recording(element, watch, trigger) {
  const download = (kind, slow, lanes) => trigger(slow ? "submit" : "click", { kind, lanes: lanes.join(",") });
  const open = async () => {
    const holder = element.querySelector("[data-token]"), token = holder ? holder.dataset.token : "";
    if (player) player.stop();
    player = null;
    openToken = token;
    if (!token) return;
    sessionStorage.setItem(OPEN, token);
    const answer = await fetch(`/mer/replay/${token}/data`).catch(() => null);
    const data = answer?.ok ? await answer.json().catch(() => null) : null;
    if (!holder.isConnected) return; // another was opened meanwhile
    if (!answer) holder.replaceChildren(warning("mer-demo does not answer: is it still running? Reload this page."));
    else if (!answer.ok) holder.replaceChildren(warning("This recording holds no frame that could be shown."));
    else if (!data) holder.replaceChildren(warning("The line broke before this recording was here: press Show again."));
    else player = new Player(holder, token, data, download);
    if (player && token === asked) player.focus(); // a person pressed "Show": the keys belong to the timeline now
  };
  watch("value", () => setTimeout(open, 0));
  open();
}

export function comparison(element, watch) {
  watch("value", () => setTimeout(() => {
    const told = element.querySelector("[data-compared]");
    if (player) player.compare(told ? JSON.parse(told.dataset.compared) : null);
  }, 0));
  element.addEventListener("click", (/** @type {any} */ event) => {
    const button = event.target.closest("button[data-event]");
    if (button && player) player.open(Number(button.dataset.event));
  });
}

export function coders(element, watch, trigger) {
  const wish = (what) => trigger("submit", { wish: JSON.stringify(what) });
  watch("value", () => setTimeout(() => {
    const told = element.querySelector("[data-coders]"), question = element.querySelector("[data-question]");
    if (player && told) player.code(JSON.parse(told.dataset.coders));
    if (question && !question.dataset.asked) {
      question.dataset.asked = "yes";
      ask(JSON.parse(question.dataset.question), wish);
    }
  }, 0));
  changes(element, wish);
}

/** Messages that a person may close. */
export function closable(element) {
  element.addEventListener("click", (event) => event.target.closest(".mr-close")?.parentNode.remove());
}
