// The browser's camera: every picture is handed on with the time at which it was taken, encoded where the browser can.
// H.264 costs 3 ms a picture, VP8 more than 20. Without H.264 raw pictures are sent where the server is this machine, VP8
// where it is not; where a browser has neither, JPEG pictures, as many as it manages. How they are taken: take.js.
import { $ } from "../shared/dom.js";
import { take } from "./take.js";
import { address } from "./wire.js";

const USUAL_FPS = 30;
const LEAST_FPS = 25; // below, micro-expressions would be missed: better to lose some at random
const BITS_PER_PIXEL = 0.9; // 8 Mbit/s at 640×480 and 30 pictures/s: small movements must survive
const BUFFERED_SECONDS = 0.4; // of video that may wait for the network
const MOST_RAW = 4; // pictures that may wait for the network, at 30 a second
const MOST_RAW_PIXELS = 1280 * 720;
const LOCAL = ["localhost", "127.0.0.1", "[::1]"];
// H.264: the least level for so many macroblocks a second and so many bits a second, beyond which encoders fail
/** @type {[number, number, string][]} */
const LEVELS = [[108_000, 14e6, "1f"], [216_000, 20e6, "20"], [245_760, 20e6, "28"], [522_240, 50e6, "2a"]];
const REMEMBERED_SECONDS = 20; // for which it is known when a picture was taken

const REASONS = {
  NotAllowedError: "The browser may not use the camera. Click the camera sign beside the address, choose “Allow”, then press Start camera again.",
  NotFoundError: "No camera was found. Plug one in and press Start camera again, or play the demo clip, or use a camera, file or stream of the server (under Settings).",
  NotReadableError: "The camera is in use by another program, or it does not answer. Close the other program, then press Start camera again.",
  OverconstrainedError: "The camera has no picture size that fits. Choose another camera or picture size.",
};

export class Camera {
  /** The one codec that is used, for tests. @type {string | null} */
  static only = null;

  // send(ArrayBuffer), waiting(): bytes not yet sent, ended(reason): the camera is gone, changed(why): to another codec
  constructor(video, { send, waiting, ended, changed }) {
    this.video = video;
    this.send = send;
    this.waiting = waiting;
    this.ended = ended;
    this.changed = changed;
    this.taken = new Map(); // microseconds → performance.now()
    this.drops = {};
    this.frames = 0;
    this.sent = 0;
  }

  async open() {
    if (!navigator.mediaDevices?.getUserMedia)
      throw new Error("This address is not secure, so the browser gives no camera. Open the page as http://127.0.0.1 (through an SSH tunnel, if need be) or over https, or use a camera of the server.");
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: wanted() });
    } catch (error) {
      throw new Error(REASONS[error.name] || `The camera could not be opened (${error.name}). Try again, or use another one.`);
    }
    this.track = this.stream.getVideoTracks()[0];
    offered(this.track);
    this.track.onended = () => this.ended("The camera was unplugged, or taken away from this page. Plug it in and press Start camera.");
    const { width = 640, height = 480, frameRate = USUAL_FPS } = this.track.getSettings();
    this.width = width & ~1; this.height = height & ~1; this.fps = Math.max(frameRate, 1);
    this.video.srcObject = this.stream;
    await this.video.play().catch(() => {}); // a hidden tab may refuse; the pictures come nevertheless
    this.codec = await this.bestCodec();
    return this;
  }

  about() {
    return `${this.width} × ${this.height}, ${Math.round(this.fps)} a second`;
  }

  async bestCodec(raw = true) {
    const only = Camera.only;
    if (only === "mjpeg" || !window.VideoEncoder || !window.VideoFrame) return "mjpeg";
    if (!window.MediaStreamTrackProcessor && !this.video.requestVideoFrameCallback) return "mjpeg";
    const near = LOCAL.includes(location.hostname) && window.MediaStreamTrackProcessor && this.width * this.height <= MOST_RAW_PIXELS;
    if (only === "raw") return only;
    const blocks = Math.ceil(this.width / 16) * Math.ceil(this.height / 16) * this.fps;
    const level = (LEVELS.find(([most, bits]) => blocks <= most && this.bitrate() <= bits) || LEVELS.at(-1))[2];
    const base = { width: this.width, height: this.height, framerate: this.fps, latencyMode: "realtime", bitrate: this.bitrate() };
    for (const [name, more] of /** @type {[string, object][]} */ ([["h264", { codec: `avc1.4200${level}`, avc: { format: "annexb" } }], ["vp8", { codec: "vp8" }]])) {
      this.config = { ...base, ...more };
      if (only && only !== name) continue;
      if ((await VideoEncoder.isConfigSupported(this.config).catch(() => null))?.supported) return name;
      if (raw && near && !only) return "raw";
    }
    return "mjpeg";
  }

  // Bits a second. The faster the pictures come, the more alike they are: four times as many cost twice as much.
  bitrate() {
    const pictures = USUAL_FPS * Math.sqrt(Math.max(this.fps / USUAL_FPS, 1));
    return Math.min(Math.round(this.width * this.height * pictures * BITS_PER_PIXEL), LEVELS.at(-1)[1]);
  }

  // Bytes that may wait for the network: more would be seen too late.
  mostWaiting() {
    const raw = MOST_RAW * Math.max(1, this.fps / USUAL_FPS) * this.width * this.height * 1.5;
    return this.codec === "raw" ? raw : (this.bitrate() / 8) * BUFFERED_SECONDS;
  }

  // From the first picture on, and again after the server was away.
  begin() {
    this.end();
    this.taken.clear();
    this.going = take(this);
  }

  // The camera stays on, for the server may come back.
  end() {
    this.going?.end();
    this.going = null;
  }

  close() {
    this.end();
    if (this.track) this.track.onended = null;
    this.stream?.getTracks().forEach((track) => track.stop());
    this.video.srcObject = null;
  }

  // Half as many pictures, evenly apart: the server cannot keep up. → whether there are fewer now
  async slower() {
    const before = this.fps;
    if (before < 2 * LEAST_FPS) return false;
    await this.track.applyConstraints({ frameRate: { max: before / 2 } }).catch(() => {});
    this.fps = Math.max(this.track.getSettings().frameRate || before, 1);
    return this.fps < before;
  }

  // Raw pictures do not get through: from now on they are encoded.
  async narrow(why) {
    if (this.narrowing) return;
    this.narrowing = true;
    this.end();
    this.codec = await this.bestCodec(false);
    this.changed(why);
  }

  // Whether there is room for one more picture; where not, it is counted as dropped.
  ready(cause, busy) {
    const why = this.waiting() > this.mostWaiting() ? "the connection is slow" : busy ? cause : null;
    if (why) this.drops[why] = (this.drops[why] || 0) + 1;
    return !why;
  }

  post(message, about) {
    address(message, about);
    this.sent++;
    this.send(message);
  }

  remember(microseconds, now) {
    this.taken.set(microseconds, now);
    if (this.taken.size > REMEMBERED_SECONDS * this.fps) this.taken.delete(this.taken.keys().next().value);
  }
}

// --- which camera, how large its pictures, how many a second

const SIZES = [["640x480", "640 × 480 (usual)"], ["1280x720", "1280 × 720"], ["1920x1080", "1920 × 1080"], ["320x240", "320 × 240"]];
// all that a camera has: a micro-expression may last a tenth of a second
const RATES = [["120", "all that it has"], ["60", "60"], ["30", "30"], ["25", "25"]];

const option = (value, text) => Object.assign(document.createElement("option"), { value, textContent: text });

export function choices() {
  $("mer-size").replaceChildren(...SIZES.map((one) => option(...one)));
  $("mer-rate").replaceChildren(...RATES.map((one) => option(...one)));
  list();
  navigator.mediaDevices?.addEventListener?.("devicechange", list);
}

// Browsers give cameras no names before one has been allowed: this is asked again then.
async function list() {
  const devices = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
  const cameras = devices.filter(({ kind, deviceId }) => kind === "videoinput" && deviceId);
  const before = $("mer-camera").value;
  $("mer-camera").replaceChildren(option("", "the browser's choice"), ...cameras.map(({ deviceId, label }, i) => option(deviceId, label || `Camera ${i + 1}`)));
  if (cameras.some(({ deviceId }) => deviceId === before)) $("mer-camera").value = before;
}

// for getUserMedia
function wanted() {
  const [width, height] = ($("mer-size").value || SIZES[0][0]).split("x").map(Number), camera = $("mer-camera").value;
  return {
    width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: Number($("mer-rate").value || RATES[0][0]) },
    ...(camera ? { deviceId: { exact: camera } } : {}),
  };
}

// The camera is open: what it cannot do is no longer offered.
function offered(track) {
  list();
  const { width, height } = track.getCapabilities?.() ?? {};
  for (const one of $("mer-size").options) {
    const [w, h] = one.value.split("x").map(Number);
    one.disabled = Boolean(width?.max && height?.max) && (w > width.max || h > height.max);
  }
}
