// The live tab's words for what the program counts: people read these, not the program's own names.
"use strict";
window.MerLive = window.MerLive || {};

(() => {
  // why a movement was not reported: realtime/spotting
  const SET_ASIDE = {
    blink: "blink", motion: "head moved", head: "head moved", lost: "face was lost", speech: "talking", "too small": "too small",
    "too short": "too short", "too long": "too long", macro: "too long", nothing: "no expression", micro: "not sure enough",
  };
  // why a picture was not looked at: realtime/sources, and the page's own live_camera.js
  const MISSED = {
    "queue full": "too busy", "decoder behind": "too busy", "the encoder is slow": "this browser is too busy",
    "the browser is slow": "this browser is too busy", "the connection is slow": "the connection is too slow",
    "no key frame yet": "waited for a whole picture", "damaged chunk": "arrived damaged",
  };
  const CODECS = { h264: "H.264", vp8: "VP8", mjpeg: "single pictures (JPEG)", raw: "as they are" };

  const setAside = (cause) => SET_ASIDE[cause] || cause;
  const missed = (cause) => MISSED[cause] || cause;
  const codec = (name) => CODECS[name] || name;

  // {cause: number} → "3 too small, 1 blink"; word(cause) may be the same for several
  function counted(of, word) {
    const sums = new Map();
    for (const [cause, number] of Object.entries(of)) if (number) sums.set(word(cause), (sums.get(word(cause)) || 0) + number);
    return [...sums].sort((a, b) => b[1] - a[1]).map(([words, number]) => `${number} ${words}`).join(", ");
  }

  const percent = (share) => `${Math.round(100 * share)} %`;

  // 75.3 → "1:15.3"
  function clock(seconds) {
    const tenths = Math.round(seconds * 10), rest = tenths % 600;
    return `${Math.floor(tenths / 600)}:${String(Math.floor(rest / 10)).padStart(2, "0")}.${rest % 10}`;
  }

  const milliseconds = (value) => `${Math.round(value)} ms`;

  MerLive.words = { setAside, missed, codec, counted, percent, clock, milliseconds };
})();
