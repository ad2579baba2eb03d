// The tabs answer to the arrow keys, as tabs do elsewhere: Gradio's only to Tab and Enter.
document.addEventListener("keydown", (event) => {
  const here = event.target.closest?.('[role="tablist"] > [role="tab"]');
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!here || !step || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
  const tabs = [...here.parentElement.querySelectorAll(':scope > [role="tab"]:not([disabled])')];
  const next = tabs[(tabs.indexOf(here) + step + tabs.length) % tabs.length];
  event.preventDefault();
  next.click();
  next.focus();
});
