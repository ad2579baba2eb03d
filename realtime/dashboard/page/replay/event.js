// The events as a list, and the chosen one: its times, its scores, its pictures; and what another model said of it.
import { best, moment, seconds } from "./arithmetic.js";
import { colour, make } from "./parts.js";

const FACTOR = 8; // of the motion, at first
const WHAT = "When it peaked, from the beginning; certainty, 0 to 1: that it is a movement at all; score, 0 to 1: of this label, given that it is one";
const SCORE = "How likely the network finds this class, 0 to 1; all together 1";
const COSTLY = 700; // ms: "where the network looked" takes seconds to make, and not for somebody who passes by

export class Events {
  /** choose(place in data.events) */
  constructor(token, data, choose) {
    this.token = token;
    this.data = data;
    this.factor = FACTOR;
    this.other = null;
    this.chosen = null;
    this.end = data.times.at(-1);
    const items = data.events.map((event, i) => this.item(event, () => choose(i)));
    this.list = make("div", { class: "mr-list", role: "group", "aria-label": "Events" }, ...items);
    if (!data.events.length) this.list.append(make("p", { class: "mr-meta", text: nothing(data.judged) }));
    this.detail = make("section", { class: "mr-detail", "aria-label": "Chosen event", "aria-live": "off" });
  }

  picture(event, what, query = "") { return `/mer/replay/${this.token}/event/${event.event}/${what}${query}`; }

  item(event, choose) {
    const words = make("div", {}, make("b", {}, this.dot(event.label), event.label),
      make("span", { text: `${moment(event.apex_s, this.end)}, ${event.kind}` }),
      make("span", { text: `certainty ${event.confidence.toFixed(2)}, score ${best(event.scores).toFixed(2)}` }),
      make("span", { class: "mr-said-other", hidden: "" }));
    const image = (what, name) =>
      make("img", { alt: `${name} of event ${event.event}`, loading: "lazy", src: this.picture(event, `${what}.jpg`) });
    const attributes = { type: "button", "data-event": String(event.event), title: WHAT, onclick: choose };
    return make("button", attributes, image("onset", "Onset"), image("apex", "Apex"), words);
  }

  dot(label) { return make("span", { class: "mr-dot", "data-label": label, style: `background:${colour(this.data, label)}` }); }

  /** passes(event): only those stay in the list. */
  filter(passes) {
    for (const event of this.data.events) this.list.querySelector(`[data-event="${event.event}"]`).hidden = !passes(event);
  }

  /** What another model said: {model, answers: {event number: {label, scores}}}, or null. */
  compare(other) {
    this.other = other;
    for (const event of this.data.events) {
      const place = this.list.querySelector(`[data-event="${event.event}"] .mr-said-other`), label = this.differs(event);
      place.hidden = !label;
      place.textContent = label ? `${other.model}: ${label}` : "";
    }
    if (this.chosen) this.show(this.chosen);
  }

  /** The other model's label where it is another one, else "". */
  differs(event) {
    const answer = this.other && this.other.answers[event.event];
    return answer && answer.label !== event.label ? answer.label : "";
  }

  mark(event) {
    const { list } = this, item = list.querySelector(`[data-event="${event.event}"]`);
    list.querySelector("[aria-current]")?.removeAttribute("aria-current");
    item.setAttribute("aria-current", "true");
    // the list alone scrolls, not the page
    const above = item.offsetTop - list.offsetTop, below = above + item.offsetHeight;
    if (above < list.scrollTop || below > list.scrollTop + list.clientHeight) list.scrollTop = above - 40;
  }

  show(event) {
    const fresh = event !== this.chosen;
    this.chosen = event;
    const times = ["onset", "apex", "offset"].map((name) => `${name} ${seconds(event[`${name}_s`], 3)}`);
    const about = make("div", {}, make("h3", { title: "Its number in the recording", text: `Event ${event.event}: ${event.label}` }),
      make("p", { class: "mr-meta", title: "Seconds from the beginning", text: [event.kind, ...times].join(", ") }),
      this.scores(event.scores, this.other ? this.data.model : "", this.data.unsure));
    if (event.estimated_units) about.append(estimate(event));
    const answer = this.other && this.other.answers[event.event];
    if (answer) {
      const whose = `${this.other.model}: ${answer.label}, ${this.differs(event) ? "differs" : "the same"}`;
      about.append(this.scores(answer.scores, whose, 0));
    }
    if (fresh) this.detail.replaceChildren(about, this.pictures(event));
    else this.detail.firstChild.replaceWith(about);
  }

  /** Light became dark, or the reverse. */
  recolour() {
    for (const root of [this.list, this.detail]) {
      for (const one of root.querySelectorAll("[data-label]")) one.style.background = colour(this.data, one.dataset.label);
    }
  }

  scores(scores, whose, unsure) {
    const group = make("div", { class: "mr-scores", role: "group", "aria-label": whose ? `Scores of ${whose}` : "Scores" });
    if (whose) group.append(make("strong", { text: whose }));
    for (const [name, score] of Object.entries(scores).sort((one, other) => other[1] - one[1])) {
      const style = `width:${score * 100}%;background:${colour(this.data, name)}`;
      const bar = make("div", { class: "mr-bar" }, make("i", { "data-label": name, style }));
      if (unsure) bar.append(make("u", { style: `width:${unsure * 100}%` }));
      group.append(make("span", { text: name }), bar, make("output", { text: score.toFixed(2), title: SCORE }));
    }
    const hatched = `Hatched: where no class passes ${unsure.toFixed(2)}, the event is called unsure.`;
    if (unsure) group.append(make("small", { text: hatched, title: SCORE }));
    return group;
  }

  pictures(event) {
    const motion = (factor) => this.picture(event, "motion.webp", `?factor=${factor}`);
    const moving = figure("Motion, magnified and slow", `event ${event.event} magnified`, motion(this.factor));
    const shown = make("output", { text: `${this.factor}×`, title: "How many times the motion is enlarged" });
    const range = { type: "range", min: "1", max: "20", step: "1", value: String(this.factor) };
    const slider = make("input", { ...range, "aria-label": "Amplify the motion" });
    slider.addEventListener("input", () => { shown.textContent = `${slider.value}×`; });
    slider.addEventListener("change", () => { this.factor = Number(slider.value); moving.load(motion(this.factor)); });
    moving.append(make("label", { class: "mr-slide" }, "Amplify", slider, shown));
    return make("div", { class: "mr-pictures" },
      figure("Onset", `Onset of event ${event.event}`, this.picture(event, "onset.jpg")),
      figure("Apex", `Apex of event ${event.event}`, this.picture(event, "apex.jpg")),
      moving,
      figure("Flow: colour shows direction", "Optical flow from onset to apex", this.picture(event, "flow.jpg")),
      figure("Strain: where skin stretched", "Optical strain", this.picture(event, "strain.jpg")),
      figure("Where the network looked", "Where the network looked", this.picture(event, "looked.jpg"), COSTLY));
  }
}

/** "No movement" is a finding only where something was judged. */
function nothing(judged) {
  if (judged && judged.share < 0.01) return `Nothing could be judged: ${judged.why[0]} (${judged.help}).`;
  const of = judged ? ` in the ${Math.floor(100 * judged.share)} % of the time that was judged` : "";
  return `No movement was found${of}.`;
}

function estimate(event) {
  const sure = Object.entries(event.unit_confidences).map(([unit, value]) => `${unit} ${value.toFixed(2)}`).join(", ");
  return make("p", { class: "mr-meta mr-units", text: `Action units (estimated): ${sure}`, title: "By a network: no FACS coder has checked it." });
}

function figure(words, alt, src, after = 0) {
  const image = make("img", { alt }), place = make("div", { class: "mr-pic", "data-state": "waiting", "data-word": "drawing…" }, image);
  const one = make("figure", {}, place, make("figcaption", { text: words }));
  image.addEventListener("load", () => { place.dataset.state = "there"; });
  image.addEventListener("error", () => Object.assign(place.dataset, { state: "none", word: "not to be had" }));
  one.load = (from) => {
    Object.assign(place.dataset, { state: "waiting", word: "drawing…" });
    image.src = from;
  };
  if (after) setTimeout(() => one.isConnected && one.load(src), after);
  else one.load(src);
  return one;
}
