// What runs in the live tab: begun, halted, and begun again when the server is back; what the server says, and what happens then.
import { $ } from "../shared/dom.js";
import { Camera } from "./camera.js";
import { connection } from "./connection.js";
import { curve } from "./curve.js";
import { detail } from "./detail.js";
import { events } from "./events.js";
import { health } from "./health.js";
import { agreed, busy, consent, filming, hideProblem, openPlain, picture, pressed, problem, recording, say } from "./stage.js";

const PHASES = { loading: "Getting ready …", opening: "Waiting for the first picture …", stalled: "No new pictures come.", reopening: "The source is away; it is being opened again …", ended: "Ended." };
const BEHIND = 0.8; // of the pictures that come, analysed: less, for BEHIND_LOOKS looks at the figures, is too little
const BEHIND_LOOKS = 12;

export const run = {
  wanted: null, // {source, spec, settings, camera}: what shall run, also while the server is away
  settings: undefined, // as chosen; none: the server's own
  keeping: { on: false, pictures: false },
  restarted: false, // the server was away
  number: 0, // by which the server's word that something has ended is known to be about this one

  // shown: "mer-video" or "mer-viewer"
  start(what, shown) {
    picture.show(shown);
    run.wanted = what;
    pressed(what.camera ? "mer-start" : what.spec === "demo" ? "mer-play" : "mer-watch");
    if (connection.open()) run.begin();
  },

  begin(takeOver = false) {
    if (!run.wanted) return;
    const { source, spec, settings, camera } = run.wanted, { on, pictures } = run.keeping;
    const about = camera ? { codec: camera.codec, width: camera.width, height: camera.height, fps: camera.fps } : {};
    connection.tell({ kind: "start", run: ++run.number, source, spec, settings, consent: consent(), keep: on, keep_pictures: pictures, take_over: takeOver, ...about });
    say("Getting ready …");
  },

  // what runs, in words
  words() {
    const { camera, spec } = run.wanted ?? {};
    return camera ? "The camera is on." : spec === "demo" ? "The demo clip plays, as a camera would." : "The server's source is on.";
  },

  well: () => connection.well(),

  // told: the server has ended it by itself
  halt(told = false) {
    const before = run.wanted;
    run.wanted = null;
    connection.giveUp();
    before?.camera?.close();
    if (!told) connection.tell({ kind: "stop" });
    recording(false);
    filming(false);
    picture.show(null);
    pressed(null);
  },
};

connection.heard = {
  wanted: () => Boolean(run.wanted),
  opened: (again) => run.begin(again),
  lost(seconds) {
    recording(false);
    filming(false);
    run.wanted.camera?.end(); // its picture stays, nothing is sent
    run.restarted ||= connection.wasOpen;
    say(`The server does not answer. Trying again in ${seconds} s; the camera stays on, and nothing is analysed meanwhile.`);
  },
  never() {
    run.halt();
    openPlain();
    problem("The page can be reached, but not over a live connection (WebSocket): a proxy in between may refuse it. Use the plain camera, which is open now, at the end of this page: it is slower, and finds less.", "Try again", startCamera);
    say("Not connected.");
  },
  told: (message) => HANDLERS[message.kind]?.(message),
  picture: toldPicture,
};

window.addEventListener("pagehide", () => { run.wanted?.camera?.close(); connection.close(); });

export async function startCamera() {
  if (!agreed()) return;
  run.halt();
  clear();
  say("Asking the browser for the camera …");
  const camera = new Camera($("mer-video"), {
    send: (bytes) => connection.send(bytes),
    waiting: () => connection.waiting,
    changed: (why) => {
      if (run.wanted?.camera !== camera) return;
      connection.tell({ kind: "codec", codec: camera.codec });
      say(`${run.words()} Its pictures are compressed from now on: ${why}.`);
      camera.begin();
    },
    ended: (reason) => { if (run.wanted?.camera === camera) { run.halt(); problem(reason); say("Stopped."); } },
  });
  try {
    await camera.open();
  } catch (error) {
    camera.close();
    problem(error.message);
    say("No camera is on.");
    return;
  }
  run.start({ source: "browser", settings: run.settings, camera }, "mer-video");
  if (camera.codec === "mjpeg")
    problem("This browser cannot send video. It sends single pictures instead, at a lower rate, so the briefest movements may be missed. Chromium, Edge, Safari (from 16.4) and Firefox (from 130) can.");
}

// spec: a camera's number, a file, an address, or "demo", in which nobody has to agree
export function startServer(spec) {
  if (spec !== "demo" && !agreed()) return;
  run.halt();
  clear();
  say("Opening …");
  run.start({ source: "server", spec, settings: run.settings }, "mer-viewer");
}

export function stop() {
  run.halt();
  say(ending("Stopped. Nothing is being watched."));
}

// --- what the server says

let last = {}, size = [640, 480], behind = 0;

const HANDLERS = {
  started: () => run.well(),
  ready() { // only now: pictures that come while a model is being loaded would be lost
    if (run.restarted) { // numbers and clocks begin anew there
      clear();
      problem("The server is back. It begins anew: earlier events are no longer shown here.");
      run.restarted = false;
    }
    run.wanted?.camera?.begin();
  },
  state,
  provisional({ event, unsure }) {
    curve.mark(event);
    picture.mark(event);
    if (event.withdrawn) events.withdraw(event.event);
    else events.early(event, unsure);
  },
  event({ event, unsure, ended }) {
    curve.mark(event);
    events.add(event, unsure, () => detail.chosen(event));
    picture.mark(event);
    health.labelled(run.wanted?.camera, event.event, ended);
    detail.arrived(event);
  },
  scores: ({ number, figure }) => detail.scores(number, figure),
  missing: ({ number, name, text }) => detail.missing(number, name, text),
  gone: ({ number, text }) => detail.gone(number, text),
  problem: ({ text }) => problem(text),
  word: ({ text }) => say(run.wanted ? `${run.words()} ${text}` : text),
  key() { if (run.wanted?.camera) run.wanted.camera.wantKey = true; },
  ended({ run: number }) {
    if (!run.wanted || number !== run.number) return;
    const words = run.wanted.spec === "demo" ? "The demo clip is over." : "The source has ended.";
    run.halt(true);
    say(ending(words));
  },
  moved({ text }) { run.halt(true); problem(text + " Press Start camera to have it here."); say("Stopped."); },
  busy({ text }) {
    say("Waiting.");
    problem(text, "Use it here instead", () => { hideProblem(); run.begin(true); });
  },
};

function state(now) {
  if (!run.wanted) return;
  const { camera } = run.wanted;
  curve.add(now.points, now.set_aside);
  size = now.health?.size || size;
  if (now.phase === "running" || now.face) picture.overlay(now.face, ...size);
  if (camera && now.taken !== null && now.taken !== last.taken) health.analysed(camera, now.taken, now.age_ms);
  if (now.phase !== last.phase) say(PHASES[now.phase] || run.words());
  if (now.recording !== last.recording) recording(now.recording);
  if (now.measured !== last.measured) events.frames(now.measured);
  if (now.films !== last.films) filming(now.films);
  last = now;
  if (!now.health) return;
  health.show(now.health, camera);
  if (camera) keepUp(now.health, camera);
}

// Pictures evenly apart are worth more than as many with gaps at random.
async function keepUp({ fps_in: came, fps_out: done }, camera) {
  behind = done > 0 && done < BEHIND * came ? behind + 1 : 0;
  if (behind < BEHIND_LOOKS) return;
  behind = 0;
  const before = camera.fps;
  if (await camera.slower()) say(`${run.words()} This machine keeps up with ${Math.round(done)} of ${Math.round(before)} pictures a second, so the camera takes ${Math.round(camera.fps)} from now on.`);
}

// What is said where something has ended: what can be done with what was found.
const ending = (words) => (events.any() ? `${words} Its events can be downloaded until something is started again, or this page is closed.` : words);

// Nothing is left of what ran before.
function clear() {
  last = {};
  behind = 0;
  for (const part of [curve, events, detail, health]) part.clear();
  hideProblem();
  busy("");
}

async function toldPicture({ kind, number, name, width, height }, body) {
  if (kind === "file") return events.save(name, body);
  if (kind === "picture") {
    const url = events.keep(number, name, body);
    const shown = url && detail.picture(number, name, url);
    if (url && name === "flow") health.flowShown(number, picture.flow(number, url), shown);
    return;
  }
  const image = await createImageBitmap(new Blob([body], { type: "image/jpeg" }));
  if (run.wanted?.source === "server") picture.viewer(image, width, height);
  image.close();
}
