// One open recording: where in it the person is, and how it is moved about in by keys, buttons and pointer.
import { clock, count, lastUpTo, moment, part, seconds, zoomed } from "./arithmetic.js";
import { controls, downloads, Filter, hint, timeline } from "./controls.js";
import { Curve } from "./curve.js";
import { Events } from "./event.js";
import { Film, Sound } from "./film.js";
import { Lanes } from "./lanes.js";
import { make } from "./parts.js";

const FIRST_VIEW = 60, LEAST_VIEW = 1; // seconds of the timeline
const NEAR = 1e-4; // seconds: times are sent to a tenth of a millisecond
const FAR = 10; // frames with Shift
const CUT = { cancelled: "; cancelled, shown as far as it came", failed: "; broke off, shown as far as it came" };

export class Player {
  /** holder: what it takes the place of. data: see replay/routes.py. download(kind, whether that takes long, the lanes that are shown) */
  constructor(holder, token, data, download) {
    this.token = token;
    this.data = data;
    this.n = 0;
    this.chosen = -1;
    this.playing = false;
    this.end = data.times.length > 1 ? 2 * data.times.at(-1) - data.times.at(-2) : data.times[0] + 0.04;
    /** @type {[number, number]} seconds */
    this.view = [0, Math.min(this.end, FIRST_VIEW)];
    this.film = new Film(token, data);
    this.sound = new Sound(token, data.sound);
    this.curve = new Curve(data);
    this.lanes = new Lanes(token, data, () => { this.describe(); this.draw(); });
    this.coders = [];
    this.events = new Events(token, data, (i) => this.choose(i));
    this.filter = new Filter(data, () => this.filtered());
    this.build(holder, download);
    this.watching = new MutationObserver(() => { this.draw(); this.events.recolour(); }); // light or dark
    for (const one of [document.body, document.documentElement]) this.watching.observe(one, { attributeFilter: ["class"] });
    this.sizing = new ResizeObserver(() => this.draw());
    this.sizing.observe(this.time);
    this.curve.code(this.coders = data.coders);
    if (data.events.length) this.choose(0); else this.go(0);
  }

  stop() {
    this.playing = false;
    this.sound.end();
    this.watching.disconnect();
    this.sizing.disconnect();
  }

  build(holder, download) {
    const d = this.data;
    this.where = make("output", { "aria-live": "off", title: "The frame on screen, and when it was: seconds from the beginning" });
    this.time = timeline(this);
    const { row, play, speed } = controls(this);
    this.playButton = play;
    this.speed = speed;
    const kinds = ["micro", "macro"].map((kind) => `${d.events.filter((event) => event.kind === kind).length} ${kind}`).join(", ");
    const size = `${moment(this.end, this.end)}, ${count(d.times.length, "frame")}, ${count(d.events.length, "event")} (${kinds})`;
    const how = d.sensitivity === "usual" ? "" : `, ${d.sensitivity} movements asked for`;
    const about = make("p", { class: "mr-meta", title: "How long it is, what was found, and the share of the time in which a movement would have been noticed" }, `${size}, named by ${d.model}${how}${CUT[d.state] || ""}`, make("br"), judged(d));
    const title = make("div", { class: "mr-head" }, make("div", {}, make("h3", { text: d.name, translate: "no" }), about), downloads(d.menu, (kind, slow) => download(kind, slow, this.lanes.chosen)));
    this.partly = make("p", { class: "mr-partly", hidden: "", title: "Seconds, or minutes and seconds, from the beginning" }, make("span"), this.whole());
    this.root = make("div", { class: "mr", "data-token": this.token }, title,
      make("div", { class: "mr-cols" }, make("div", {}, this.film.root, row), make("div", { class: "mr-side" }, this.filter.root, this.events.list)),
      this.partly, this.time, make("div", { class: "mr-under" }, hint(), this.where), this.lanes.root, this.events.detail);
    this.root.addEventListener("keydown", (e) => this.key(e));
    holder.replaceWith(this.root);
  }

  whole() { return make("button", { type: "button", text: "Show all of it", onclick: () => { this.look(0, this.end); this.draw(); } }); }

  /** Another choice of events: lists, lanes and the arrow keys know the chosen ones only. */
  filtered() {
    this.events.filter(this.filter.passes);
    this.draw();
  }

  key(e) {
    if (e.altKey || e.ctrlKey || e.metaKey || ["INPUT", "SELECT"].includes(e.target.tagName)) return;
    const far = e.shiftKey ? FAR : 1;
    const moves = {
      ArrowLeft: () => this.go(this.n - far), ArrowRight: () => this.go(this.n + far),
      ArrowUp: () => this.step(-1), ArrowDown: () => this.step(1),
      Home: () => this.go(0), End: () => this.go(this.data.times.length - 1),
      "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2),
    };
    if (e.key === " " && !["BUTTON", "SUMMARY"].includes(e.target.tagName)) moves[" "] = () => this.play();
    if (!moves[e.key]) return;
    e.preventDefault();
    if (this.playing && e.key !== " ") this.play();
    moves[e.key]();
  }

  frameAt(t) { return lastUpTo(t + NEAR, this.data.times.length, (i) => this.data.times[i]); } // the one that is on screen at t

  scrub(e) { this.go(this.frameAt(this.view[0] + this.curve.share(e.clientX) * (this.view[1] - this.view[0]))); }

  step(by) { // to the event before or after the moment on screen, of those that pass the filter
    const { times } = this.data, events = this.data.events.filter(this.filter.passes), t = times[this.n];
    if (!events.length) return;
    let next = events.indexOf(this.data.events[this.chosen]);
    if (next >= 0 && this.frameAt(events[next].apex_s) === this.n) next += by;
    else if (by > 0) next = events.findIndex((event) => event.apex_s > t);
    else next = events.findLastIndex((event) => event.apex_s < t);
    if (next === -1 && by > 0) next = events.length - 1;
    this.choose(this.data.events.indexOf(events[Math.min(Math.max(next, 0), events.length - 1)]));
  }

  choose(i) {
    const event = this.data.events[i], wide = this.view[1] - this.view[0];
    this.chosen = i;
    if (event.onset_s < this.view[0] || event.offset_s > this.view[1]) this.look(event.apex_s - wide / 2, wide);
    this.go(this.frameAt(event.apex_s));
    this.events.mark(event);
    this.events.show(event);
  }

  /** The event with this number, from elsewhere on the page. */
  open(number) {
    this.choose(this.data.events.findIndex((event) => event.event === number));
    this.root.scrollIntoView();
    this.time.focus({ preventScroll: true });
  }

  /** Arrow keys work from now on. */
  focus() {
    if (this.root.getBoundingClientRect().top > window.innerHeight / 2) this.root.scrollIntoView(); // on a phone it is below
    this.time.focus({ preventScroll: true });
  }

  compare(other) {
    this.events.compare(other);
    this.draw();
  }

  /** Other coders' marks. */
  code(coders) {
    this.curve.code(this.coders = coders);
    this.describe();
    this.draw();
  }

  go(n) {
    this.n = Math.min(Math.max(n, 0), this.data.times.length - 1);
    const t = this.data.times[this.n], wide = this.view[1] - this.view[0];
    if (t < this.view[0] || t > this.view[1]) this.look(t - wide * 0.1, wide);
    const also = this.end < 60 ? "" : ` (${clock(t, 3)})`; // files hold seconds, people count minutes
    this.where.textContent = `frame ${this.n + 1} of ${this.data.times.length}, ${seconds(t, 3)}${also}`;
    this.time.setAttribute("aria-valuenow", String(this.n));
    this.describe();
    this.film.show(this.n, this.during);
    this.draw();
  }

  /** The event that the frame on screen lies in, or none. */
  get during() {
    const t = this.data.times[this.n];
    return this.data.events.find((event) => event.onset_s <= t + NEAR && t <= event.offset_s + NEAR);
  }

  /** For who hears the timeline: where it is, and what the lanes show there. */
  describe() {
    const { during, n } = this, event = during ? `${during.kind} event: ${during.label}` : "";
    const lanes = this.lanes.shown.map((lane) => this.lanes.words(lane, n)), t = this.data.times[n];
    const coders = this.coders.flatMap(({ name, events }) => events.filter((one) => one.onset_s <= t && t <= one.offset_s).map((one) => `${name}: ${one.label}`));
    const said = [`${t.toFixed(2)} seconds`, `frame ${n + 1}`, event, ...coders, this.film.word(n), ...lanes];
    this.time.setAttribute("aria-valuetext", said.filter(Boolean).join(", "));
  }

  play() {
    this.playing = !this.playing;
    this.playButton.textContent = this.playing ? "Pause" : "Play";
    if (!this.playing) return this.sound.end();
    if (this.n >= this.data.times.length - 1) this.go(0);
    let before = performance.now(), t = this.data.times[this.n];
    const tick = (now) => {
      if (!this.playing || !this.root.isConnected) return;
      const speed = Number(this.speed.value);
      t = this.sound.follow(t, speed) ?? t + ((now - before) / 1000) * speed;
      before = now;
      const n = this.frameAt(t);
      if (n !== this.n) this.go(n);
      if (this.n >= this.data.times.length - 1) this.play(); else requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  zoom(by) { // about the moment on screen
    this.view = zoomed(this.view, this.data.times[this.n], by, this.end, LEAST_VIEW);
    this.draw();
  }

  look(from, wide) {
    this.view = part(from, wide, this.end, LEAST_VIEW);
  }

  draw() {
    const last = this.data.times.length - 1, narrow = this.view[1] - this.view[0] < this.end - NEAR;
    this.partly.hidden = !narrow;
    const [since, until] = this.view.map((t) => moment(t, this.end, this.end < 120 ? 1 : 0));
    if (narrow) this.partly.firstChild.textContent = `Shown: ${since} to ${until} of ${moment(this.end, this.end, this.end < 120 ? 1 : 0)}. − shows more, Shift and the mouse wheel too. `;
    const [from, to] = this.view.map((t) => this.frameAt(t));
    this.curve.draw({
      view: this.view, first: Math.max(0, from - 1), last: Math.min(last, to + 1),
      n: this.n, lanes: this.lanes, chosen: this.data.events[this.chosen], differs: (event) => this.events.differs(event), passes: this.filter.passes,
    });
  }
}

/** How much was judged, why not the rest; where nothing was, what a person can do. */
function judged({ judged: told }) {
  if (!told) return "";
  const why = told.why.length ? `; not: ${told.why.join(", ")}` : "";
  const help = told.share < 0.5 && told.help ? ` (${told.help})` : "";
  return `Judged ${Math.floor(100 * told.share)} % of the time${why}${help}.`;
}
