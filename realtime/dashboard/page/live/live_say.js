// What the live tab says: how it stands, what runs, what is wrong, and that something is being stored.
"use strict";
window.MerLive = window.MerLive || {};

(() => {
  const $ = (id) => document.getElementById(id);

  MerLive.say = (text) => { $("mer-status").textContent = text; };

  // which: the id of the button whose work runs now, or none. "aria-disabled": a button that is disabled loses the keyboard's place
  MerLive.pressed = (which) => {
    for (const id of ["mer-start", "mer-play", "mer-watch"]) {
      $(id).setAttribute("aria-pressed", String(id === which));
      $(id).setAttribute("aria-disabled", String(id === which));
    }
    $("mer-stop").setAttribute("aria-disabled", String(!which));
  };

  // action: what the button beside it does, in words; without one it closes the box
  MerLive.problem = (text, action, act) => {
    const box = $("mer-problem"), button = box.querySelector("button");
    box.querySelector("span").textContent = text;
    button.textContent = action || "Close";
    button.onclick = act || MerLive.hideProblem;
    box.hidden = false;
  };

  MerLive.hideProblem = () => { $("mer-problem").hidden = true; };

  // what: is being stored, in words, or nothing
  MerLive.recording = (what) => {
    $("mer-recsign").hidden = !what;
    $("mer-recsign").querySelector("b").textContent = what ? `REC: ${what} are being stored` : "";
    $("mer-frame").classList.toggle("mer-storing", Boolean(what));
  };

  MerLive.consent = () => Boolean($("mer-consent")?.querySelector("input")?.checked);

  MerLive.agreed = () => {
    if (MerLive.consent()) return true;
    MerLive.problem("Tick the box first: everyone in view must know that their face is analysed, and agree.");
    $("mer-consent")?.querySelector("input")?.focus();
    return false;
  };

  // text: why results are incomplete, or nothing
  MerLive.busy = (text) => {
    if ($("mer-busy").textContent !== text) $("mer-busy").textContent = text;
    $("mer-busy").hidden = !text;
  };

  // Gradio's own webcam, for where no WebSocket gets through
  MerLive.openPlain = () => {
    const button = document.querySelector("#mer-plain > button");
    if (button && !button.classList.contains("open")) button.click();
  };
})();
