// The live tab's words for figures, and for what the browser itself counts; the server's come as words (live/words.py).
// why a picture was not sent: camera.js
const MISSED = {
  "the encoder is slow": "this browser is too busy", "the browser is slow": "this browser is too busy",
  "the connection is slow": "the connection is too slow",
};
const CODECS = { h264: "H.264", vp8: "VP8", mjpeg: "single pictures (JPEG)", raw: "as they are" };

export const missed = (cause) => MISSED[cause] || cause;
export const codec = (name) => CODECS[name] || name;

// {cause: number} → "3 too small, 1 blink"; word(cause) may be the same for several
export function counted(of, word) {
  const sums = new Map();
  for (const [cause, number] of Object.entries(of)) if (number) sums.set(word(cause), (sums.get(word(cause)) || 0) + number);
  return [...sums].sort((a, b) => b[1] - a[1]).map(([words, number]) => `${number} ${words}`).join(", ");
}

export const percent = (share) => `${Math.round(100 * share)} %`;

// 75.3 → "1:15.3"
export function clock(seconds) {
  const tenths = Math.round(seconds * 10), rest = tenths % 600;
  return `${Math.floor(tenths / 600)}:${String(Math.floor(rest / 10)).padStart(2, "0")}.${rest % 10}`;
}

export const milliseconds = (value) => `${Math.round(value)} ms`;
