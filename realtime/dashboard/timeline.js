// Tab 2: the queue, and the timeline that is scrubbed frame by frame. Texts of a recording are set as text, never as HTML.
(() => {
  "use strict";
  const POLL = 500, LEAST_VIEW = 1.0, FIRST_VIEW = 60, GUTTER = 52; // ms; seconds; seconds; pixels
  const GATES = { lost: "no face", motion: "head motion", blink: "blink" };
  const LIGHT = { negative: "#b5532a", positive: "#2a7f64", surprise: "#3b6ea8", unsure: "#6b6b6b" };
  const DARK = { negative: "#f0916a", positive: "#5fcfad", surprise: "#86b6ee", unsure: "#b4b4b4" };
  const MORE = ["#8a5a9e", "#a8842c", "#4f8fa3", "#9c5b6b", "#6b7a3a"];

  const dark = () => document.body.classList.contains("dark") || document.documentElement.classList.contains("dark");
  const colour = (label) => (dark() ? DARK : LIGHT)[label] || MORE[[...label].reduce((sum, c) => sum + c.charCodeAt(0), 0) % MORE.length];
  const css = (name) => getComputedStyle(document.body).getPropertyValue(name).trim();
  const s = (seconds) => `${seconds.toFixed(2)} s`;

  function make(tag, attributes = {}, ...children) {
    const one = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "text") one.textContent = value;
      else if (key.startsWith("on")) one.addEventListener(key.slice(2), value);
      else if (value !== null && value !== undefined) one.setAttribute(key, value);
    }
    one.append(...children);
    return one;
  }

  // ---------------------------------------------------------------- the queue
  let openToken = "";

  function queue(element, trigger) {
    let list = null, timer = 0, opened = false, asked = 0, before = "";
    const act = (what, token) => trigger("click", { what, token });

    function row(job) {
      const pending = job.state === "waiting" || job.state === "working";
      const words = { waiting: "waits for its turn", working: job.progress ? `${Math.round(job.progress * 100)} %` : "begins", done: "done", cancelled: "cancelled", failed: "failed" }[job.state];
      const found = job.shown || job.events ? `, ${job.events} event${job.events === 1 ? "" : "s"}` : "";
      const line = make("div", { class: "mr-row" }, make("span", { text: words + found }));
      if (pending) line.append(make("button", { type: "button", text: "Cancel", "aria-label": `Cancel ${job.name}`, "data-key": `cancel ${job.token}`, onclick: () => act("cancel", job.token) }));
      if (job.shown) line.append(make("button", { type: "button", text: "Show", "aria-label": `Show ${job.name}`, "data-key": `show ${job.token}`, onclick: () => act("show", job.token) }));
      const one = make("li", { class: "mr-job mr", "data-state": job.state, "data-open": String(job.token === openToken) }, make("strong", { text: job.name }), line);
      if (pending) one.append(make("progress", { max: "1", value: String(job.progress), "aria-label": `Progress of ${job.name}` }));
      if (job.message) one.append(make("p", { class: "mr-bad", role: "alert", text: job.message }));
      return one;
    }

    async function look() {
      const holder = element.querySelector(".mr-queue");
      if (holder && holder.dataset.key) {
        try {
          const answer = await fetch(`/mer/replay/queue/${holder.dataset.key}`);
          if (answer.ok) show(holder, await answer.json());
          else holder.replaceChildren(make("p", { class: "mer-warn", role: "alert", text: "The program was restarted: reload this page." }));
        } catch { holder.replaceChildren(make("p", { class: "mer-warn", role: "alert", text: "mer-demo does not answer: is it still running? Start it again and reload this page." })); }
      }
      clearTimeout(timer);
      timer = setTimeout(look, document.hidden ? 4 * POLL : POLL);
    }

    function show(holder, jobs) {
      const now = JSON.stringify([jobs, openToken]);
      if (now !== before || !list || list.parentNode !== holder) {
        before = now;
        const focus = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.key : null;
        list = make("ul", { class: "mr-queue", "aria-label": "Queue" }, ...jobs.map(row));
        holder.replaceChildren(list);
        if (focus) for (const button of list.querySelectorAll("button")) if (button.dataset.key === focus) button.focus();
      }
      const ready = jobs.find((job) => job.shown);
      opened = opened || Boolean(openToken);
      if (!opened && ready && Date.now() - asked > 3000) { // the first one opens by itself; a busy page may lose the wish
        asked = Date.now();
        act("show", ready.token);
      }
    }
    look();
  }

  // ---------------------------------------------------------------- the player
  let player = null;

  function start(element, watch) {
    const open = () => {
      const holder = element.querySelector("[data-token]");
      const token = holder ? holder.dataset.token : "";
      if (player) player.stop();
      player = null;
      openToken = token;
      if (token) load(holder, token);
    };
    watch("value", () => setTimeout(open, 0));
    open();
  }

  async function load(holder, token) {
    const answer = await fetch(`/mer/replay/${token}/data`);
    if (!answer.ok) {
      holder.replaceChildren(make("p", { class: "mer-warn", role: "alert", text: "This recording holds no frame that could be shown." }));
      return;
    }
    if (holder.isConnected) player = new Player(holder, token, await answer.json());
  }

  class Player {
    constructor(holder, token, data) {
      Object.assign(this, { holder, token, data, n: 0, event: -1, loading: false, playing: false, factor: 8 });
      this.end = data.times.length > 1 ? 2 * data.times.at(-1) - data.times.at(-2) : data.times[0] + 0.04;
      this.view = [0, Math.min(this.end, FIRST_VIEW)];
      this.top = this.scale();
      this.build();
      this.watching = new MutationObserver(() => { this.draw(); this.tell(); });
      for (const one of [document.body, document.documentElement]) this.watching.observe(one, { attributes: true, attributeFilter: ["class"] });
      this.sizing = new ResizeObserver(() => this.draw());
      this.sizing.observe(this.time);
      if (data.events.length) this.choose(0); else this.go(0);
    }

    scale() { // of the curve: blinks and head motion, which are no events, may stand out above
      const { times, difference, threshold, spans } = this.data;
      let highest = 0.1, i = 0;
      times.forEach((t, n) => {
        while (i < spans.length && spans[i][1] <= t) i++;
        if (i < spans.length && spans[i][0] <= t) return;
        highest = Math.max(highest, Math.min(difference[n] || 0, 12 * (threshold[n] || 1)), 1.4 * (threshold[n] || 0));
      });
      return 1.15 * highest;
    }

    stop() { this.playing = false; this.watching.disconnect(); this.sizing.disconnect(); }

    build() {
      const d = this.data, button = (text, label, run) => make("button", { type: "button", text, "aria-label": label, title: label, onclick: run });
      this.image = make("img", { alt: "", draggable: "false" });
      this.box = make("div", { class: "mr-box", hidden: "" });
      this.now = make("div", { class: "mr-now", hidden: "" });
      const wide = Math.min(d.width, Math.round(400 * d.width / d.height));
      this.stage = make("div", { class: "mr-stage", style: `width:${wide}px;aspect-ratio:${d.width}/${d.height}` }, this.image, this.box, this.now);
      this.where = make("output", { "aria-live": "off" });
      this.playButton = button("Play", "Play or pause (space)", () => this.play());
      this.speed = make("select", {}, ...[["1", "1×"], ["0.5", "½×"], ["0.25", "¼×"], ["0.1", "⅒×"]].map(([value, text]) => make("option", { value, text })));
      const keys = make("div", { class: "mr-keys" },
        button("|◀", "Event before (up)", () => this.step(-1)), button("◀", "Frame before (left)", () => this.go(this.n - 1)), this.playButton,
        button("▶", "Next frame (right)", () => this.go(this.n + 1)), button("▶|", "Next event (down)", () => this.step(1)),
        make("label", {}, "Speed", this.speed), button("−", "Zoom out (-)", () => this.zoom(2)), button("+", "Zoom in (+)", () => this.zoom(0.5)));
      this.canvas = make("canvas", { "aria-hidden": "true" });
      this.time = make("div", { class: "mr-time", tabindex: "0", role: "slider", "aria-label": "Timeline", "aria-valuemin": "0", "aria-valuemax": String(d.times.length - 1), "aria-orientation": "horizontal" }, this.canvas);
      this.time.addEventListener("pointerdown", (e) => { this.time.setPointerCapture(e.pointerId); this.scrub(e); });
      this.time.addEventListener("pointermove", (e) => { if (e.buttons) this.scrub(e); });
      this.time.addEventListener("wheel", (e) => { if (e.ctrlKey || e.shiftKey) { e.preventDefault(); this.zoom((e.deltaY || e.deltaX) > 0 ? 1.25 : 0.8); } }, { passive: false });
      const hint = make("p", { class: "mr-hint" });
      for (const [key, words] of [["←", ""], ["→", " a frame (with Shift ten), "], ["↑", ""], ["↓", " an event, "], ["Space", " plays, "], ["+", ""], ["−", " zoom"]]) hint.append(make("kbd", { text: key }), words || " ");
      this.list = make("div", { class: "mr-list", role: "group", "aria-label": "Events" }, ...d.events.map((event, i) => this.item(event, i)));
      if (!d.events.length) this.list.append(make("p", { class: "mr-meta", text: "No movement was found in this recording." }));
      this.detail = make("section", { class: "mr-detail", "aria-label": "Chosen event", "aria-live": "off" });
      const kinds = ["micro", "macro"].map((kind) => `${d.events.filter((event) => event.kind === kind).length} ${kind}`).join(", ");
      const cut = d.state === "cancelled" ? "; cancelled, shown as far as it came" : d.state === "failed" ? "; broke off, shown as far as it came" : "";
      const root = make("div", { class: "mr", "data-token": this.token },
        make("h3", { text: d.name }), make("p", { class: "mr-meta", text: `${s(this.end)}, ${d.times.length} frame${d.times.length === 1 ? "" : "s"}, ${d.events.length} event${d.events.length === 1 ? "" : "s"} (${kinds}), named by ${d.model}${cut}` }),
        make("div", { class: "mr-cols" }, make("div", {}, this.stage, keys), this.list), this.time, make("div", { class: "mr-under" }, hint, this.where), this.detail);
      root.addEventListener("keydown", (e) => this.key(e));
      this.holder.replaceWith(root);
      this.root = root;
    }

    picture(event, what, query = "") { return `/mer/replay/${this.token}/event/${event.event}/${what}${query}`; }

    item(event, i) {
      const words = make("div", {}, make("b", { text: event.label }), make("span", { text: `${s(event.apex_s)}, ${event.kind}` }), make("span", { text: `score ${Math.max(...Object.values(event.scores)).toFixed(2)}` }));
      words.firstChild.prepend(make("span", { class: "mr-dot", style: `background:${colour(event.label)}` }));
      return make("button", { type: "button", "data-event": String(event.event), onclick: () => this.choose(i) },
        make("img", { alt: `Onset of event ${event.event}`, loading: "lazy", src: this.picture(event, "onset.jpg") }), make("img", { alt: `Apex of event ${event.event}`, loading: "lazy", src: this.picture(event, "apex.jpg") }), words);
    }

    // ------------------------------------------------------------ moving about
    key(e) {
      if (e.altKey || e.ctrlKey || e.metaKey || ["INPUT", "SELECT"].includes(e.target.tagName)) return;
      const far = e.shiftKey ? 10 : 1;
      const moves = {
        ArrowLeft: () => this.go(this.n - far), ArrowRight: () => this.go(this.n + far), ArrowUp: () => this.step(-1), ArrowDown: () => this.step(1),
        Home: () => this.go(0), End: () => this.go(this.data.times.length - 1), "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2),
      };
      if (e.key === " " && e.target.tagName !== "BUTTON") moves[" "] = () => this.play();
      if (!moves[e.key]) return;
      e.preventDefault();
      if (this.playing && e.key !== " ") this.play();
      moves[e.key]();
    }

    frameAt(t) { // the frame that is on screen at t
      let low = 0, high = this.data.times.length - 1;
      while (low < high) { const middle = (low + high + 1) >> 1; if (this.data.times[middle] <= t + 1e-4) low = middle; else high = middle - 1; }
      return low;
    }

    scrub(e) {
      const box = this.time.getBoundingClientRect(), share = (e.clientX - box.left - GUTTER) / (box.width - GUTTER - 8);
      this.go(this.frameAt(this.view[0] + Math.min(Math.max(share, 0), 1) * (this.view[1] - this.view[0])));
    }

    step(by) { // to the event before or after the moment on screen
      const { events, times } = this.data, t = times[this.n];
      if (!events.length) return;
      let next;
      if (this.event >= 0 && Math.abs(events[this.event].apex_s - t) < 0.02) next = this.event + by;
      else next = by > 0 ? events.findIndex((event) => event.apex_s > t) : events.findLastIndex((event) => event.apex_s < t);
      if (next === -1 && by > 0) next = events.length - 1;
      this.choose(Math.min(Math.max(next, 0), events.length - 1));
    }

    choose(i) {
      const event = this.data.events[i], wide = this.view[1] - this.view[0];
      this.event = i;
      if (event.onset_s < this.view[0] || event.offset_s > this.view[1]) this.look(event.apex_s - wide / 2, wide);
      this.go(this.frameAt(event.apex_s));
      [...this.list.children].forEach((item, at) => { if (item.tagName === "BUTTON") item.setAttribute("aria-current", String(at === i)); });
      const item = this.list.children[i]; // scroll the list alone, not the page
      if (item && (item.offsetTop < this.list.scrollTop || item.offsetTop + item.offsetHeight > this.list.scrollTop + this.list.clientHeight + this.list.offsetTop)) this.list.scrollTop = item.offsetTop - this.list.offsetTop - 40;
      this.tell();
    }

    go(n) {
      this.n = Math.min(Math.max(n, 0), this.data.times.length - 1);
      const t = this.data.times[this.n], wide = this.view[1] - this.view[0];
      if (t < this.view[0] || t > this.view[1]) this.look(t - wide * 0.1, wide);
      this.where.textContent = `frame ${this.n + 1} of ${this.data.times.length}, ${t.toFixed(3)} s`;
      this.time.setAttribute("aria-valuenow", String(this.n));
      const during = this.data.events.find((event) => event.onset_s <= t + 1e-4 && t <= event.offset_s + 1e-4);
      this.time.setAttribute("aria-valuetext", `${t.toFixed(2)} seconds, frame ${this.n + 1}${during ? `, ${during.kind} event: ${during.label}` : ""}`);
      this.now.hidden = !during;
      if (during) this.now.textContent = `${during.label} ${Math.max(...Object.values(during.scores)).toFixed(2)}`;
      this.show();
      this.draw();
    }

    show() { // one request at a time: while a picture is on its way, only the latest wish is remembered
      if (this.loading) return;
      const n = this.n, ahead = new Image();
      this.loading = true;
      const then = () => { this.loading = false; if (this.n !== n) this.show(); };
      ahead.onload = () => {
        this.image.src = ahead.src;
        this.image.alt = `Frame ${n + 1}`;
        this.image.dataset.frame = String(n);
        const box = this.data.boxes[n];
        this.box.hidden = !box;
        if (box) Object.assign(this.box.style, { left: `${box[0] * 100}%`, top: `${box[1] * 100}%`, width: `${(box[2] - box[0]) * 100}%`, height: `${(box[3] - box[1]) * 100}%` });
        then();
      };
      ahead.onerror = then;
      ahead.src = `/mer/replay/${this.token}/frame/${n}.jpg`;
    }

    play() {
      this.playing = !this.playing;
      this.playButton.textContent = this.playing ? "Pause" : "Play";
      if (!this.playing) return;
      if (this.n >= this.data.times.length - 1) this.go(0);
      let before = performance.now(), t = this.data.times[this.n];
      const tick = (now) => {
        if (!this.playing || !this.root.isConnected) return;
        t += ((now - before) / 1000) * Number(this.speed.value);
        before = now;
        const n = this.frameAt(t);
        if (n !== this.n) this.go(n);
        if (this.n >= this.data.times.length - 1) this.play(); else requestAnimationFrame(tick);
      };
      requestAnimationFrame(tick);
    }

    zoom(by) {
      const wide = (this.view[1] - this.view[0]) * by, t = this.data.times[this.n];
      this.look(t - wide * (t - this.view[0]) / (this.view[1] - this.view[0]), wide);
      this.draw();
    }

    look(from, wide) {
      wide = Math.min(Math.max(wide, Math.min(LEAST_VIEW, this.end)), this.end);
      from = Math.min(Math.max(from, 0), this.end - wide);
      this.view = [from, from + wide];
    }

    // ------------------------------------------------------------ drawing
    draw() {
      const ratio = window.devicePixelRatio || 1, width = this.canvas.clientWidth, height = this.canvas.clientHeight;
      if (!width) return;
      this.canvas.width = width * ratio; this.canvas.height = height * ratio;
      const g = this.canvas.getContext("2d"), [a, b] = this.view, right = width - 8;
      g.scale(ratio, ratio);
      g.font = `12px ${getComputedStyle(document.body).fontFamily}`;
      g.textBaseline = "middle";
      const x = (t) => GUTTER + (t - a) / (b - a) * (right - GUTTER);
      const ink = css("--mer-ink"), quiet = css("--mer-quiet"), line = css("--mer-line");
      const lanes = { micro: [10, 36], macro: [42, 68] }, top = 80, bottom = height - 24, y = (v) => bottom - Math.min(v / this.top, 1) * (bottom - top);
      g.save(); g.beginPath(); g.rect(GUTTER, 0, right - GUTTER, height); g.clip();
      for (const [from, to, gate] of this.data.spans) { // where nothing could be judged
        if (to < a || from > b) continue;
        g.globalAlpha = gate === "lost" ? 0.28 : 0.16; g.fillStyle = quiet;
        g.fillRect(x(from), top, Math.max(1, x(to) - x(from)), bottom - top);
        g.globalAlpha = 1;
        if (x(to) - x(from) > g.measureText(GATES[gate]).width + 8) { g.fillStyle = quiet; g.fillText(GATES[gate], x(from) + 4, bottom - 9); }
      }
      g.restore();
      for (const [kind, [from, to]] of Object.entries(lanes)) {
        g.fillStyle = quiet; g.textAlign = "right"; g.fillText(kind, GUTTER - 8, (from + to) / 2);
        g.fillStyle = line; g.globalAlpha = 0.45; g.fillRect(GUTTER, from, right - GUTTER, to - from); g.globalAlpha = 1;
      }
      g.textAlign = "left";
      g.save(); g.beginPath(); g.rect(GUTTER, 0, right - GUTTER, height); g.clip();
      this.data.events.forEach((event, i) => {
        if (event.offset_s < a || event.onset_s > b) return;
        const [from, to] = lanes[event.kind] || lanes.micro, left = x(event.onset_s), wide = Math.max(3, x(event.offset_s) - left), tint = colour(event.label);
        g.fillStyle = tint; g.globalAlpha = i === this.event ? 0.25 : 0.13; g.fillRect(left, top, wide, bottom - top); g.globalAlpha = 1;
        g.fillRect(left, from + 2, wide, to - from - 4);
        if (i === this.event) { g.strokeStyle = ink; g.lineWidth = 2; g.strokeRect(left - 1, from + 1, wide + 2, to - from - 2); }
        g.strokeStyle = tint; g.lineWidth = 1.5; g.beginPath(); g.moveTo(x(event.apex_s), from + 2); g.lineTo(x(event.apex_s), bottom); g.stroke();
        const next = this.data.events.find((other) => other.kind === event.kind && other.onset_s > event.onset_s);
        const room = (next ? x(next.onset_s) : right) - left - wide - 10, words = event.label;
        if (g.measureText(words).width < room) { g.fillStyle = ink; g.fillText(words, left + wide + 5, (from + to) / 2); }
      });
      this.line(g, this.data.threshold, x, y, css("--mer-macro"), 1.3, [4, 4]);
      this.line(g, this.data.difference, x, y, ink, 1.3, []);
      g.strokeStyle = css("--mer-apex"); g.lineWidth = 2; g.beginPath(); g.moveTo(x(this.data.times[this.n]), 4); g.lineTo(x(this.data.times[this.n]), bottom + 4); g.stroke();
      g.restore();
      g.fillStyle = quiet; g.textAlign = "center";
      const step = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800].find((one) => one / (b - a) * (right - GUTTER) > 64) || 3600;
      for (let t = Math.ceil(a / step - 1e-6) * step; t <= b + 1e-6; t += step) g.fillText(`${+t.toFixed(2)} s`, Math.min(x(t), right - 14), height - 11);
      g.textAlign = "right"; g.fillText("curve", GUTTER - 8, (top + bottom) / 2);
      g.strokeStyle = line; g.lineWidth = 1; g.beginPath(); g.moveTo(GUTTER, bottom); g.lineTo(right, bottom); g.stroke();
    }

    line(g, values, x, y, tint, wide, dash) {
      const { times } = this.data, first = Math.max(0, this.frameAt(this.view[0]) - 1), last = Math.min(times.length - 1, this.frameAt(this.view[1]) + 1);
      const every = Math.max(1, Math.floor((last - first) / 3000)); // of a long view, the largest of each few
      g.strokeStyle = tint; g.lineWidth = wide; g.setLineDash(dash); g.beginPath();
      let pen = false;
      for (let i = first; i <= last; i += every) {
        let value = null;
        for (let j = i; j < Math.min(i + every, last + 1); j++) if (values[j] !== null && (value === null || values[j] > value)) value = values[j];
        if (value === null) { pen = false; continue; }
        if (pen) g.lineTo(x(times[i]), y(value)); else g.moveTo(x(times[i]), y(value));
        pen = true;
      }
      g.stroke(); g.setLineDash([]);
    }

    // ------------------------------------------------------------ the chosen event
    tell() {
      const event = this.data.events[this.event];
      if (!event) return;
      if (this.detail.dataset.event === String(event.event)) { // only the colours have changed
        this.detail.querySelectorAll("i").forEach((bar) => { bar.style.background = colour(bar.dataset.label); });
        this.list.querySelectorAll(".mr-dot").forEach((dot, i) => { dot.style.background = colour(this.data.events[i].label); });
        return;
      }
      this.detail.dataset.event = String(event.event);
      const title = make("h3", { text: `Event ${event.event}: ${event.label}` });
      const times = make("p", { class: "mr-meta", text: `${event.kind}, onset ${event.onset_s.toFixed(3)} s, apex ${event.apex_s.toFixed(3)} s, offset ${event.offset_s.toFixed(3)} s` });
      const scores = make("div", { class: "mr-scores", role: "group", "aria-label": "Scores" });
      for (const [name, score] of Object.entries(event.scores).sort((one, other) => other[1] - one[1])) {
        const bar = make("div", { class: "mr-bar" }, make("i", { "data-label": name, style: `width:${score * 100}%;background:${colour(name)}` }));
        if (this.data.unsure) bar.append(make("u", { style: `width:${this.data.unsure * 100}%` }));
        scores.append(make("span", { text: name }), bar, make("output", { text: score.toFixed(2) }));
      }
      if (this.data.unsure) scores.append(make("small", { text: `Hatched: where no class passes ${this.data.unsure.toFixed(2)}, the event is called unsure.` }));
      const motion = this.figure("Motion, magnified and slow", `event ${event.event} magnified`, this.picture(event, "motion.webp", `?factor=${this.factor}`));
      const shown = make("output", { text: `${this.factor}×` });
      const slider = make("input", { type: "range", min: "1", max: "20", step: "1", value: String(this.factor), "aria-label": "Amplify the motion" });
      slider.addEventListener("input", () => { shown.textContent = `${slider.value}×`; });
      slider.addEventListener("change", () => { this.factor = Number(slider.value); motion.load(this.picture(event, "motion.webp", `?factor=${this.factor}`)); });
      motion.append(make("label", { class: "mr-slide" }, "Amplify", slider, shown));
      const pictures = make("div", { class: "mr-pictures" },
        this.figure("Onset", `Onset of event ${event.event}`, this.picture(event, "onset.jpg")), this.figure("Apex", `Apex of event ${event.event}`, this.picture(event, "apex.jpg")), motion,
        this.figure("Flow: colour shows direction", "Optical flow from onset to apex", this.picture(event, "flow.jpg")), this.figure("Strain: where skin stretched", "Optical strain", this.picture(event, "strain.jpg")),
        this.figure("Where the network looked", "Where the network looked", this.picture(event, "looked.jpg"), 700)); // costly: not while someone passes by
      this.detail.replaceChildren(make("div", {}, title, times, scores), pictures);
    }

    figure(words, alt, src, after = 0) {
      const image = make("img", { alt }), place = make("div", { class: "mr-pic", "data-state": "waiting" }, image), one = make("figure", {}, place, make("figcaption", { text: words }));
      image.addEventListener("load", () => { place.dataset.state = "there"; });
      image.addEventListener("error", () => { place.dataset.state = "none"; });
      one.load = (from) => { place.dataset.state = "waiting"; image.src = from; };
      if (after) setTimeout(() => { if (one.isConnected) one.load(src); }, after); else one.load(src);
      return one;
    }
  }

  window.merReplay = { queue, player: start };
})();
