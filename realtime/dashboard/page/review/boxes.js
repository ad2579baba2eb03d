// The boxes of tab Review: what they show, and what a person has typed into them.
const MOMENTS = ["onset_s", "apex_s", "offset_s"];

export class Boxes {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.root = root;
    this.typed = new Map(); // a field that is being typed in → the event that was shown when that began
    this.unread = false; // whether the log itself could not be read the last time
  }

  /** @param {string} id @returns {any} */
  at(id) {
    return this.root.querySelector(`#rv-${id}`);
  }

  /** Those that say something of an event or its recording, by what they hold. @returns {any[]} */
  get fields() {
    return [...this.root.querySelectorAll("[data-mark], #rv-kind, #rv-person")];
  }

  reviewer() {
    return this.at("reviewer").value.trim().replace(/\s+/g, " ");
  }

  slow() {
    return this.at("slow").getAttribute("aria-pressed") === "true";
  }

  busy(is) {
    this.root.setAttribute("aria-busy", String(is));
  }

  /** Another recording is on its way: nothing can be typed that would be meant for it. */
  hold() {
    for (const field of this.fields) field.disabled = true;
  }

  /** @param {any} state as the server tells it @param {boolean} quiet leaves what was said, where nothing new is */
  show(state, quiet) {
    for (const field of this.fields) field.disabled = field.id === "rv-person" && this.root.dataset.writes !== "true";
    if (state.said !== undefined && (state.said || !quiet || this.unread)) put(this.at("said"), state.said);
    this.unread = !("table" in state);
    if (this.unread) return;
    options(this.at("session"), state.sessions, state.session);
    options(this.at("source"), state.sources, state.source);
    this.at("source").parentElement.hidden = state.sources.length < 2;
    put(this.at("progress"), state.progress);
    if (state.key !== this.key) this.typed.delete(this.at("missed")); // it is proposed anew for each event
    this.table(state);
    this.fill(this.at("person"), state.person);
    this.marks(state);
    this.pictures(state.pictures);
  }

  table({ table, key }) {
    const place = this.at("events"), before = place.querySelector(".rv-scroll")?.scrollTop ?? 0, focused = place.querySelector("tbody")?.contains(document.activeElement);
    if (!put(place, table)) return;
    if (place.querySelector(".rv-scroll")) place.querySelector(".rv-scroll").scrollTop = before;
    const row = place.querySelector('tr[aria-selected="true"]');
    if (focused) row?.focus();
    if (key !== this.key) row?.scrollIntoView({ block: "nearest" }); // the chosen one stays in sight
    this.key = key;
  }

  marks({ labels, events, key, missed, suggested }) {
    const event = events[key], label = this.at("label");
    if (!label) return; // this page only looks
    const choices = label.querySelector("div"), words = JSON.stringify(labels);
    if (label.dataset.words !== words) {
      label.dataset.words = words;
      choices.replaceChildren(...labels.map(([value, text]) => {
        const one = document.createElement("label"), radio = Object.assign(document.createElement("input"), { type: "radio", name: "rv-label", value });
        one.append(radio, ` ${text}`);
        return one;
      }));
    }
    for (const radio of choices.querySelectorAll("input")) radio.checked = radio.value === event?.label;
    for (const field of this.fields.filter((one) => one.dataset.mark)) this.fill(field, event?.[field.dataset.mark] ?? "");
    this.at("kind").value = event?.kind ?? "";
    this.suggest(event ? suggested : "", event?.action_units);
    this.fill(this.at("missed"), missed ?? "");
  }

  /** Action units as the program estimates them: nobody's word until a person takes it. @param {string} units @param {string} own the person's */
  suggest(units, own) {
    const take = this.at("units-take");
    this.at("units").placeholder = units ? `estimated: ${units}` : "like 1+2";
    take.hidden = !units || units === own;
    take.value = units;
    take.textContent = units ? `Take the estimate ${units}` : "";
  }

  /** What a person is typing stays. */
  fill(field, value) {
    if (!this.typed.has(field)) field.value = value;
  }

  /** above and below the verdict */
  pictures([above, below]) {
    put(this.at("pictures"), above);
    put(this.at("around"), below);
  }

  /** A field is typed in. @param {HTMLInputElement} field @param {object} place what is shown */
  begin(field, place) {
    if (!this.typed.has(field)) this.typed.set(field, place);
  }

  /** It is done: what it says of which event; null where nobody typed. @param {HTMLInputElement} field */
  end(field) {
    const about = this.typed.get(field);
    this.typed.delete(field);
    return about ? { about, name: field.dataset.mark, value: MOMENTS.includes(field.dataset.mark) ? number(field) : field.value } : null;
  }
}

/** The number in a field; null without one. @param {HTMLInputElement} field */
export const number = (field) => (Number.isFinite(field.valueAsNumber) ? field.valueAsNumber : null);

const shown = new WeakMap();

/** HTML from the server; what is there already stays, and a film in it plays on. */
function put(place, html) {
  if (shown.get(place) === html) return false;
  shown.set(place, html);
  place.innerHTML = html;
  return true;
}

function options(select, pairs, value) {
  const words = JSON.stringify(pairs);
  if (select.dataset.words !== words) {
    select.dataset.words = words;
    select.replaceChildren(...pairs.map(([name, text]) => new Option(text, String(name))));
  }
  select.value = value === null ? "" : String(value);
}
