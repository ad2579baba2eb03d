// The recordings of this browser as a table: which one waits, how far the one at work is, what came of those that are done.
import { clock, count, lasting } from "./arithmetic.js";
import { make, warning } from "./parts.js";

// the queue belongs to this browser: its key outlives a reload (replay/tab.py hands it back), as does what this window had open
const KEY = "mer-replay-queue";
export const OPEN = "mer-replay-open";
const POLL = 500; // ms
const ASK_AGAIN = 3000; // ms: so long it may take to open a recording
const HEADS = ["Recording", "Length", "State", "Events", "Judged", "Actions"];
const ABOUT = {
  Length: "Minutes and seconds", State: "How far it is, percent of its length", Events: "Number of movements that were found",
  Judged: "Share of the time in which a movement would have been noticed",
};
const STEPS = [
  "Drop recordings into the box, one or many.",
  "Each is worked through in its turn, frame by frame; how far it is stands here.",
  "The first opens by itself: look at what was found, leave with the files, or keep it for Review.",
];

/** press(what, token), ask(what: "all", "keep" or "demo"): a person pressed a button. open(token): by itself. opened(): the token of what is open, or "". */
export function showQueue(element, { press, ask, open, opened, writes }) {
  const body = make("tbody"), rows = new Map();
  const heads = HEADS.map((text) => make("th", { scope: "col", role: "columnheader", text, title: ABOUT[text] }));
  const table = make("table", { class: "mr-jobs", role: "table", "aria-label": "Recordings" },
    make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, ...heads)), body);
  const about = make("p", { class: "mr-about", title: "Recordings and movements of this browser" });
  const button = (text, what, label) => make("button", { type: "button", text, title: label, onclick: () => ask(what) });
  const all = button("Download all", "all", "Tables, ELAN, subtitles of all recordings in one archive; no pictures");
  const keep = button("Keep all for Review", "keep", "Events and their pictures go to the event log, as one session");
  const head = make("div", { class: "mr-jobs-head mr" }, about, all, ...(writes ? [keep] : []));
  const scroll = make("div", { class: "mr-jobs-scroll", role: "region", "aria-label": "Queue", tabindex: "0" }, table);
  const demo = button("Take the demo clip", "demo", "Fourteen seconds with five movements, for who has no recording at hand");
  const steps = make("div", { class: "mr-steps mr" }, make("ol", {}, ...STEPS.map((text) => make("li", { text }))), demo);
  const root = make("div", {}, steps, head, scroll);
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
    if (root.parentNode !== holder) {
      holder.replaceChildren(root);
      localStorage.setItem(KEY, holder.dataset.key);
    }
    const here = new Set(jobs.map((job) => job.token));
    for (const [token, row] of rows) if (!here.has(token)) { row.root.remove(); rows.delete(token); }
    for (const job of jobs) {
      if (!rows.has(job.token)) {
        rows.set(job.token, new QueueRow(job, press));
        body.append(rows.get(job.token).root);
      }
      rows.get(job.token).tell(job, job.token === opened());
    }
    steps.hidden = jobs.length > 0;
    head.hidden = scroll.hidden = jobs.length === 0;
    all.disabled = keep.disabled = !jobs.some((job) => job.shown);
    about.textContent = summary(jobs);
    comes(jobs, opened());
    const last = sessionStorage.getItem(OPEN);
    const ready = jobs.find((job) => job.shown && job.token === last) || jobs.find((job) => job.shown);
    everOpened = everOpened || Boolean(opened());
    if (!everOpened && ready && Date.now() - asked > ASK_AGAIN) { // the first one opens by itself
      asked = Date.now();
      open(ready.token);
    }
  }

  look();
}

/** "10 recordings: 4 done, 1 at work, 5 wait. 17 events so far." */
function summary(jobs) {
  const of = (state) => jobs.filter((job) => job.state === state).length;
  const parts = [["done", "done"], ["working", "at work"], ["waiting", "wait"], ["cancelled", "cancelled"], ["failed", "failed"]]
    .filter(([state]) => of(state)).map(([state, words]) => `${of(state)} ${words}`);
  const events = jobs.reduce((sum, job) => sum + job.events, 0), pending = of("working") + of("waiting") > 0;
  return `${count(jobs.length, "recording")}: ${parts.join(", ")}. ${count(events, "event")}${pending ? " so far" : ""}.`;
}

/** What is under way, where a recording will stand later. */
function comes(jobs, opened) {
  const place = /** @type {HTMLElement | null} */ (document.querySelector('#mer-replay-player .mr-empty[data-token=""]'));
  if (!place || opened) return;
  const now = jobs.find((job) => job.state === "working"), next = jobs.filter((job) => job.state === "waiting");
  place.hidden = !now && !next.length;
  if (place.hidden) return;
  if (!place.querySelector("progress")) {
    place.replaceChildren(make("div", {}, make("p", { class: "mr-doing" }), make("progress", { max: "1", "aria-label": "Progress" }), make("p", { class: "mr-then" })));
  }
  const left = now && now.left !== null ? `, about ${lasting(now.left)} left` : "";
  const doing = now ? `Working through ${now.name}: ${Math.round(100 * now.progress)} % of ${now.seconds ? clock(now.seconds) : "it"}, ${count(now.events, "event")} so far${left}.` : "The next recording begins in a moment.";
  const then = next.length ? `Then: ${next.slice(0, 3).map((job) => job.name).join(", ")}${next.length > 3 ? ` and ${next.length - 3} more` : ""}.` : "";
  place.querySelector(".mr-doing").textContent = doing;
  place.querySelector("progress").value = now ? now.progress : 0;
  place.querySelector(".mr-then").textContent = `When it is done, it opens here by itself. ${then}`;
}

// One recording in the table. It stays the same element as it fills: a button that is replaced while it is pressed feels nothing.
const WORDS = { waiting: "waits for its turn", done: "done", cancelled: "cancelled", failed: "failed" };
const SURE_MS = 4000; // in which a second press removes
const LITTLE = 0.01; // of the time: so little judged is nothing

class QueueRow {
  constructor(job, press) {
    this.press = press;
    this.name = job.name;
    this.token = job.token;
    this.state = make("span", { title: ABOUT.State });
    this.progress = make("progress", { max: "1", "aria-label": `Progress of ${job.name}` });
    this.message = make("p", { class: "mr-bad", role: "alert" });
    this.seconds = make("td", { role: "cell", class: "mr-n", title: ABOUT.Length });
    this.events = make("td", { role: "cell", class: "mr-n", "data-word": "events", title: ABOUT.Events });
    this.judged = make("td", { role: "cell", class: "mr-n", "data-word": "judged" });
    this.show = this.button("Show", "show");
    this.cancel = this.button("Cancel", "cancel");
    this.remove = make("button", { type: "button", text: "Remove", "aria-label": `Remove ${job.name}`, onclick: () => this.removing() });
    this.root = make("tr", { class: "mr-job mr", role: "row" },
      make("th", { scope: "row", role: "rowheader" }, make("strong", { text: job.name, translate: "no" })), this.seconds,
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
    this.judged.title = judged && judged.why.length ? `Not judged: ${judged.why.join(", ")}` : ABOUT.Judged;
    this.progress.value = job.progress;
    this.cancel.hidden = this.progress.hidden = !pending;
    this.remove.hidden = pending;
    this.show.hidden = !job.shown;
    this.message.hidden = !job.message;
    if (this.message.textContent !== job.message) this.message.textContent = job.message;
  }
}
