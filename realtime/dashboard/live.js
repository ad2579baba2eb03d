// The live tab's thread through it all: what the person wants, the WebSocket, and what is told.
"use strict";
window.MerLive = window.MerLive || {};

(() => {
  const BACKOFF = [500, 1000, 2000, 4000, 8000];
  const KEPT_LAGS = 300;
  const view = () => MerLive.view;
  const $ = (id) => document.getElementById(id);

  let socket = null, tries = 0, timer = null;
  let wanted = null; // {source, spec, settings, camera}: what shall run, also while the server is away
  let keeping = { on: false, pictures: false }, chosen = null, factor = 8, restarted = false;
  let chosenSettings; // none: the server's own
  let lags = [], last = {}, figures = {}, size = [640, 480];

  // --- what the person does

  MerLive.startCamera = async () => {
    if (!agreed()) return;
    halt();
    clear();
    say("Asking the browser for the camera …");
    const camera = new MerLive.Camera($("mer-video"), {
      send: (message) => socket?.readyState === WebSocket.OPEN && socket.send(message),
      waiting: () => socket?.bufferedAmount ?? 0,
      changed: (why) => {
        if (wanted?.camera !== camera) return;
        tell({ kind: "codec", codec: camera.codec });
        say(`Running. Pictures are compressed from now on: ${why}.`);
        camera.begin();
      },
      ended: (reason) => { if (wanted?.camera === camera) { halt(); problem(reason); say("Stopped."); } },
    });
    try {
      await camera.open();
    } catch (error) {
      camera.close();
      problem(error.message);
      say("No camera is on.");
      return;
    }
    show("mer-video");
    size = [camera.width, camera.height];
    wanted = { source: "browser", settings: chosenSettings, camera };
    if (camera.codec === "mjpeg")
      problem("This browser cannot encode video (WebCodecs): single pictures are sent instead, at a lower rate. Chromium, Edge, Safari 16.4 or Firefox 130 can.");
    connect();
  };

  MerLive.startServer = (spec, settings) => {
    if (agreed()) {
      halt();
      clear();
      show("mer-viewer");
      wanted = { source: "server", spec, settings };
      say("Opening …");
      connect();
    }
    return spec.replace(/^(\w+:\/\/[^/@:]*):[^@/]*@/, "$1:***@"); // the field shows no password
  };

  MerLive.stop = () => { halt(); say("Stopped. Nothing is being watched."); };

  MerLive.keep = (on, pictures) => {
    keeping = { on, pictures };
    tell({ kind: "keep", ...keeping });
  };

  MerLive.change = (settings) => {
    chosenSettings = settings;
    if (!wanted) return;
    wanted.settings = settings;
    tell({ kind: "change", settings });
    say("Changing the settings …");
  };

  MerLive.magnify = (times) => {
    factor = times;
    if (chosen) tell({ kind: "magnify", number: chosen, factor });
  };

  // for tests and the long run
  MerLive.figures = () => ({ ...figures, lags: [...lags], taken: wanted?.camera?.frames, sent: wanted?.camera?.sent, codec: wanted?.camera?.codec });
  MerLive.camera = () => wanted?.camera;

  const consent = () => Boolean($("mer-consent")?.querySelector("input")?.checked);

  function agreed() {
    if (consent()) return true;
    problem("Tick the box first: everyone in view must know that their face is analysed, and agree.");
    $("mer-consent")?.querySelector("input")?.focus();
    return false;
  }

  function halt() {
    const before = wanted;
    wanted = null;
    clearTimeout(timer);
    before?.camera?.close();
    tell({ kind: "stop" });
    recording(false);
    view().overlay(undefined, ...size);
    $("mer-gate").hidden = true;
    $("mer-idle").hidden = false;
    $("mer-frame").classList.remove("mer-on");
  }

  function clear() {
    chosen = null; lags = []; last = {};
    view().clearCurve();
    view().clearEvents();
    hideProblem();
  }

  function show(which) {
    for (const name of ["mer-video", "mer-viewer"]) $(name).hidden = name !== which;
    $("mer-idle").hidden = true;
    $("mer-frame").classList.add("mer-on");
  }

  // --- the connection

  function connect() {
    clearTimeout(timer);
    if (socket?.readyState === WebSocket.OPEN) return begin();
    if (socket?.readyState === WebSocket.CONNECTING) return;
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/mer/live/ws`);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => (typeof data === "string" ? took(JSON.parse(data)) : tookPicture(data));
    socket.onopen = () => { begin(tries > 0); };
    socket.onclose = lost;
  }

  function begin(takeOver = false) {
    if (!wanted) return;
    const { source, spec, settings, camera } = wanted;
    const about = camera ? { codec: camera.codec, width: camera.width, height: camera.height } : {};
    tell({ kind: "start", source, spec, settings, consent: consent(), keep: keeping.on, keep_pictures: keeping.pictures, take_over: takeOver, ...about });
    say("Loading the model …");
  }

  function lost() {
    socket = null;
    recording(false);
    if (!wanted) return;
    wanted.camera?.end(); // the picture stays, nothing is sent
    const pause = BACKOFF[Math.min(tries++, BACKOFF.length - 1)];
    restarted = true;
    say(`The server does not answer. Trying again in ${pause / 1000} s; the camera stays on, and nothing is analysed meanwhile.`);
    timer = setTimeout(connect, pause);
  }

  function tell(message) {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  }

  // --- what the server says

  const HANDLERS = {
    hello() {},
    started() { tries = 0; },
    ready() { // only now: pictures that come while a model is being loaded would be lost
      if (restarted) { // numbers and clocks begin anew there
        clear();
        problem("The server is back. It begins anew: earlier events are no longer shown here.");
        restarted = false;
      }
      wanted?.camera?.begin();
    },
    state, event({ event, unsure }) {
      $("mer-count").textContent = event.event;
      view().addEvent(event, unsure, choose);
    },
    scores: ({ number, figure }) => number === chosen && view().scores(figure),
    missing: ({ number, name, text }) => number === chosen && view().words(name, text),
    gone({ number, text }) { if (number === chosen) for (const name of ["magnified", "flow", "strain", "looked"]) view().words(name, text); },
    problem: ({ text }) => problem(text),
    word: ({ text }) => say(text),
    key() { if (wanted?.camera) wanted.camera.wantKey = true; },
    ended() { if (wanted) { halt(); say("Stopped. Press Start camera to go on."); } },
    moved({ text }) { halt(); problem(text + " Press Start camera to have it here."); say("Stopped."); },
    busy({ text }) {
      say("Waiting.");
      problem(text, "Use it here instead", () => { hideProblem(); begin(true); });
    },
    pong() {},
  };

  function took(message) {
    HANDLERS[message.kind]?.(message);
  }

  const PHASES = { loading: "Loading the model …", opening: "Waiting for the first picture …", running: "Running.", stalled: "No new pictures come.", reopening: "The source is away; it is being opened again …", ended: "Ended." };
  function state(now) {
    if (!wanted) return;
    view().addPoints(now.points);
    if (now.health) figures = now.health;
    if (now.health?.size) size = now.health.size;
    if (now.phase === "running" || now.face) view().overlay(now.face, ...size);
    if (now.taken !== null && now.taken !== last.taken && wanted.camera) {
      const lag = wanted.camera.lag(now.taken, now.age_ms);
      if (lag !== null) { lags.push(lag); if (lags.length > KEPT_LAGS) lags.shift(); }
    }
    if (now.phase !== last.phase) say(PHASES[now.phase] || now.phase);
    if (now.recording !== last.recording) recording(now.recording);
    last = now;
    if (now.health) showHealth();
  }

  function showHealth() {
    if (figures.fps_out === undefined) return;
    const counts = (of) => Object.entries(of).map(([cause, number]) => `${number} ${cause}`).join(", ");
    const drops = { ...figures.drops };
    for (const [cause, number] of Object.entries(wanted?.camera?.drops ?? {})) drops[cause] = (drops[cause] || 0) + number;
    const both = (pair) => (pair ? `${view().ms(pair[0])} / ${view().ms(pair[1])}` : "–");
    const sorted = [...lags].sort((a, b) => a - b);
    const lag = sorted.length ? [sorted[sorted.length >> 1], sorted[Math.floor(sorted.length * 0.95)]] : null;
    figures.lag_ms = lag;
    figures.page_drops = { ...wanted?.camera?.drops };
    view().health({
      "Pictures a second, in": [figures.fps_in.toFixed(1)],
      "Analysed": [figures.fps_out.toFixed(1)],
      "Dropped": [counts(drops) || "none"],
      "Delay, median / 95 %": [wanted?.camera ? both(lag) : both(figures.latency_ms), "From the camera to the end of the analysis"],
      "On the server": [both(figures.latency_ms), "From the arrival of a picture to the end of its analysis"],
      "Event known after": [both(figures.event_ms), "From the end of a movement to its label"],
      "Movements not reported": [counts(Object.fromEntries(Object.entries(figures.movements).filter(([cause]) => !["spotted", "macro"].includes(cause)))) || "none"],
      "Model": [figures.backend],
      ...(Object.keys(figures.faults).length ? { "Faults": [counts(figures.faults)] } : {}),
    });
  }

  async function tookPicture(data) {
    const length = new DataView(data).getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
    const body = new Uint8Array(data, 4 + length);
    if (head.kind === "picture") return view().picture(head.number, head.name, body, chosen);
    const image = await createImageBitmap(new Blob([body], { type: "image/jpeg" }));
    if (wanted?.source === "server") view().viewer(image, head.width, head.height);
    image.close();
  }

  function choose(event, button) {
    chosen = event.event;
    view().openDetail(event, button);
    tell({ kind: "look", number: chosen, factor, dark: view().dark() });
  }

  // --- words

  function say(text) {
    $("mer-status").textContent = text;
  }

  function problem(text, action, act) {
    const box = $("mer-problem"), button = box.querySelector("button");
    box.querySelector("span").textContent = text;
    button.textContent = action || "Close";
    button.onclick = act || hideProblem;
    box.hidden = false;
  }

  function hideProblem() {
    $("mer-problem").hidden = true;
  }

  function recording(what) { // in words, or nothing
    $("mer-recsign").hidden = !what;
    $("mer-recsign").querySelector("b").textContent = what ? `REC: ${what} are being stored` : "";
    $("mer-frame").classList.toggle("mer-storing", Boolean(what));
  }

  // here and not through Gradio, which loses clicks until it has woken up
  document.addEventListener("click", ({ target }) => {
    if (target.closest?.("#mer-start")) MerLive.startCamera();
    else if (target.closest?.("#mer-stop")) MerLive.stop();
  });

  document.addEventListener("visibilitychange", () => {
    if (!wanted) return;
    if (document.hidden) say("This tab is hidden, and browsers slow hidden tabs: keep it in view while you measure.");
    else {
      say("Running. The tab was hidden for a while, and browsers slow hidden tabs: look at that time with care.");
      view().drawCurve();
    }
  });

  window.addEventListener("pagehide", () => { wanted?.camera?.close(); socket?.close(); });

  // the curve's empty paper, as soon as Gradio has built the page
  const waiting = setInterval(() => {
    if (!$("mer-curve") || !MerLive.view) return;
    clearInterval(waiting);
    say("Tick the box, then press Start camera.");
    view().drawCurve();
  }, 100);
})();
