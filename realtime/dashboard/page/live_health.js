// The figures of the live tab: what comes, what is lost, and how long a person waits.
"use strict";
window.MerLive = window.MerLive || {};

(() => {
  const KEPT_LAGS = 300, KEPT_EVENTS = 100;
  let server = {}, lags = [], labels = [], flows = [], ends = new Map();

  function clear() {
    lags = []; labels = []; flows = [];
    ends.clear();
  }

  function push(list, value, most) {
    list.push(value);
    if (list.length > most) list.shift();
  }

  // microseconds: of the latest picture that was analysed, age_ms ago
  function analysed(camera, microseconds, age) {
    const at = camera.taken.get(microseconds);
    if (at !== undefined) push(lags, performance.now() - at - age, KEPT_LAGS);
  }

  // An event's label is in the list, its last picture was taken at `microseconds`; its flow will follow.
  function labelled(camera, number, microseconds) {
    const at = camera?.taken.get(microseconds);
    if (at === undefined) return;
    ends.set(number, at);
    painted(() => push(labels, performance.now() - at, KEPT_EVENTS));
  }

  // images: where it is shown now
  async function flowShown(number, ...images) {
    const at = ends.get(number), shown = images.filter(Boolean);
    ends.delete(number);
    if (at === undefined || !shown.length) return;
    await Promise.all(shown.map((image) => image.decode().catch(() => {})));
    painted(() => push(flows, performance.now() - at, KEPT_EVENTS));
  }

  // Called when what now stands in the page is on the screen: the frame after the next drawing. A hidden tab draws nothing.
  function painted(then) {
    if (!document.hidden) requestAnimationFrame(() => setTimeout(then));
  }

  const middle = (list) => {
    const sorted = [...list].sort((a, b) => a - b);
    return sorted.length ? [sorted[sorted.length >> 1], sorted[Math.floor(sorted.length * 0.95)]] : null;
  };
  const both = (pair) => (pair ? `${Math.round(pair[0])} / ${MerLive.milliseconds(pair[1])}` : "–");
  const counts = (of) => Object.entries(of).map(([cause, number]) => `${number} ${cause}`).join(", ");

  function show(figures, camera) {
    server = figures;
    if (server.fps_out === undefined) return;
    const drops = { ...server.drops };
    for (const [cause, number] of Object.entries(camera?.drops ?? {})) drops[cause] = (drops[cause] || 0) + number;
    const movements = Object.entries(server.movements).filter(([cause]) => !["spotted", "macro"].includes(cause));
    rows({
      "Pictures a second, in": [server.fps_in.toFixed(1)],
      "Analysed": [server.fps_out.toFixed(1)],
      ...(camera ? { "Camera": [camera.about(), "What the browser says of the camera, and how its pictures are sent"] } : {}),
      "Dropped": [counts(drops) || "none"],
      "Delay, median / 95 %": camera ? [both(middle(lags)), "From the camera to the end of the analysis"] : [both(server.latency_ms), "From the arrival of a picture to the end of its analysis"],
      ...(camera ? { "On the server": [both(server.latency_ms), "From the arrival of a picture to the end of its analysis"] } : {}),
      "Event known after": [both(server.event_ms), "From the end of a movement to its label, on the server"],
      ...(camera ? { "Event shown after": [`label ${both(middle(labels))}, flow ${both(middle(flows))}`, "From the camera's picture of a movement's end to the label and the flow on this screen"] } : {}),
      "Movements not reported": [counts(Object.fromEntries(movements)) || "none"],
      "Model": [server.backend],
      ...(Object.keys(server.faults).length ? { "Faults": [counts(server.faults)] } : {}),
    });
  }

  function rows(figures) {
    document.getElementById("mer-health").replaceChildren(...Object.entries(figures).map(([name, [value, title]]) => {
      const box = document.createElement("div");
      box.append(Object.assign(document.createElement("dt"), { textContent: name }), Object.assign(document.createElement("dd"), { textContent: value, title: title || "" }));
      return box;
    }));
  }

  // for tests and the long run: lists in milliseconds
  const figures = (camera) => ({
    ...server, lags: [...lags], labels: [...labels], flows: [...flows], lag_ms: middle(lags), page_drops: { ...camera?.drops },
    taken: camera?.frames, sent: camera?.sent, codec: camera?.codec, camera_fps: camera?.fps,
  });

  MerLive.health = { clear, analysed, labelled, flowShown, show, figures };
})();
