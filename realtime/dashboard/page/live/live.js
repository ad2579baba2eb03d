// What a person does in the live tab: starts and stops, changes settings, keeps events, hides the tab.
"use strict";
window.MerLive = window.MerLive || {};

(() => {
  const { say, problem, run, curve, health } = MerLive;
  const $ = (id) => document.getElementById(id);
  let chosenSettings; // none: the server's own

  MerLive.startCamera = async () => {
    if (!MerLive.agreed()) return;
    run.halt();
    MerLive.clear();
    say("Asking the browser for the camera …");
    const camera = new MerLive.Camera($("mer-video"), {
      send: MerLive.send,
      waiting: MerLive.waiting,
      changed: (why) => {
        if (run.wanted?.camera !== camera) return;
        MerLive.tell({ kind: "codec", codec: camera.codec });
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
    run.start({ source: "browser", settings: chosenSettings, camera }, "mer-video");
    if (camera.codec === "mjpeg")
      problem("This browser cannot send video. It sends single pictures instead, at a lower rate, so the briefest movements may be missed. Chromium, Edge, Safari (from 16.4) and Firefox (from 130) can.");
  };

  // spec: a camera's number, a file, an address, or "demo", in which nobody has to agree
  MerLive.startServer = (spec) => {
    if (spec !== "demo" && !MerLive.agreed()) return;
    run.halt();
    MerLive.clear();
    say("Opening …");
    run.start({ source: "server", spec, settings: chosenSettings }, "mer-viewer");
  };

  function watch() {
    const field = $("mer-spec"), spec = field.value.trim();
    field.value = spec.replace(/^(\w+:\/\/[^/@:]*):[^@/]*@/, "$1:***@"); // the field shows no password
    MerLive.startServer(spec);
  }

  function unfold() {
    const open = $("mer-settings").classList.toggle("mer-open");
    $("mer-settings-button").setAttribute("aria-expanded", String(open));
  }

  MerLive.stop = () => { run.halt(); say(MerLive.ending("Stopped. Nothing is being watched.")); };

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

  // "THRESHOLD CERTAINTY" → both, for their sliders
  MerLive.level = (level, others) => {
    const [threshold, certainty] = level.split(" ").map(Number);
    MerLive.change({ ...others, threshold, certainty });
    return [threshold, certainty];
  };

  // for tests and the long run
  MerLive.figures = () => health.figures(run.wanted?.camera);
  MerLive.camera = () => run.wanted?.camera;

  const PRESSES = { "mer-start": MerLive.startCamera, "mer-play": () => MerLive.startServer("demo"), "mer-watch": watch, "mer-stop": MerLive.stop, "mer-settings-button": unfold };

  // here and not through Gradio, which loses clicks until it has woken up
  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.("button");
    if (button?.getAttribute("aria-disabled") !== "true") PRESSES[button?.id]?.();
  });
  document.addEventListener("keydown", ({ target, key }) => {
    if (target.id === "mer-spec" && key === "Enter") watch();
  });

  document.addEventListener("visibilitychange", () => {
    if (!run.wanted) return;
    if (document.hidden) say("This tab is hidden, and browsers slow hidden tabs: keep it in view while you measure.");
    else {
      say(`${run.words()} The tab was hidden for a while, and browsers slow hidden tabs: look at that time with care.`);
      curve.draw();
    }
  });

  // the curve's empty paper, as soon as Gradio has built the page
  const waiting = setInterval(() => {
    if (!$("mer-curve") || !$("mer-camera") || !$("mer-start")) return;
    clearInterval(waiting);
    MerLive.choose.begin();
    say("Tick the box, then press Start camera; or play the demo clip.");
    curve.draw();
  }, 100);
})();
