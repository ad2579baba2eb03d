// A button that opens a list of formats; each says what it is for.
import { make } from "./timeline_parts.js";

/** menu: [kind, name, what it is for, whether it takes long]. choose(kind, slow) */
export function downloads(menu, choose) {
  const items = menu.map(([kind, name, about, slow]) => make("button", {
    type: "button", "data-kind": kind, onclick: () => {
      root.open = false;
      head.focus();
      choose(kind, slow);
    },
  }, make("b", { text: name }), make("span", { text: about })));
  const head = make("summary", { text: "Download" });
  const root = make("details", { class: "mr-menu" }, head, make("div", { class: "mr-formats", role: "group", "aria-label": "Formats" }, ...items));
  root.addEventListener("keydown", (event) => {
    const place = items.indexOf(document.activeElement), step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape" && root.open) {
      root.open = false;
      head.focus();
    } else if (root.open && step) items[(place + step + items.length) % items.length].focus();
    else return;
    event.preventDefault();
    event.stopPropagation(); // the arrow keys are the timeline's otherwise
  });
  root.addEventListener("focusout", (event) => { if (event.relatedTarget && !root.contains(event.relatedTarget)) root.open = false; });
  const outside = (event) => { if (!root.contains(event.target)) root.open = false; };
  root.addEventListener("toggle", () => document[root.open ? "addEventListener" : "removeEventListener"]("pointerdown", outside));
  return root;
}
