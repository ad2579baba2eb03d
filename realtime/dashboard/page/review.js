// Tab Review, keyboard only: every key presses a control that is on the page, so that both do the same.
(() => {
  const at = (id) => document.getElementById(id);
  const panel = () => at("rv-events");
  const shown = () => panel() && panel().offsetParent !== null;
  const press = (id) => {
    const found = at(id);
    const button = found && (found.matches("button") ? found : found.querySelector("button"));
    if (button && !button.disabled) button.click();
  };
  const field = (id) => at(id)?.querySelector("input, textarea");

  function typing(target) {
    return target.closest("textarea, select, [contenteditable=true], [role=listbox]")
      || (target.matches("input") && !["checkbox", "radio", "button"].includes(target.type));
  }

  const PRESSED = { ArrowUp: "rv-before", ArrowDown: "rv-after", a: "rv-accept", r: "rv-reject", u: "rv-undo", s: "rv-slow", e: "rv-export" };

  // → what the key does, or nothing
  function action(event) {
    const control = event.ctrlKey || event.altKey, key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key === "ArrowLeft" || key === "ArrowRight") {
      if (!control && !event.shiftKey) return null;
      const moment = control ? (event.shiftKey ? "offset" : "apex") : "onset";
      return () => press(`rv-${moment}-${key === "ArrowLeft" ? "earlier" : "later"}`);
    }
    if (control || event.metaKey) return null;
    if (key.startsWith("Arrow") && event.target.type === "radio") return null; // a radio group's own keys
    if (key in PRESSED) return () => press(PRESSED[key]);
    if (/^[1-9]$/.test(key)) return () => press(`rv-label-${key}`); // the server knows which event and label that is by then
    const missed = field("rv-missed"), row = event.target.closest("tr[data-key]");
    if (key === "n" && missed) return () => { missed.focus(); missed.select(); };
    if (key === "Enter" && row) return () => row.click();
    return null;
  }

  document.addEventListener("keydown", (event) => {
    if (!shown() || event.defaultPrevented || !(event.target instanceof Element)) return;
    if (typing(event.target)) {
      // Enter saves a field (Gradio's own event), Escape leaves it; both give the keys back to the review
      const inside = event.target.closest("#mer-review");
      if (inside && event.key === "Escape") event.target.blur(); // at once: the next key is for the review
      else if (inside && event.key === "Enter" && event.target.matches("input[type=number]")) setTimeout(() => event.target.blur(), 0);
      return;
    }
    const act = action(event);
    if (!act) return;
    event.preventDefault();
    act();
  });

  // the reviewer's name stays in this browser
  const NAME = "mer-reviewer";
  document.addEventListener("input", (event) => {
    if (event.target instanceof Element && event.target.closest("#rv-reviewer")) localStorage.setItem(NAME, event.target.value);
  });
  function recall() {
    const input = field("rv-reviewer");
    const name = localStorage.getItem(NAME);
    if (input?.value) localStorage.setItem(NAME, input.value); // typed before this script was there
    if (!input || input.value || !name) return;
    input.value = name;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // a choice made with the mouse must not keep the arrow keys
  document.addEventListener("pointerup", (event) => {
    const radio = event.target instanceof Element && event.target.closest("#rv-label, #rv-kind");
    if (radio) setTimeout(() => document.activeElement?.type === "radio" && document.activeElement.blur(), 0);
  });

  // not at once: Gradio first sets the fields of a tab that comes into view to what it knows itself
  let visible = false;
  setInterval(() => {
    const now = Boolean(shown());
    if (now && !visible) recall();
    visible = now;
  }, 400);

  // the chosen row stays in sight
  let last = null;
  new MutationObserver(() => {
    const row = panel()?.querySelector('tr[aria-selected="true"]');
    if (row && row.dataset.key !== last) {
      last = row.dataset.key;
      row.scrollIntoView({ block: "nearest" });
    }
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
