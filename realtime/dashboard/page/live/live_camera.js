// The browser's camera: every picture is handed on with the time at which it was taken, encoded where the browser can.
// H.264 costs 3 ms a picture, VP8 more than 20. Without H.264 raw pictures are sent where the server is this machine, VP8
// where it is not; where a browser has neither, JPEG pictures, as many as it manages. How they are taken: live_take.js.
"use strict";
window.MerLive = window.MerLive || {};

(() => {
  const HEADER = 16; // bytes: version, flags, layout, one of padding, size, microseconds
  const VERSION = 1;
  const USUAL_FPS = 30;
  const LEAST_FPS = 25; // below, micro-expressions would be missed: better to lose some at random
  const BITS_PER_PIXEL = 0.9; // 8 Mbit/s at 640×480 and 30 pictures/s: small movements must survive
  const BUFFERED_SECONDS = 0.4; // of video that may wait for the network
  const MOST_RAW = 4; // pictures that may wait for the network, at 30 a second
  const MOST_RAW_PIXELS = 1280 * 720;
  const LOCAL = ["localhost", "127.0.0.1", "[::1]"];
  // H.264: the least level for so many macroblocks a second and so many bits a second, beyond which encoders fail
  const LEVELS = [[108_000, 14e6, "1f"], [216_000, 20e6, "20"], [245_760, 20e6, "28"], [522_240, 50e6, "2a"]];
  const REMEMBERED_SECONDS = 20; // for which it is known when a picture was taken

  const REASONS = {
    NotAllowedError: "The browser may not use the camera. Click the camera sign beside the address, choose “Allow”, then press Start camera again.",
    NotFoundError: "No camera was found. Plug one in and press Start camera again, or play the demo clip, or use a camera, file or stream of the server (under Settings).",
    NotReadableError: "The camera is in use by another program, or it does not answer. Close the other program, then press Start camera again.",
    OverconstrainedError: "The camera has no picture size that fits. Choose another camera or picture size.",
  };

  MerLive.Camera = class Camera {
    // send(ArrayBuffer), waiting(): bytes not yet sent, ended(reason): the camera is gone, changed(why): to another codec
    constructor(video, { send, waiting, ended, changed }) {
      Object.assign(this, { video, send, waiting, ended, changed });
      this.taken = new Map(); // microseconds → performance.now()
      this.drops = {};
      this.frames = 0;
      this.sent = 0;
    }

    async open() {
      if (!navigator.mediaDevices?.getUserMedia)
        throw new Error("This address is not secure, so the browser gives no camera. Open the page as http://127.0.0.1 (through an SSH tunnel, if need be) or over https, or use a camera of the server.");
      try {
        this.stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: MerLive.choose.wanted() });
      } catch (error) {
        throw new Error(REASONS[error.name] || `The camera could not be opened (${error.name}). Try again, or use another one.`);
      }
      this.track = this.stream.getVideoTracks()[0];
      MerLive.choose.opened(this.track);
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
      const only = MerLive.onlyCodec; // for tests
      if (only === "mjpeg" || !window.VideoEncoder || !window.VideoFrame) return "mjpeg";
      if (!window.MediaStreamTrackProcessor && !this.video.requestVideoFrameCallback) return "mjpeg";
      const near = LOCAL.includes(location.hostname) && window.MediaStreamTrackProcessor && this.width * this.height <= MOST_RAW_PIXELS;
      if (only === "raw") return only;
      const blocks = Math.ceil(this.width / 16) * Math.ceil(this.height / 16) * this.fps;
      const level = (LEVELS.find(([most, bits]) => blocks <= most && this.bitrate() <= bits) || LEVELS.at(-1))[2];
      const base = { width: this.width, height: this.height, framerate: this.fps, latencyMode: "realtime", bitrate: this.bitrate() };
      for (const [name, more] of [["h264", { codec: `avc1.4200${level}`, avc: { format: "annexb" } }], ["vp8", { codec: "vp8" }]]) {
        this.config = { ...base, ...more };
        if (only && only !== name) continue;
        if ((await VideoEncoder.isConfigSupported(this.config).catch(() => ({}))).supported) return name;
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
      this.going = MerLive.take(this);
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

    message(bytes) {
      return new ArrayBuffer(HEADER + bytes);
    }

    body(message) {
      return new Uint8Array(message, HEADER);
    }

    post(message, microseconds, key, layout = 0, full = false) {
      const head = new DataView(message);
      head.setUint8(0, VERSION);
      head.setUint8(1, (key ? 1 : 0) | (full ? 2 : 0));
      head.setUint8(2, layout);
      head.setUint32(4, message.byteLength - HEADER, true);
      head.setBigInt64(8, BigInt(Math.round(microseconds)), true);
      this.sent++;
      this.send(message);
    }

    remember(microseconds, now) {
      this.taken.set(microseconds, now);
      if (this.taken.size > REMEMBERED_SECONDS * this.fps) this.taken.delete(this.taken.keys().next().value);
    }
  };
})();
