// Tab 2, its three places in the page: the queue, the recording that is open, another model's answers about it.
import { make, warning } from "./timeline_parts.js";
import { Player } from "./timeline_player.js";
import { showQueue } from "./timeline_queue.js";

let player = null, openToken = "", asked = "";

export function queue(element, trigger) {
  const act = (what, token) => trigger("click", { what, token });
  const press = (what, token) => {
    if (what === "show") asked = token;
    act(what, token);
  };
  showQueue(element, { press, open: (token) => act("show", token), opened: () => openToken });
}

export function recording(element, watch) {
  const open = async () => {
    const holder = element.querySelector("[data-token]"), token = holder ? holder.dataset.token : "";
    if (player) player.stop();
    player = null;
    openToken = token;
    if (!token) return;
    const answer = await fetch(`/mer/replay/${token}/data`).catch(() => null);
    if (!answer) holder.replaceChildren(warning("mer-demo does not answer: is it still running? Reload this page."));
    else if (!answer.ok) holder.replaceChildren(warning("This recording holds no frame that could be shown."));
    else if (holder.isConnected) player = new Player(holder, token, await answer.json());
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
  element.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-event]");
    if (button && player) player.open(Number(button.dataset.event));
  });
}
