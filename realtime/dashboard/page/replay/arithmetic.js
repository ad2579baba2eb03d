// The arithmetic of the timeline, and how times and numbers are said. Nothing here knows of a page.
const LONG = 120; // seconds

export const seconds = (t, digits = 2) => `${t.toFixed(digits)} s`;

/** "35:56", with digits "35:56.25". */
export function clock(t, digits = 0) {
  const rounded = Number(t.toFixed(digits)), minutes = Math.floor(rounded / 60), rest = (rounded - 60 * minutes).toFixed(digits);
  return `${minutes}:${rest.padStart(digits ? 3 + digits : 2, "0")}`;
}

/** A moment of a recording that lasts `end` seconds, as people say it: "14.00 s", in a long one "35:56.25". */
export const moment = (t, end, digits = 2) => (end < LONG ? seconds(t, digits) : clock(t, digits));

/** "40 s", "3 min": how long something will take, about. */
export const lasting = (t) => (t < 90 ? `${Math.max(1, Math.round(t))} s` : `${Math.round(t / 60)} min`);

export const count = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
export const best = (scores) => Math.max(...Object.values(scores));

/** The last place of an ascending list whose value is at most t; 0 where there is none. */
export function lastUpTo(t, length, value) {
  let low = 0, high = length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (value(middle) <= t) low = middle; else high = middle - 1;
  }
  return low;
}

/**
 * The part of a recording that is shown: [from, to] in seconds, `wide` long where that fits, and never beyond its ends.
 * @param {number} from @param {number} wide @param {number} end of the recording @param {number} least seconds
 * @returns {[number, number]}
 */
export function part(from, wide, end, least) {
  wide = Math.min(Math.max(wide, Math.min(least, end)), end);
  from = Math.min(Math.max(from, 0), end - wide);
  return [from, from + wide];
}

/**
 * The part that is shown after zooming by a factor about a moment t, which stays where it is.
 * @param {[number, number]} view @param {number} t @param {number} by @param {number} end @param {number} least
 */
export function zoomed([from, to], t, by, end, least) {
  const wide = (to - from) * by;
  return part(t - wide * (t - from) / (to - from), wide, end, least);
}
