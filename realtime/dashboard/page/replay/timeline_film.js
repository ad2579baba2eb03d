// The picture on screen: one frame of the recording, with the face's outlines, whether it was judged, and the event it lies in.
import { Faces, outlines } from "./timeline_faces.js";
import { best, lastUpTo, make, shape } from "./timeline_parts.js";

const TALL = 400; // pixels of the picture, on a wide page

export class Film {
  constructor(token, data) {
    Object.assign(this, { token, data, wanted: 0, shown: -1, loading: false, faces: new Faces(token, data.faces) });
    this.image = make("img", { alt: "", draggable: "false" });
    this.outline = shape("svg", { class: "mr-face", viewBox: "0 0 1 1", preserveAspectRatio: "none", "aria-hidden": "true" });
    this.event = make("div", { class: "mr-now", hidden: "" });
    this.words = make("div", { class: "mr-gate", hidden: "" });
    const wide = Math.min(data.width, Math.round(TALL * data.width / data.height));
    const size = `width:${wide}px;aspect-ratio:${data.width}/${data.height}`;
    this.root = make("div", { class: "mr-stage", style: size }, this.image, this.outline, this.event, this.words);
  }

  /** "lost", "motion" or "blink" where frame n was not judged; else null. */
  gate(n) {
    const { times, spans } = this.data, t = times[n];
    const span = spans[lastUpTo(t, spans.length, (i) => spans[i][0])];
    return span && span[0] <= t && t < span[1] ? span[2] : null;
  }

  /** Why nothing can be found in frame n, in words; "" where something can. */
  word(n) {
    const { threshold, words } = this.data;
    return words[this.gate(n)] || (threshold[n] === null ? words.learning : "");
  }

  /** event: the one that frame n lies in, or none. */
  show(n, event) {
    this.wanted = n;
    this.event.hidden = !event;
    if (event) this.event.textContent = `${event.label} ${best(event.scores).toFixed(2)}`;
    this.load();
  }

  load() { // one request at a time: while a picture is on its way, only the latest wish is remembered
    if (this.loading || this.wanted === this.shown) return;
    const n = this.wanted, ahead = new Image();
    this.loading = true;
    const then = () => {
      this.loading = false;
      if (this.wanted !== n) this.load();
    };
    ahead.onload = () => {
      this.shown = n;
      this.image.src = ahead.src;
      this.image.alt = `Frame ${n + 1}`;
      this.image.dataset.frame = String(n);
      this.draw();
      then();
    };
    ahead.onerror = then;
    ahead.src = `/mer/replay/${this.token}/frame/${n}.jpg`;
  }

  draw() { // what belongs to the picture that is on screen, not to one that is still on its way
    const n = this.shown, word = this.word(n), row = this.faces.at(n, () => this.draw());
    this.words.hidden = !word;
    this.words.textContent = word;
    this.outline.replaceChildren(...(row ? outlines(row, !this.gate(n)) : []));
    this.faces.ahead(n);
  }
}
