// The browser's camera: every picture is encoded here (WebCodecs) and handed on with the time at which it was taken.
// H.264 costs 3 ms a picture, VP8 more than 20. Without H.264 raw pictures are sent where the server is this machine, VP8
// where it is not; where a browser has neither, JPEG pictures, as many as it manages.
"use strict";
window.MerLive = window.MerLive || {};

(() => {
  const HEADER = 16; // bytes: version, flags, layout, one of padding, size, microseconds
  const VERSION = 1;
  const BITS_PER_PIXEL = 0.9; // 8 Mbit/s at 640×480 and 30 pictures/s: small movements must survive
  const KEY_MS = 1000;
  const MOST_BUFFERED = 400_000; // bytes that may wait for the network: less than half a second
  const MOST_ENCODING = 4;
  const MOST_RAW = 4; // pictures that may wait for the network
  const LAYOUTS = { I420: 1, NV12: 2 };
  const MOST_RAW_PIXELS = 1280 * 720;
  const SLOW = 30; // drops within SLOW_MS: the way to the server is too narrow for raw pictures
  const SLOW_MS = 5000;
  const SETTLED_MS = 10_000; // the server may be busy with loading until then
  const LOCAL = ["localhost", "127.0.0.1", "[::1]"];
  const BUFFERED_FRAMES = 6; // that the browser may hold while this page is busy

  const REASONS = {
    NotAllowedError: "The browser may not use the camera. Click the camera sign beside the address, choose “Allow”, then press Start camera again.",
    NotFoundError: "No camera was found. Plug one in and press Start camera again, or use a camera, file or stream of the server.",
    NotReadableError: "The camera is in use by another program, or it does not answer. Close the other program, then press Start camera again.",
    OverconstrainedError: "The camera has no picture size that fits. Try another camera.",
  };

  class Camera {
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
        this.stream = await navigator.mediaDevices.getUserMedia({
          audio: false, video: { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } },
        });
      } catch (error) {
        throw new Error(REASONS[error.name] || `The camera could not be opened (${error.name}). Try again, or use another one.`);
      }
      this.track = this.stream.getVideoTracks()[0];
      this.track.onended = () => this.ended("The camera was unplugged, or taken away from this page. Plug it in and press Start camera.");
      const { width = 640, height = 480, frameRate = 30 } = this.track.getSettings();
      this.width = width & ~1; this.height = height & ~1; this.fps = frameRate;
      this.video.srcObject = this.stream;
      await this.video.play().catch(() => {}); // a hidden tab may refuse; the pictures come nevertheless
      this.codec = await this.bestCodec();
      return this;
    }

    async bestCodec(raw = true) {
      const only = MerLive.onlyCodec; // for tests
      if (only === "mjpeg" || !window.VideoEncoder || !window.VideoFrame) return "mjpeg";
      if (!window.MediaStreamTrackProcessor && !this.video.requestVideoFrameCallback) return "mjpeg";
      const near = LOCAL.includes(location.hostname) && window.MediaStreamTrackProcessor && this.width * this.height <= MOST_RAW_PIXELS;
      if (only === "raw") return only;
      const base = {
        width: this.width, height: this.height, framerate: this.fps, latencyMode: "realtime",
        bitrate: Math.round(this.width * this.height * this.fps * BITS_PER_PIXEL),
      };
      for (const [name, more] of [["h264", { codec: "avc1.42001f", avc: { format: "annexb" } }], ["vp8", { codec: "vp8" }]]) {
        this.config = { ...base, ...more };
        if (only && only !== name) continue;
        if ((await VideoEncoder.isConfigSupported(this.config).catch(() => ({}))).supported) return name;
        if (raw && near && !only) return "raw";
      }
      return "mjpeg";
    }

    // From the first picture on, and again after the server was away.
    begin() {
      this.end();
      this.going = { on: true };
      this.wantKey = true;
      this.begun = performance.now();
      this.taken.clear();
      if (this.codec === "mjpeg") return this.takeJpegs(this.going);
      if (this.codec === "raw") return this.takeTrack(this.going, (frame) => this.pass(frame));
      this.encoder = new VideoEncoder({
        output: (chunk) => this.output(chunk),
        error: (error) => this.ended(`The browser's video encoder failed (${error.message}). Press Start camera to try again.`),
      });
      this.encoder.configure(this.config);
      if (window.MediaStreamTrackProcessor) this.takeTrack(this.going, (frame) => this.encode(frame));
      else this.takeVideo(this.going);
    }

    // The camera stays on, for the server may come back.
    end() {
      if (this.going) this.going.on = false;
      this.reader?.cancel().catch(() => {});
      this.reader = null;
      if (this.encoder && this.encoder.state !== "closed") this.encoder.close();
      this.encoder = null;
    }

    close() {
      this.end();
      if (this.track) this.track.onended = null;
      this.stream?.getTracks().forEach((track) => track.stop());
      this.video.srcObject = null;
    }

    async takeTrack(going, take) {
      const reader = new MediaStreamTrackProcessor({ track: this.track, maxBufferSize: BUFFERED_FRAMES }).readable.getReader();
      this.reader = reader;
      while (going.on) {
        const { value: frame, done } = await reader.read().catch(() => ({ done: true }));
        if (done) break;
        if (going.on) await take(frame);
        frame.close();
      }
    }

    takeVideo(going) {
      const next = (now, about) => {
        if (!going.on) return;
        const frame = new VideoFrame(this.video, { timestamp: Math.round((about.captureTime ?? now) * 1000) });
        this.encode(frame);
        frame.close();
        this.video.requestVideoFrameCallback(next);
      };
      this.video.requestVideoFrameCallback(next);
    }

    // Dropping before encoding costs one picture; after it, all that builds on it.
    encode(frame) {
      const now = performance.now();
      this.frames++;
      if (!this.ready("the encoder is slow", this.encoder.encodeQueueSize > MOST_ENCODING)) return;
      const key = this.wantKey || now - (this.lastKey || 0) > KEY_MS;
      if (key) { this.lastKey = now; this.wantKey = false; }
      this.remember(frame.timestamp, now);
      this.encoder.encode(frame, { keyFrame: key });
    }

    async pass(frame) {
      const now = performance.now();
      this.frames++;
      const layout = LAYOUTS[frame.format], { width, height } = frame.visibleRect ?? {};
      if (!layout || width !== this.width || height !== this.height) return this.narrow(`pictures of the kind ${frame.format}`);
      if (!this.ready()) {
        this.slow = (this.slow || []).filter((at) => now - at < SLOW_MS).concat(now);
        if (this.slow.length > SLOW && now - this.begun > SETTLED_MS) this.narrow("the connection is slow");
        return;
      }
      const message = new ArrayBuffer(HEADER + frame.allocationSize());
      await frame.copyTo(new Uint8Array(message, HEADER));
      this.remember(frame.timestamp, now);
      this.post(message, frame.timestamp, true, layout, frame.colorSpace?.fullRange);
    }

    // Raw pictures do not get through: from now on they are encoded.
    async narrow(why) {
      if (this.narrowing) return;
      this.narrowing = true;
      this.end();
      this.codec = await this.bestCodec(false);
      this.changed(why);
    }

    ready(cause, busy) {
      const most = this.codec === "raw" ? MOST_RAW * this.width * this.height * 1.5 : MOST_BUFFERED;
      const why = this.waiting() > most ? "the connection is slow" : busy ? cause : null;
      if (why) this.drops[why] = (this.drops[why] || 0) + 1;
      return !why;
    }

    output(chunk) {
      const message = new ArrayBuffer(HEADER + chunk.byteLength);
      chunk.copyTo(new Uint8Array(message, HEADER));
      this.post(message, chunk.timestamp, chunk.type === "key");
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

    takeJpegs(going) {
      const canvas = Object.assign(document.createElement("canvas"), { width: this.width, height: this.height });
      const context = canvas.getContext("2d", { alpha: false });
      let busy = false;
      const next = () => {
        if (!going.on) return;
        const now = performance.now();
        this.frames++;
        if (this.ready("the browser is slow", busy)) {
          busy = true;
          context.drawImage(this.video, 0, 0, this.width, this.height);
          canvas.toBlob(async (blob) => {
            const data = blob && new Uint8Array(await blob.arrayBuffer());
            busy = false;
            if (!data || !going.on) return;
            const message = new ArrayBuffer(HEADER + data.length);
            new Uint8Array(message, HEADER).set(data);
            this.remember(Math.round(now * 1000), now);
            this.post(message, now * 1000, true);
          }, "image/jpeg", 0.92);
        }
        again();
      };
      const again = () => this.video.requestVideoFrameCallback ? this.video.requestVideoFrameCallback(next) : setTimeout(next, 1000 / this.fps);
      again();
    }

    remember(microseconds, now) {
      this.taken.set(microseconds, now);
      if (this.taken.size > 600) this.taken.delete(this.taken.keys().next().value);
    }

    // Milliseconds from the camera to the end of the server's work on the picture of that time.
    lag(microseconds, age) {
      const at = this.taken.get(microseconds);
      return at === undefined ? null : performance.now() - at - age;
    }
  }

  MerLive.Camera = Camera;
})();
