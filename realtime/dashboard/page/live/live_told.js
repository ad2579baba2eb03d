// What the server says, and what the live tab does then.
"use strict";
window.MerLive = window.MerLive || {};

(() => {
  const { say, problem, hideProblem, recording, picture, curve, events, detail, health, run } = MerLive;
  const PHASES = { loading: "Getting ready …", opening: "Waiting for the first picture …", stalled: "No new pictures come.", reopening: "The source is away; it is being opened again …", ended: "Ended." };
  const BEHIND = 0.8; // of the pictures that come, analysed: less, for BEHIND_LOOKS looks at the figures, is too little
  const BEHIND_LOOKS = 12;

  let last = {}, size = [640, 480], behind = 0;

  const HANDLERS = {
    started: () => run.well(),
    ready() { // only now: pictures that come while a model is being loaded would be lost
      if (run.restarted) { // numbers and clocks begin anew there
        MerLive.clear();
        problem("The server is back. It begins anew: earlier events are no longer shown here.");
        run.restarted = false;
      }
      run.wanted?.camera?.begin();
    },
    state,
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
      say(MerLive.ending(words));
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
  MerLive.ending = (words) => (events.any() ? `${words} Its events can be downloaded until something is started again, or this page is closed.` : words);

  // Nothing is left of what ran before.
  MerLive.clear = () => {
    last = {};
    behind = 0;
    for (const part of [curve, events, detail, health]) part.clear();
    hideProblem();
    MerLive.busy("");
  };

  MerLive.told = (message) => HANDLERS[message.kind]?.(message);

  MerLive.toldPicture = async ({ kind, number, name, width, height }, body) => {
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
  };
})();
