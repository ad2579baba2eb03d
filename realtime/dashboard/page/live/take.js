// Four ways from the camera's track to pictures for the server: encoded from the track, raw from it, encoded from the <video>
// where a browser has no track processor (Firefox, Safari), and JPEG where it has no encoder.
import { body, room } from "./wire.js";

const KEY_MS = 1000;
const JPEG_QUALITY = 0.92;
const WAIT_SECONDS = 0.13; // for which pictures may wait for the encoder
const BUFFER_SECONDS = 0.2; // for which the browser may hold them while this page is busy
const LAYOUTS = { I420: 1, NV12: 2 };
const SLOW_SHARE = 0.2; // of the pictures of SLOW_MS: the way to the server is too narrow for raw ones
const SLOW_MS = 5000;
const SETTLED_MS = 10_000; // the server may be busy with loading until then

// Takes pictures until `end()`.
export function take(camera) {
  const way = camera.codec === "mjpeg" ? new Jpegs(camera) : camera.codec === "raw" ? new Raw(camera) : new Encoded(camera);
  way.begin();
  return way;
}

class Way {
  constructor(camera) {
    this.camera = camera;
    this.on = true;
  }

  begin() {
    this.onTrack((frame) => this.take(frame));
  }

  /** One picture, or the moment of one. @param {any} picture @returns {any} */
  take(picture) {
    throw new Error(`${this.constructor.name} takes no ${picture}`);
  }

  end() {
    this.on = false;
  }

  // Cancelled after the next picture, or ended with the track: one that is cancelled while it waits leaves the picture on its way unclosed.
  async onTrack(take) {
    const maxBufferSize = Math.ceil(this.camera.fps * BUFFER_SECONDS);
    const reader = new MediaStreamTrackProcessor({ track: this.camera.track, maxBufferSize }).readable.getReader();
    while (this.on) {
      const { value: frame, done } = await reader.read().catch(() => ({ value: null, done: true }));
      if (done) return;
      try {
        if (this.on) await take(frame);
      } finally {
        frame.close();
      }
    }
    reader.cancel().catch(() => {});
  }

  // take(milliseconds): at each new picture of the <video>
  onVideo(take) {
    const { video, fps } = this.camera;
    const next = (now = performance.now(), about = {}) => {
      if (!this.on) return;
      again();
      take(about.captureTime ?? now);
    };
    const again = () => (video.requestVideoFrameCallback ? video.requestVideoFrameCallback(next) : setTimeout(next, 1000 / fps));
    again();
  }
}

class Encoded extends Way {
  begin() {
    const { camera } = this;
    camera.wantKey = true;
    this.lastKey = 0;
    this.encoder = new VideoEncoder({
      output: (chunk) => this.output(chunk),
      error: (error) => this.on && camera.ended(`The browser's video encoder failed (${error.message}). Press Start camera to try again.`),
    });
    this.encoder.configure(camera.config);
    if (window.MediaStreamTrackProcessor) super.begin();
    else this.onVideo((milliseconds) => this.takeVideo(milliseconds));
  }

  end() {
    super.end();
    if (this.encoder.state !== "closed") this.encoder.close();
  }

  takeVideo(milliseconds) {
    const { video } = this.camera;
    if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    const frame = new VideoFrame(video, { timestamp: Math.round(milliseconds * 1000) });
    this.take(frame);
    frame.close();
  }

  // Dropping before encoding costs one picture; after it, all that builds on it.
  take(frame) {
    const { camera, encoder } = this, now = performance.now();
    camera.frames++;
    if (!camera.ready("the encoder is slow", encoder.encodeQueueSize > Math.ceil(camera.fps * WAIT_SECONDS))) return;
    const key = camera.wantKey || now - this.lastKey > KEY_MS;
    if (key) { this.lastKey = now; camera.wantKey = false; }
    camera.remember(frame.timestamp, now);
    encoder.encode(frame, { keyFrame: key });
  }

  output(chunk) {
    const message = room(chunk.byteLength);
    chunk.copyTo(body(message));
    this.camera.post(message, { microseconds: chunk.timestamp, key: chunk.type === "key" });
  }
}

class Raw extends Way {
  begun = performance.now();
  slow = []; // when pictures were dropped

  async take(frame) {
    const { camera } = this, now = performance.now();
    camera.frames++;
    const layout = LAYOUTS[frame.format], { width, height } = frame.visibleRect ?? {};
    if (!layout || width !== camera.width || height !== camera.height) return camera.narrow(`pictures of the kind ${frame.format}`);
    if (!camera.ready()) {
      this.slow = this.slow.filter((at) => now - at < SLOW_MS).concat(now);
      if (this.slow.length > SLOW_SHARE * camera.fps * (SLOW_MS / 1000) && now - this.begun > SETTLED_MS) camera.narrow("the connection is slow");
      return;
    }
    const message = room(frame.allocationSize());
    await frame.copyTo(body(message));
    camera.remember(frame.timestamp, now);
    camera.post(message, { microseconds: frame.timestamp, key: true, layout, full: Boolean(frame.colorSpace?.fullRange) });
  }
}

class Jpegs extends Way {
  begin() {
    const { width, height } = this.camera;
    this.canvas = Object.assign(document.createElement("canvas"), { width, height });
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.onVideo((milliseconds) => this.take(milliseconds));
  }

  take(milliseconds) {
    const { camera, canvas } = this, now = performance.now(), microseconds = Math.round(milliseconds * 1000);
    camera.frames++;
    if (!camera.ready("the browser is slow", this.busy)) return;
    this.busy = true;
    this.context.drawImage(camera.video, 0, 0, camera.width, camera.height);
    canvas.toBlob(async (blob) => {
      const data = blob && new Uint8Array(await blob.arrayBuffer());
      this.busy = false;
      if (!data || !this.on) return;
      const message = room(data.length);
      body(message).set(data);
      camera.remember(microseconds, now);
      camera.post(message, { microseconds, key: true });
    }, "image/jpeg", JPEG_QUALITY);
  }
}
