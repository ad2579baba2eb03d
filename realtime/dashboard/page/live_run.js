// What runs in the live tab, and its connection to the server: begun, halted, and begun again when the server is back.
"use strict";
window.MerLive = window.MerLive || {};

(() => {
  const { say, problem, recording, picture } = MerLive;

  const run = {
    wanted: null, // {source, spec, settings, camera}: what shall run, also while the server is away
    keeping: { on: false, pictures: false },
    restarted: false, // the server was away

    // shown: "mer-video" or "mer-viewer"
    start(what, shown) {
      picture.show(shown);
      run.wanted = what;
      if (connection.open()) run.begin();
    },

    begin(takeOver = false) {
      if (!run.wanted) return;
      const { source, spec, settings, camera } = run.wanted, { on, pictures } = run.keeping;
      const about = camera ? { codec: camera.codec, width: camera.width, height: camera.height, fps: camera.fps } : {};
      MerLive.tell({ kind: "start", source, spec, settings, consent: MerLive.consent(), keep: on, keep_pictures: pictures, take_over: takeOver, ...about });
      say("Loading the model …");
    },

    well: () => connection.well(),

    halt() {
      const before = run.wanted;
      run.wanted = null;
      connection.giveUp();
      before?.camera?.close();
      MerLive.tell({ kind: "stop" });
      recording(false);
      picture.show(null);
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
      problem("The page can be reached, but not over a WebSocket: a proxy in between may refuse it. Use the plain camera, which is open now: it is slower, and finds less.", "Try again", MerLive.startCamera);
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
