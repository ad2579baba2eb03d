// Beside Gradio, for all tabs: their keys, and a word where a press failed.
import "./help.js";
import { failed } from "./requests.js";

// The tabs answer to the arrow keys, as tabs do elsewhere: Gradio's only to Tab and Enter.
document.addEventListener("keydown", (/** @type {any} */ event) => {
  const here = event.target.closest?.('[role="tablist"] > [role="tab"]');
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!here || !step || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
  const tabs = [...here.parentElement.querySelectorAll(':scope > [role="tab"]:not([disabled])')];
  const next = tabs[(tabs.indexOf(here) + step + tabs.length) % tabs.length];
  event.preventDefault();
  next.click();
  next.focus();
});

// Gradio says nothing of a press of its controls that failed; where no answer comes at all, it says that the connection is lost
new PerformanceObserver((seen) => {
  for (const { name, responseStatus } of seen.getEntries()) if (name.includes("/run/predict") && responseStatus >= 400) failed(responseStatus);
}).observe({ type: "resource" });
