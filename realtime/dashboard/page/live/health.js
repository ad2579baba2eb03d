// The figures of the live tab: how much was judged, what is lost, how long a person waits.
import { $ } from "../shared/dom.js";
import { busy } from "./stage.js";
import { codec, counted, milliseconds, missed, percent } from "./words.js";

const KEPT_LAGS = 300, KEPT_EVENTS = 100;
const TOO_MANY = 0.01; // of the pictures, not looked at: then results are called incomplete
const ends = new Map();
let server = {}, lags = [], labels = [], flows = [], begun = null;

function clear() {
  begun = null;
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
const both = (pair) => (pair ? `${milliseconds(pair[0])}, 19 of 20 within ${milliseconds(pair[1])}` : "–");
const sum = (of) => Object.values(of).reduce((one, other) => one + other, 0);

function show(figures, camera) {
  server = figures;
  if (server.fps_out === undefined) return;
  const drops = { ...server.drops };
  for (const [cause, number] of Object.entries(camera?.drops ?? {})) drops[cause] = (drops[cause] || 0) + number;
  if (server.frames) begun ??= sum(drops); // what came while the decoder was being started is no sign of anything
  const lost = server.frames ? sum(drops) - begun : 0, all = server.frames + lost;
  busy(lost > TOO_MANY * all ? `Too busy: ${lost} of ${all} pictures were not looked at, so results are incomplete. Close other programs, or choose fewer pictures a second. Replay looks at every picture of a recording.` : "");
  rows($("mer-health"), {
    ...judged(server.judged),
    "Set aside": [counted(server.set_aside, String) || "nothing", "Movements that were noticed and not reported, and why"],
    "Pictures a second": [`${server.fps_in.toFixed(1)} come, ${server.fps_out.toFixed(1)} are looked at`, "How many the camera gives, and how many are analysed"],
    "Pictures missed": [counted(drops, missed) || "none", "How many were not looked at since the start, and why"],
    ...(camera ? { "Camera": [camera.about(), "What the browser says of the camera"] } : {}),
  });
  rows($("mer-more").querySelector("dl"), {
    "A picture is looked at after": camera ? [both(middle(lags)), "From the camera to the end of the analysis"] : [both(server.latency_ms), "From the arrival of a picture to the end of its analysis"],
    ...(camera ? { "… on the server alone": [both(server.latency_ms), "From the arrival of a picture to the end of its analysis"] } : {}),
    "An event is known after": [both(server.event_ms), "From the end of a movement to its label, on the server"],
    ...(camera ? { "… is on this screen after": [both(middle(labels)), "From the camera's picture of a movement's end to the label on this screen"] } : {}),
    ...(camera ? { "… with its motion after": [both(middle(flows)), "From the camera's picture of a movement's end to its motion as colours on this screen"] } : {}),
    ...(camera ? { "Pictures are sent": [codec(camera.codec), "How the browser packs them on their way to the server"] } : {}),
    "Model": [server.backend, "The network that names movements, and what it runs on"],
    ...(Object.keys(server.faults).length ? { "Faults": [counted(server.faults, String), "What went wrong with the source, and how often"] } : {}),
  });
  $("mer-more").hidden = false;
}

// judged: {seconds, share, not_judged: {cause: seconds}}
function judged(of) {
  if (!of?.seconds) return {};
  const causes = Object.entries(of.not_judged).filter(([, seconds]) => seconds >= 0.005 * of.seconds);
  const not = causes.map(([cause, seconds]) => `${percent(seconds / of.seconds)} ${cause}`).join(", ");
  return { "Judged": [`${percent(of.share)} of the time${not ? `; not: ${not}` : ""}`, "The time in which a movement would have been noticed and told"] };
}

function rows(list, figures) {
  list.replaceChildren(...Object.entries(figures).map(([name, [value, title]]) => {
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

export const health = { clear, analysed, labelled, flowShown, show, figures };
