// The recording's sound, in step with its pictures: while it plays it is their clock. It is off in slow motion.
import { make } from "./timeline_parts.js";

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
