// What the review asks of the server, one request after the other, so that "next event, label 5" names the next one. Each says which
// event it is about, what the page had seen of it, and what it sets: it may be sent twice, or arrive late.
import { ask } from "../shared/requests.js";

const PATH = "/mer/review/";

/** Where the page is, or what a request is about. @typedef {{session: number | null, source: string, key: string}} Place */

export class Desk {
  /**
   * @param {string} page its own name
   * @param {{reviewer: () => string, slow: () => boolean, show: (state: object, quiet: boolean) => void, pictures: (two: string[]) => void, busy: (is: boolean) => void}} boxes
   */
  constructor(page, boxes) {
    this.page = page;
    this.boxes = boxes;
    this.now = { session: null, source: "", key: "", labels: [], events: {}, undo: null, new: "", person: "" };
    this.seen = new Map(); // reviewer, session and event → its marks, and what the reviewer had said of it last
    this.last = Promise.resolve();
    this.waiting = 0;
    this.pictured = new AbortController();
  }

  /** @returns {Place} */
  get here() {
    const { session, source, key } = this.now;
    return { session, source, key };
  }

  /** Other events, or the same anew. @param {object} more by, session, source, key  @param {boolean} quiet leaves what was said */
  look(more = {}, quiet = false) {
    if (quiet && this.looking) return this.last; // one that has not begun yet will see it, too
    this.looking = quiet;
    return this.inTurn(() => {
      this.looking = false;
      return this.send("look", { ...this.here, ...more }, null, quiet);
    });
  }

  /**
   * A verdict. change: marks that are set, given what is shown when its turn comes; null leaves it.
   * @param {{reject?: boolean, change?: (now: object) => object | null, about?: Place}} how about: by default what is shown then
   */
  judge({ reject = false, change = () => ({}), about }) {
    return this.inTurn(() => {
      const place = about ?? this.here, { seen, ...marks } = this.known(place), changes = change(this.now);
      if (!changes || (about && Object.entries(changes).every(([name, value]) => marks[name] === value))) return this.boxes.show(this.now, true);
      return this.send("judge", place, { reject, seen, marks: { ...marks, ...changes } });
    });
  }

  /** @param {string} moment @param {number} frames */
  move(moment, frames) {
    return this.inTurn(() => {
      const { seen, ...marks } = this.known(this.here);
      return this.send("move", this.here, { moment, frames, seen, marks });
    });
  }

  /** @param {number | null} apex_s */
  add(apex_s) {
    return this.inTurn(() => this.send("add", this.here, { apex_s, new: this.now.new }));
  }

  undo() {
    return this.inTurn(() => this.send("undo", this.here, { review: this.now.undo }));
  }

  /** @param {string} subject the participant @param {string} before as it was shown @param {Place} about */
  name(subject, before, about) {
    return this.inTurn(() => (subject === before ? null : this.send("name", about, { subject, before })));
  }

  delete() {
    return this.inTurn(() => this.send("delete", this.here, {}));
  }

  /** A file to take away: what is said of it. @param {"training" | "corrected"} what */
  async made(what, more) {
    await this.last;
    return (await ask(this.address(what, { ...this.here, ...more })))?.said ?? "";
  }

  /** @param {() => any} act */
  inTurn(act) {
    this.boxes.busy(++this.waiting > 0);
    const mine = this.last.then(act);
    this.last = mine.catch((error) => console.error(error)).then(() => this.boxes.busy(--this.waiting > 0)); // one that fails holds up no other
    return this.last;
  }

  async send(what, about, sets, quiet = false) {
    const reviewer = this.boxes.reviewer(), { here } = this;
    const other = sets && JSON.stringify(about) !== JSON.stringify(here) ? { shown: here } : {};
    const asked = { ...this.common(), ...about, ...sets, ...other };
    const told = await (sets ? ask(PATH + what, asked) : ask(this.address(what, about)));
    if (!told) return this.boxes.show(this.now, true);
    if (!("table" in told)) return this.boxes.show({ ...this.now, said: told.said }, false); // the log cannot be read
    this.now = told;
    for (const [key, event] of Object.entries(told.events)) this.seen.set(JSON.stringify([reviewer, told.session, key]), event);
    this.boxes.show(told, quiet);
    return this.pictures();
  }

  /** Those of the event that is shown; no key waits for them, and a browser has few lines: only the latest request stays. */
  pictures() {
    this.pictured.abort();
    const { signal } = this.pictured = new AbortController();
    ask(this.address("pictures", this.here), null, signal).then((told) => {
      if (told?.pictures && !signal.aborted) this.boxes.pictures(told.pictures);
    });
  }

  known({ session, key }) {
    return this.seen.get(JSON.stringify([this.boxes.reviewer(), session, key])) ?? { seen: 0 };
  }

  common() {
    return { page: this.page, reviewer: this.boxes.reviewer(), slow: this.boxes.slow() };
  }

  address(what, asked) {
    return `${PATH}${what}?asked=${encodeURIComponent(JSON.stringify({ ...this.common(), ...asked }))}`;
  }
}
