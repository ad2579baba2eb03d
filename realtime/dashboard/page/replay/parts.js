// What the parts of the timeline share. Texts of a recording are set as text, never as HTML.
export const dark = () => document.body.classList.contains("dark") || document.documentElement.classList.contains("dark");
export const css = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();
export const colour = (data, label) => (data.colours[label] || data.colours.unsure)[Number(dark())]; // [light, dark], from the server

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
