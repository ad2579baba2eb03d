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
    return target.closest("textarea, select, [contenteditable=true], [role=listbox], [role=tablist]")
      || (target.matches("input") && !["checkbox", "radio", "button"].includes(target.type));
  }

  function label(number) {
    const choice = at("rv-label")?.querySelectorAll("input[type=radio]")[number - 1];
    if (!choice) return;
    if (choice.checked) press("rv-accept"); // it is called so already: that is a word, too
    else choice.click();
  }

  function move(event) {
    const way = event.key === "ArrowLeft" ? "earlier" : "later";
    const control = event.ctrlKey || event.altKey;
    if (!control && !event.shiftKey) return false;
    press(`rv-${control ? (event.shiftKey ? "offset" : "apex") : "onset"}-${way}`);
    return true;
  }

  function act(event) {
    const plain = !event.ctrlKey && !event.altKey && !event.metaKey;
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") return move(event);
    if (!plain) return false;
    if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      if (event.target.type === "radio") return false; // a radio group's own keys
      press(event.key === "ArrowUp" ? "rv-before" : "rv-after");
    } else if (/^[1-9]$/.test(event.key)) label(Number(event.key));
    else if (event.key.toLowerCase() === "a") press("rv-accept");
    else if (event.key.toLowerCase() === "r") press("rv-reject");
    else if (event.key.toLowerCase() === "u") press("rv-undo");
    else if (event.key.toLowerCase() === "s") press("rv-slow");
    else if (event.key.toLowerCase() === "e") press("rv-export");
    else if (event.key.toLowerCase() === "n") {
      const input = field("rv-missed");
      if (!input) return false;
      input.focus();
      input.select();
    } else if (event.key === "Enter" && event.target.closest("tr[data-key]")) event.target.click();
    else return false;
    return true;
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
    if (act(event)) event.preventDefault();
  });

  // the reviewer's name stays in this browser
  const NAME = "mer-reviewer";
  document.addEventListener("input", (event) => {
    if (event.target instanceof Element && event.target.closest("#rv-reviewer")) localStorage.setItem(NAME, event.target.value);
  });
  function recall() {
    const input = field("rv-reviewer");
    const name = localStorage.getItem(NAME);
    if (!input || input.value || !name) return;
    input.value = name;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // a choice made with the mouse must not keep the arrow keys
  document.addEventListener("pointerup", (event) => {
    const radio = event.target instanceof Element && event.target.closest("#rv-label, #rv-kind");
    if (radio) setTimeout(() => document.activeElement?.type === "radio" && document.activeElement.blur(), 0);
  });

  // the log may have grown meanwhile: look again whenever the tab comes into view; keep the chosen row in sight
  let visible = false;
  setInterval(() => {
    const now = Boolean(shown());
    if (now && !visible) {
      recall();
      press("rv-refresh");
    }
    visible = now;
  }, 400);
  let last = null;
  new MutationObserver(() => {
    const row = panel()?.querySelector('tr[aria-selected="true"]');
    if (row && row.dataset.key !== last) {
      last = row.dataset.key;
      row.scrollIntoView({ block: "nearest" });
    }
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
