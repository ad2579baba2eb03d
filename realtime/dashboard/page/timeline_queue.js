// The recordings of this page: which one waits, how far the one at work is, what can be shown.
import { count, make, warning } from "./timeline_parts.js";

const POLL = 500; // ms
const ASK_AGAIN = 3000; // ms: so long it may take to open a recording
const WORDS = { waiting: "waits for its turn", done: "done", cancelled: "cancelled", failed: "failed" };

/** One recording's line. It stays the same element as it fills: a button that is replaced while it is pressed feels nothing. */
class Row {
  constructor(job, press) {
    Object.assign(this, { press, name: job.name, token: job.token });
    this.state = make("span");
    this.cancel = this.button("Cancel", "cancel");
    this.show = this.button("Show", "show");
    this.progress = make("progress", { max: "1", "aria-label": `Progress of ${job.name}` });
    this.message = make("p", { class: "mr-bad", role: "alert" });
    const line = make("div", { class: "mr-row" }, this.state, this.cancel, this.show);
    this.root = make("li", { class: "mr-job mr" }, make("strong", { text: job.name }), line, this.progress, this.message);
  }

  button(text, what) {
    return make("button", { type: "button", text, "aria-label": `${text} ${this.name}`, onclick: () => this.press(what, this.token) });
  }

  tell(job, open) {
    const pending = job.state === "waiting" || job.state === "working";
    const working = job.progress ? `${Math.round(job.progress * 100)} %` : "begins";
    const found = job.shown || job.events ? `, ${count(job.events, "event")}` : "";
    this.root.dataset.state = job.state;
    this.root.dataset.open = String(open);
    this.state.textContent = (WORDS[job.state] || working) + found;
    this.progress.value = job.progress;
    this.cancel.hidden = this.progress.hidden = !pending;
    this.show.hidden = !job.shown;
    this.message.hidden = !job.message;
    if (this.message.textContent !== job.message) this.message.textContent = job.message;
  }
}

/** press(what, token): a person pressed a button. open(token): by itself. opened(): the token of what is open, or "". */
export function showQueue(element, { press, open, opened }) {
  const list = make("ul", { class: "mr-queue", "aria-label": "Queue" }), rows = new Map();
  let everOpened = false, asked = 0;

  async function look() {
    const holder = element.querySelector("[data-key]");
    if (holder) {
      try {
        const answer = await fetch(`/mer/replay/queue/${holder.dataset.key}`);
        if (answer.ok) show(holder, await answer.json());
        else holder.replaceChildren(warning("The program was restarted: reload this page."));
      } catch {
        holder.replaceChildren(warning("mer-demo does not answer: is it still running? Start it again and reload this page."));
      }
    }
    setTimeout(look, document.hidden ? 4 * POLL : POLL);
  }

  function show(holder, jobs) {
    if (list.parentNode !== holder) holder.replaceChildren(list);
    for (const job of jobs) {
      if (!rows.has(job.token)) {
        rows.set(job.token, new Row(job, press));
        list.append(rows.get(job.token).root);
      }
      rows.get(job.token).tell(job, job.token === opened());
    }
    const ready = jobs.find((job) => job.shown);
    everOpened = everOpened || Boolean(opened());
    if (!everOpened && ready && Date.now() - asked > ASK_AGAIN) { // the first one opens by itself
      asked = Date.now();
      open(ready.token);
    }
  }

  look();
}
