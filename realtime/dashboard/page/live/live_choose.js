// Which camera of this browser is used, how large its pictures are, and how many a second.
"use strict";
window.MerLive = window.MerLive || {};

(() => {
  const SIZES = [["640x480", "640 × 480 (usual)"], ["1280x720", "1280 × 720"], ["1920x1080", "1920 × 1080"], ["320x240", "320 × 240"]];
  // all that a camera has: a micro-expression may last a tenth of a second
  const RATES = [["120", "all that it has"], ["60", "60"], ["30", "30"], ["25", "25"]];
  const $ = (id) => document.getElementById(id);

  const option = (value, text) => Object.assign(document.createElement("option"), { value, textContent: text });

  function begin() {
    $("mer-size").replaceChildren(...SIZES.map((one) => option(...one)));
    $("mer-rate").replaceChildren(...RATES.map((one) => option(...one)));
    list();
    navigator.mediaDevices?.addEventListener?.("devicechange", list);
  }

  // Browsers give cameras no names before one has been allowed: this is asked again then.
  async function list() {
    const devices = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
    const cameras = devices.filter(({ kind, deviceId }) => kind === "videoinput" && deviceId);
    const before = $("mer-camera").value;
    $("mer-camera").replaceChildren(option("", "the browser's choice"), ...cameras.map(({ deviceId, label }, i) => option(deviceId, label || `Camera ${i + 1}`)));
    if (cameras.some(({ deviceId }) => deviceId === before)) $("mer-camera").value = before;
  }

  // for getUserMedia
  function wanted() {
    const [width, height] = ($("mer-size").value || SIZES[0][0]).split("x").map(Number), camera = $("mer-camera").value;
    return {
      width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: Number($("mer-rate").value || RATES[0][0]) },
      ...(camera ? { deviceId: { exact: camera } } : {}),
    };
  }

  // The camera is open: what it cannot do is no longer offered.
  function opened(track) {
    list();
    const { width, height } = track.getCapabilities?.() ?? {};
    for (const one of $("mer-size").options) {
      const [w, h] = one.value.split("x").map(Number);
      one.disabled = Boolean(width?.max && height?.max) && (w > width.max || h > height.max);
    }
  }

  document.addEventListener("change", ({ target }) => {
    if (["mer-camera", "mer-size", "mer-rate"].includes(target.id) && MerLive.camera())
      MerLive.say("The camera goes on as it is: press Stop, then Start camera, to have it as chosen now.");
  });

  MerLive.choose = { begin, wanted, opened };
})();
