// What is seen and heard of a recording: one frame of it with the face's outlines, whether it was judged and the event it lies in; and
// the sound in step with the pictures.
import { best, lastUpTo } from "./arithmetic.js";
import { make, shape } from "./parts.js";

const TALL = 400; // pixels of the picture, on a wide page

export class Film {
  constructor(token, data) {
    this.token = token;
    this.data = data;
    this.wanted = 0;
    this.shown = -1;
    this.loading = false;
    this.faces = new Faces(token, data.faces);
    this.image = make("img", { alt: "", draggable: "false" });
    this.outline = shape("svg", { class: "mr-face", viewBox: "0 0 1 1", preserveAspectRatio: "none", "aria-hidden": "true" });
    this.event = make("div", { class: "mr-now", hidden: "", title: "How likely the network finds this class, 0 to 1; all together 1" });
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

// Box and regions of the face in each frame. An hour has 100,000 frames: they are fetched in blocks, as the person scrubs.
const MOST = 24; // blocks kept in the page
const COLOURS = { judged: "#6fd3c8", not: "#f0c062" }; // as in Live

export class Faces {
  /** size: {block: frames of one, numbers: of each frame}, see replay/faces.py */
  constructor(token, size) {
    this.token = token;
    this.size = size;
    this.blocks = new Map();
    this.asked = new Map();
  }

  /** Frame n's numbers; null without a face; undefined while they are on their way: then() is called when they have come. */
  at(n, then) {
    const { block, numbers } = this.size, which = Math.floor(n / block), rows = this.blocks.get(which);
    if (!rows) {
      this.fetch(which).then(() => this.blocks.has(which) && then());
      return undefined;
    }
    const row = rows.subarray((n % block) * numbers, (n % block + 1) * numbers);
    return row.length === 0 || Number.isNaN(row[0]) ? null : row;
  }

  /** So that playing goes on into the next block without a pause. */
  ahead(n) {
    this.fetch(Math.floor((n + this.size.block / 4) / this.size.block));
  }

  fetch(which) {
    if (!this.asked.has(which)) this.asked.set(which, this.get(which));
    return this.asked.get(which);
  }

  async get(which) {
    try {
      const answer = await fetch(`/mer/replay/${this.token}/faces/${which}`);
      if (!answer.ok) return; // there is none after the last
      this.blocks.set(which, new Float32Array(await answer.arrayBuffer()));
    } catch {
      this.asked.delete(which); // the program does not answer, as the queue says: the next frame asks again
    }
    if (this.blocks.size > MOST) {
      const oldest = this.blocks.keys().next().value;
      this.blocks.delete(oldest);
      this.asked.delete(oldest);
    }
  }
}

/** The outlines of one frame as SVG shapes, in shares of the picture. */
export function outlines(row, judged) {
  const stroke = judged ? COLOURS.judged : COLOURS.not, shapes = [];
  const [left, top, right, bottom] = row;
  shapes.push(shape("rect", { class: "mr-facebox", x: left, y: top, width: right - left, height: bottom - top, stroke }));
  for (let i = 4; i + 8 <= row.length && !Number.isNaN(row[i]); i += 8) {
    shapes.push(shape("polygon", { class: "mr-region", points: row.subarray(i, i + 8).join(" "), stroke }));
  }
  return shapes;
}

// The recording's sound, in step with its pictures: while it plays it is their clock. It is off in slow motion.
const SILENT = "mer-replay-silent"; // remembered by this browser

export class Sound {
  /** has: whether the recording has any. */
  constructor(token, has) {
    this.audio = has ? make("audio", { preload: "auto", src: `/mer/replay/${token}/sound` }) : null;
    this.off = localStorage.getItem(SILENT) === "yes";
    this.button = make("button", { type: "button", onclick: () => this.toggle() });
    this.tell();
  }

  toggle() {
    this.off = !this.off;
    localStorage.setItem(SILENT, this.off ? "yes" : "no");
    if (this.off) this.end();
    this.tell();
  }

  tell() {
    this.button.textContent = !this.audio ? "No sound" : this.off ? "Sound off" : "Sound on";
    this.button.disabled = !this.audio;
    this.button.setAttribute("aria-pressed", String(Boolean(this.audio) && !this.off));
    this.button.title = this.audio ? "Sound, at plain speed" : "This recording has no sound";
  }

  /** The second that is heard now; null where none is. t: the second on screen, speed: of the pictures. */
  follow(t, speed) {
    const { audio } = this;
    if (!audio || this.off || speed !== 1 || t >= audio.duration) {
      this.end();
      return null;
    }
    if (audio.paused && !audio.ended) {
      audio.currentTime = t;
      audio.play().catch(() => { this.off = true; this.tell(); }); // a browser that plays nothing unasked, or not this kind
    }
    return audio.paused || audio.seeking || audio.readyState < 3 ? null : audio.currentTime;
  }

  end() { if (this.audio) this.audio.pause(); }
}
