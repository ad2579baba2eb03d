// Tab Review, keyboard only: every key presses a control that is on the page, so that both do the same.
(() => {
  const NAME = "mer-reviewer";
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

  // a verdict is somebody's: without a name it leads to the field for it
  const JUDGING = "#rv-accept, #rv-reject, #rv-undo, #rv-label, #rv-add, #rv-kind, .rv-steps, [id^=rv-label-]";
  function nameFirst() {
    const box = at("rv-reviewer"), name = field("rv-reviewer");
    if (!name || name.value.trim()) return false;
    if (!at("rv-asked")) box.insertAdjacentHTML("beforeend", '<p id="rv-asked" role="alert">Type your name first, then Enter: a verdict is somebody’s.</p>');
    name.focus();
    name.scrollIntoView({ block: "nearest" });
    return true;
  }
  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest(JUDGING) && nameFirst()) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }, true);
  // and where one starts with the mouse, the field waits for it
  document.addEventListener("click", (event) => {
    if (event.detail && event.target instanceof Element && event.target.closest("#mer-review-button")) setTimeout(() => {
      if (shown() && panel().querySelector("tr[data-key]") && !field("rv-reviewer")?.value && !localStorage.getItem(NAME)) field("rv-reviewer").focus();
    }, 600);
  });

  function play() {
    const film = at("rv-around")?.querySelector("video");
    if (film) film.paused ? film.play() : film.pause();
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
    if (key === "p") return play;
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
      else if (inside && event.key === "Enter" && event.target.matches("input[type=number], #rv-reviewer *")) setTimeout(() => event.target.blur(), 0);
      return;
    }
    const act = action(event);
    if (!act) return;
    event.preventDefault();
    act();
  });

  // the reviewer's name stays in this browser
  document.addEventListener("input", (event) => {
    if (!(event.target instanceof Element && event.target.closest("#rv-reviewer"))) return;
    localStorage.setItem(NAME, event.target.value);
    at("rv-asked")?.remove();
  });
  function recall(first) {
    const input = field("rv-reviewer");
    const name = localStorage.getItem(NAME);
    if (input?.value && first) localStorage.setItem(NAME, input.value); // typed before this script was there
    if (!input || input.value || !name || input === document.activeElement) return;
    input.value = name;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // a choice made with the mouse must not keep the arrow keys
  document.addEventListener("pointerup", (event) => {
    const radio = event.target instanceof Element && event.target.closest("#rv-label, #rv-kind");
    if (radio) setTimeout(() => document.activeElement?.type === "radio" && document.activeElement.blur(), 0);
  });

  // again and again: Gradio sets the fields of a tab that comes into view to what it knows itself, on a busy machine after a while
  let visible = false;
  setInterval(() => {
    const now = Boolean(shown());
    if (now) recall(!visible);
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
