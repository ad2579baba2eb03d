"""Tab 1: a camera or a stream, watched while it runs. The page's part is in page/live*.js, the server's in `socket`."""

from __future__ import annotations

from engines.runtime import ENGINES, known
from realtime.dashboard.live.choice import RANGES, Choice
from realtime.dashboard.shared import Shared

# in this order: the last one uses all the others
SCRIPTS = ("say", "connection", "camera", "take", "picture", "curve", "events", "detail", "health", "run", "told")
HEAD = "\n".join([
    '<link rel="stylesheet" href="/mer/static/live.css">',
    *(f'<script src="/mer/static/live_{name}.js" defer></script>' for name in SCRIPTS),
    '<script src="/mer/static/live.js" defer></script>',
])  # fmt: skip

STAGE = """
<section id="mer-stage" aria-label="Picture">
  <div id="mer-frame">
    <video id="mer-video" muted playsinline aria-label="The camera's picture"></video>
    <canvas id="mer-viewer" hidden aria-label="The picture of the server's source"></canvas>
    <canvas id="mer-overlay" aria-hidden="true"></canvas>
    <p id="mer-idle">No camera is on.</p>
    <p id="mer-recsign" class="mer-rec" hidden role="status"><span aria-hidden="true">●</span> <b></b></p>
    <p id="mer-gate" hidden></p>
    <figure id="mer-latest" hidden>
      <img alt="Its motion as colours" hidden>
      <figcaption role="status"><b></b> <small></small></figcaption>
    </figure>
  </div>
  <p id="mer-status" class="mer-state" role="status">Loading the page …</p>
  <div id="mer-problem" class="mer-warn" role="alert" hidden><span></span> <button type="button">Close</button></div>
</section>
"""
CURVE = """
<section aria-label="Difference from rest, the last seconds">
  <h3 class="mer-h">How far the face is from rest</h3>
  <div id="mer-curve" role="img" aria-label="Curve of the face's difference from rest, with its threshold"></div>
</section>
"""
HEALTH = """<section aria-label="Health"><dl id="mer-health"></dl></section>"""
EVENTS = """
<section aria-label="Events">
  <h3 class="mer-h">Events <span id="mer-count">0</span></h3>
  <ol id="mer-events" reversed></ol>
  <p id="mer-none" class="mer-state">None yet. Brief movements of the face appear here.</p>
</section>
"""
DETAIL = """
<section id="mer-detail" aria-label="The event that is shown">
  <h3 class="mer-h" id="mer-detail-title">Event</h3>
  <div class="mer-pictures">
    <figure><div class="mer-picture" data-name="flow"></div><figcaption>Where to: direction as colour</figcaption></figure>
    <figure><div class="mer-picture" data-name="magnified"></div><figcaption>The movement, slow and enlarged</figcaption></figure>
    <figure><div class="mer-picture" data-name="strain"></div><figcaption>Where the skin is stretched</figcaption></figure>
    <figure><div class="mer-picture" data-name="looked"></div><figcaption>Where the network looked</figcaption></figure>
    <figure class="mer-scores"><div id="mer-scores"></div><figcaption>Scores of each class</figcaption></figure>
  </div>
</section>
"""
CONSENT = "Everyone in view knows that their face is analysed, and has agreed."
KEEP_INFO = (
    "Off: nothing is stored; pictures of the last 50 events stay in memory until the page is closed. "
    "On: times, labels and scores go to the log of this machine."
)
PICTURES_INFO = "The aligned face from onset to offset, beside the log: needed to review these events by eye and to train on them."


def tab(shared: Shared) -> None:
    import gradio as gr

    from realtime.dashboard.live.plain_panel import panel as plain_camera

    choice = Choice.of(shared.settings)
    models = [name for name in known() if name != "verifier"]
    if choice.model not in models:
        models.append(choice.model)
    with gr.Row():
        with gr.Column(scale=5, min_width=340):
            gr.HTML(STAGE)
            consent = gr.Checkbox(False, label=CONSENT, elem_id="mer-consent", container=False)
            with gr.Row():
                gr.Button("Start camera", variant="primary", elem_id="mer-start", min_width=120)
                gr.Button("Stop", elem_id="mer-stop", min_width=80)
            gr.HTML(CURVE)
            gr.HTML(HEALTH)
        with gr.Column(scale=3, min_width=320):
            gr.HTML(EVENTS)
            # choosing an event switches it off (live_detail.js), so that the chosen one stays
            gr.Checkbox(
                True, label="Show the newest event by itself", elem_id="mer-newest", container=False, interactive=True
            )
            with gr.Column(elem_id="mer-detail-box"):
                gr.HTML(DETAIL)
                factor = gr.Slider(1, 20, value=8, step=1, label="Enlarge the movement, times", elem_id="mer-factor")
            keep = gr.Checkbox(
                False, label="Keep events in the log", info=KEEP_INFO, elem_id="mer-keep", visible=not shared.read_only
            )
            pictures = gr.Checkbox(
                False, label="Keep their pictures too", info=PICTURES_INFO, elem_id="mer-keep-pictures", visible=False
            )
            with gr.Accordion("Use a camera, file or stream of the server", open=False):
                spec = gr.Textbox(
                    label="Camera number, file or address",
                    placeholder="0   or   rtsp://camera/stream   or   demo",
                    info="“demo” plays the clip that comes with mer-live.",
                    elem_id="mer-spec",
                )
                watch = gr.Button("Watch it", elem_id="mer-watch")
            with gr.Accordion("Model and settings", open=False):
                model = gr.Dropdown(models, value=choice.model, label="Model", elem_id="mer-model")
                engine = gr.Dropdown(list(ENGINES), value=choice.engine, label="Engine", elem_id="mer-engine",
                                     info="auto takes the fastest that works here.")  # fmt: skip
                threshold = gr.Slider(*RANGES["threshold"], value=choice.threshold, step=0.5, label="Threshold",
                                      info="Lower finds more, and more that is nothing.")  # fmt: skip
                longest = gr.Slider(*RANGES["longest"], value=choice.longest, step=0.05, label="Longest micro-expression, seconds")
                certainty = gr.Slider(*RANGES["certainty"], value=choice.certainty, step=0.01, label="Least certainty",
                                      info="How sure the verifier must be before a movement is reported.")  # fmt: skip
            settings = [model, engine, threshold, longest, certainty]
            plain_camera(shared, consent, settings)

    named = "({model, engine, threshold, longest, certainty})"
    values = "model, engine, threshold, longest, certainty"
    for asked in (watch.click, spec.submit):
        asked(None, [spec, *settings], [spec], js=f"(spec, {values}) => MerLive.startServer(spec, {named})")
    keep.change(lambda on: gr.update(visible=on), [keep], [pictures], show_progress="hidden")
    for changed in (keep.change, pictures.change):
        changed(None, [keep, pictures], None, js="(on, pictures) => { MerLive.keep(on, pictures); }")
    for changed in (model.change, engine.change, threshold.release, longest.release, certainty.release):
        changed(None, settings, None, js=f"({values}) => {{ MerLive.change({named}); }}")
    factor.release(None, [factor], None, js="(times) => { MerLive.detail.magnify(times); }")


def routes(shared: Shared, app) -> None:
    from realtime.dashboard.live import socket

    socket.routes(shared, app)
