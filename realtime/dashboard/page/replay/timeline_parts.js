// What the parts of the timeline share. Texts of a recording are set as text, never as HTML.
const LONG = 120; // seconds

export const dark = () => document.body.classList.contains("dark") || document.documentElement.classList.contains("dark");
export const css = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();
export const colour = (data, label) => (data.colours[label] || data.colours.unsure)[Number(dark())]; // [light, dark], from the server
export const seconds = (t, digits = 2) => `${t.toFixed(digits)} s`;

/** "35:56", with digits "35:56.25". */
export function clock(t, digits = 0) {
  const minutes = Math.floor(+t.toFixed(digits) / 60), rest = (t - 60 * minutes).toFixed(digits);
  return `${minutes}:${rest.padStart(digits ? 3 + digits : 2, "0")}`;
}

/** A moment of a recording that lasts `end` seconds, as people say it: "14.00 s", in a long one "35:56.25". */
export const moment = (t, end, digits = 2) => (end < LONG ? seconds(t, digits) : clock(t, digits));

/** "40 s", "3 min": how long something will take, about. */
export const lasting = (t) => (t < 90 ? `${Math.max(1, Math.round(t))} s` : `${Math.round(t / 60)} min`);

export const count = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
export const best = (scores) => Math.max(...Object.values(scores));

export function make(tag, attributes = {}, ...children) {
  const one = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "text") one.textContent = value;
    else if (key.startsWith("on")) one.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined) one.setAttribute(key, value);
  }
  one.append(...children);
  return one;
}

export function shape(tag, attributes) {
  const one = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
  return one;
}

export const warning = (text) => make("p", { class: "mer-warn", role: "alert", text });

/** The last place of an ascending list whose value is at most t; 0 where there is none. */
export function lastUpTo(t, length, value) {
  let low = 0, high = length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (value(middle) <= t) low = middle; else high = middle - 1;
  }
  return low;
}
