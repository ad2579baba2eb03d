// What runs in the live tab, and its connection to the server: begun, halted, and begun again when the server is back.
"use strict";
window.MerLive = window.MerLive || {};

(() => {
  const { say, problem, recording, picture } = MerLive;

  const run = {
    wanted: null, // {source, spec, settings, camera}: what shall run, also while the server is away
    keeping: { on: false, pictures: false },
    restarted: false, // the server was away
    number: 0, // by which the server's word that something has ended is known to be about this one

    // shown: "mer-video" or "mer-viewer"
    start(what, shown) {
      picture.show(shown);
      run.wanted = what;
      MerLive.pressed(what.camera ? "mer-start" : what.spec === "demo" ? "mer-play" : "mer-watch");
      if (connection.open()) run.begin();
    },

    begin(takeOver = false) {
      if (!run.wanted) return;
      const { source, spec, settings, camera } = run.wanted, { on, pictures } = run.keeping;
      const about = camera ? { codec: camera.codec, width: camera.width, height: camera.height, fps: camera.fps } : {};
      MerLive.tell({ kind: "start", run: ++run.number, source, spec, settings, consent: MerLive.consent(), keep: on, keep_pictures: pictures, take_over: takeOver, ...about });
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
      if (!told) MerLive.tell({ kind: "stop" });
      recording(false);
      picture.show(null);
      MerLive.pressed(null);
    },
  };

  const connection = new MerLive.Connection({
    wanted: () => Boolean(run.wanted),
    opened: (again) => run.begin(again),
    lost(seconds) {
      recording(false);
      run.wanted.camera?.end(); // its picture stays, nothing is sent
      run.restarted ||= connection.wasOpen;
      say(`The server does not answer. Trying again in ${seconds} s; the camera stays on, and nothing is analysed meanwhile.`);
    },
    never() {
      run.halt();
      MerLive.openPlain();
      problem("The page can be reached, but not over a live connection (WebSocket): a proxy in between may refuse it. Use the plain camera, which is open now, at the end of this page: it is slower, and finds less.", "Try again", MerLive.startCamera);
      say("Not connected.");
    },
    told: (message) => MerLive.told(message),
    picture: (head, body) => MerLive.toldPicture(head, body),
  });

  window.addEventListener("pagehide", () => { run.wanted?.camera?.close(); connection.close(); });

  MerLive.run = run;
  MerLive.tell = (message) => connection.tell(message);
  MerLive.send = (bytes) => connection.send(bytes);
  MerLive.waiting = () => connection.waiting;
})();
