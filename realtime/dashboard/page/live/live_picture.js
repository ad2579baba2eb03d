// The picture of the live tab: which one is shown, boxes and words over it, and the latest event in its corner.
"use strict";
window.MerLive = window.MerLive || {};

(() => {
  const LATEST_MS = 6000; // for which an event stands in the picture's corner
  const $ = (id) => document.getElementById(id);
  let latest = null, hiding = null;

  // which: "mer-video" (the browser's camera), "mer-viewer" (a source of the server), or none
  function show(which) {
    for (const name of ["mer-video", "mer-viewer"]) if (which) $(name).hidden = name !== which;
    $("mer-idle").hidden = Boolean(which);
    if (which) return;
    overlay(undefined, 640, 480);
    $("mer-gate").hidden = true;
    forget();
  }

  function overlay(face, width, height) {
    const canvas = $("mer-overlay"), context = canvas.getContext("2d");
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context.clearRect(0, 0, width, height);
    const gate = $("mer-gate");
    const word = face ? face.words : "No face in view";
    gate.hidden = !word;
    if (gate.textContent !== word) gate.textContent = word;
    if (!face) return;
    const [left, top, right, bottom] = face.box;
    const unit = width / 640;
    context.lineWidth = 2 * unit;
    context.strokeStyle = face.gate ? "#f0c062" : "#6fd3c8";
    context.strokeRect(left, top, right - left, bottom - top);
    context.lineWidth = 1.25 * unit;
    context.setLineDash([5 * unit, 4 * unit]);
    for (const quad of face.regions) {
      context.beginPath();
      quad.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
      context.closePath();
      context.stroke();
    }
    context.setLineDash([]);
  }

  function viewer(image, width, height) {
    const canvas = $("mer-viewer");
    if (canvas.width !== image.width || canvas.height !== image.height) Object.assign(canvas, { width: image.width, height: image.height });
    canvas.getContext("2d").drawImage(image, 0, 0);
    canvas.dataset.width = width;
    canvas.dataset.height = height;
  }

  // Where a person looks who has just moved their face: its label, and its flow as soon as that is there.
  function mark(event) {
    latest = event.event;
    const box = $("mer-latest");
    box.querySelector("img").hidden = true;
    box.querySelector("b").textContent = event.label;
    box.querySelector("small").textContent = `${event.kind}, event ${event.event}`;
    box.hidden = false;
    clearTimeout(hiding);
    hiding = setTimeout(forget, LATEST_MS);
  }

  // → the picture in the corner, or none where the event is no longer there
  function flow(number, url) {
    return number === latest ? Object.assign($("mer-latest").querySelector("img"), { src: url, hidden: false }) : null;
  }

  function forget() {
    latest = null;
    $("mer-latest").hidden = true;
  }

  MerLive.picture = { show, overlay, viewer, mark, flow };
})();
