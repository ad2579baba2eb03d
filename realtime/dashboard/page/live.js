// What a person does in the live tab: starts and stops, changes settings, keeps events, hides the tab.
"use strict";
window.MerLive = window.MerLive || {};

(() => {
  const { say, problem, run, curve, health } = MerLive;
  let chosenSettings; // none: the server's own

  MerLive.startCamera = async () => {
    if (!MerLive.agreed()) return;
    run.halt();
    MerLive.clear();
    say("Asking the browser for the camera …");
    const camera = new MerLive.Camera(document.getElementById("mer-video"), {
      send: MerLive.send,
      waiting: MerLive.waiting,
      changed: (why) => {
        if (run.wanted?.camera !== camera) return;
        MerLive.tell({ kind: "codec", codec: camera.codec });
        say(`Running. Pictures are compressed from now on: ${why}.`);
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
    run.start({ source: "browser", settings: chosenSettings, camera }, "mer-video");
    if (camera.codec === "mjpeg")
      problem("This browser cannot encode video (WebCodecs): single pictures are sent instead, at a lower rate. Chromium, Edge, Safari 16.4 or Firefox 130 can.");
  };

  MerLive.startServer = (spec, settings) => {
    if (MerLive.agreed()) {
      run.halt();
      MerLive.clear();
      say("Opening …");
      run.start({ source: "server", spec, settings }, "mer-viewer");
    }
    return spec.replace(/^(\w+:\/\/[^/@:]*):[^@/]*@/, "$1:***@"); // the field shows no password
  };

  MerLive.stop = () => { run.halt(); say("Stopped. Nothing is being watched."); };

  MerLive.keep = (on, pictures) => {
    run.keeping = { on, pictures };
    MerLive.tell({ kind: "keep", on, pictures });
  };

  MerLive.change = (settings) => {
    chosenSettings = settings;
    if (!run.wanted) return;
    run.wanted.settings = settings;
    MerLive.tell({ kind: "change", settings });
    say("Changing the settings …");
  };

  // for tests and the long run
  MerLive.figures = () => health.figures(run.wanted?.camera);
  MerLive.camera = () => run.wanted?.camera;

  // here and not through Gradio, which loses clicks until it has woken up
  document.addEventListener("click", ({ target }) => {
    if (target.closest?.("#mer-start")) MerLive.startCamera();
    else if (target.closest?.("#mer-stop")) MerLive.stop();
  });

  document.addEventListener("visibilitychange", () => {
    if (!run.wanted) return;
    if (document.hidden) say("This tab is hidden, and browsers slow hidden tabs: keep it in view while you measure.");
    else {
      say("Running. The tab was hidden for a while, and browsers slow hidden tabs: look at that time with care.");
      curve.draw();
    }
  });

  // the curve's empty paper, as soon as Gradio has built the page
  const waiting = setInterval(() => {
    if (!document.getElementById("mer-curve")) return;
    clearInterval(waiting);
    say("Tick the box, then press Start camera.");
    curve.draw();
  }, 100);
})();
