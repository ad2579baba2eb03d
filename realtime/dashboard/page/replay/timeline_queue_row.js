// One recording in the table. It stays the same element as it fills: a button that is replaced while it is pressed feels nothing.
import { clock, make } from "./timeline_parts.js";

const WORDS = { waiting: "waits for its turn", done: "done", cancelled: "cancelled", failed: "failed" };
const SURE_MS = 4000; // in which a second press removes
const LITTLE = 0.01; // of the time: so little judged is nothing

export class QueueRow {
  constructor(job, press) {
    Object.assign(this, { press, name: job.name, token: job.token });
    this.state = make("span");
    this.progress = make("progress", { max: "1", "aria-label": `Progress of ${job.name}` });
    this.message = make("p", { class: "mr-bad", role: "alert" });
    this.seconds = make("td", { role: "cell", class: "mr-n" });
    this.events = make("td", { role: "cell", class: "mr-n" });
    this.judged = make("td", { role: "cell", class: "mr-n" });
    this.show = this.button("Show", "show");
    this.cancel = this.button("Cancel", "cancel");
    this.remove = make("button", { type: "button", text: "Remove", "aria-label": `Remove ${job.name}`, onclick: () => this.removing() });
    this.root = make("tr", { class: "mr-job mr", role: "row" },
      make("th", { scope: "row", role: "rowheader" }, make("strong", { text: job.name })), this.seconds,
      make("td", { role: "cell" }, this.state, this.progress, this.message), this.events, this.judged,
      make("td", { role: "cell", class: "mr-do" }, this.show, this.cancel, this.remove));
  }

  button(text, what) {
    return make("button", { type: "button", text, "aria-label": `${text} ${this.name}`, onclick: () => this.press(what, this.token) });
  }

  removing() { // its files go for good: asked once more, in place
    if (this.sure) return this.press("remove", this.token);
    this.asks(true);
    setTimeout(() => this.asks(false), SURE_MS);
  }

  asks(sure) {
    this.sure = sure;
    this.remove.textContent = sure ? "For good?" : "Remove";
    this.remove.setAttribute("aria-label", sure ? `Remove ${this.name} for good` : `Remove ${this.name}`);
  }

  tell(job, open) {
    const pending = job.state === "waiting" || job.state === "working", judged = job.judged;
    const working = job.progress ? `${Math.round(job.progress * 100)} %` : "begins";
    // "done, 0 events" is no finding where nobody could be seen
    const blind = !pending && judged && judged.share < LITTLE && !job.events;
    this.root.dataset.state = job.state;
    this.root.dataset.open = String(open);
    this.state.textContent = blind ? `nothing could be judged: ${judged.why[0]}` : WORDS[job.state] || working;
    this.state.className = blind ? "mr-blind" : "";
    this.seconds.textContent = job.seconds ? clock(job.seconds, 0) : "";
    this.events.textContent = blind ? "–" : pending && !job.events ? "" : String(job.events);
    this.judged.textContent = judged ? `${Math.floor(100 * judged.share)} %` : "";
    this.judged.title = judged && judged.why.length ? `Not judged: ${judged.why.join(", ")}` : "";
    this.progress.value = job.progress;
    this.cancel.hidden = this.progress.hidden = !pending;
    this.remove.hidden = pending;
    this.show.hidden = !job.shown;
    this.message.hidden = !job.message;
    if (this.message.textContent !== job.message) this.message.textContent = job.message;
  }
}
