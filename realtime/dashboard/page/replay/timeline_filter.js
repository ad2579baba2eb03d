// Which of the events are shown: by kind, by label, by how certain it is that there is a movement at all.
import { make } from "./timeline_parts.js";

const ALL = "all";

export class Filter {
  /** changed(): another choice was made. */
  constructor(data, changed) {
    this.data = data;
    this.passes = (event) => this.wanted(event);
    const of = (what) => [...new Set(data.events.map((event) => event[what]))].sort();
    const choice = (name, words, values) => make("select", { "aria-label": name, onchange: () => this.tell(changed) },
      make("option", { value: ALL, text: words }), ...values.map((value) => make("option", { value, text: value })));
    this.kind = choice("Kind", "micro and macro", of("kind"));
    this.label = choice("Label", "all labels", of("label"));
    this.least = make("input", { type: "range", min: "0", max: "1", step: "0.05", value: "0", "aria-label": "Certainty, at least",
      oninput: () => this.tell(changed) });
    this.at = make("output", { text: "0.00" });
    this.said = make("p", { class: "mr-hint", role: "status" });
    const certain = make("label", { class: "mr-slide", title: "that it is a movement at all" }, "certainty ≥", this.least, this.at);
    this.root = make("div", { class: "mr-filter", role: "group", "aria-label": "Filter" }, this.kind, this.label, certain, this.said);
    this.root.hidden = data.events.length < 2;
  }

  wanted(event) {
    return [ALL, event.kind].includes(this.kind.value) && [ALL, event.label].includes(this.label.value) && event.confidence >= Number(this.least.value);
  }

  tell(changed) {
    const { events } = this.data, shown = events.filter(this.passes).length;
    this.at.textContent = Number(this.least.value).toFixed(2);
    this.said.textContent = shown < events.length ? `${shown} of ${events.length} events shown; downloads hold all.` : "";
    changed();
  }
}
