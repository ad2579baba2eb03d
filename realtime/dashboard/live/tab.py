"""Tab 1: a camera or a stream, watched while it runs. What stands in it; its scripts are in page/live/, what they speak to is `socket`."""

from __future__ import annotations

from html import escape

from engines import device
from realtime.dashboard.live import latest_frames
from realtime.dashboard.live.choices import RANGES, Choice, levels
from realtime.dashboard.live.latest_events import FORMATS, KEPT, MOST
from realtime.dashboard.shared import Shared
from realtime.networks import naming
from realtime.output.recorder import recordings
from realtime.sources import cameras

BUTTONS = """
<div class="mer-buttons">
  <button type="button" id="mer-start" class="mer-button mer-main" aria-pressed="false">Start camera</button>
  <button type="button" id="mer-play" class="mer-button" aria-pressed="false">Play the demo clip</button>
  <button type="button" id="mer-stop" class="mer-button" aria-disabled="true">Stop</button>
  <button type="button" id="mer-record" class="mer-button" aria-pressed="false" aria-disabled="true" title="{title}"{hidden}>REC</button>
  <button type="button" id="mer-settings-button" class="mer-button" aria-expanded="false" aria-controls="mer-settings">Settings</button>
</div>
"""
CAMERA = """
<fieldset class="mer-fields">
  <legend>This browser's camera</legend>
  <label>Camera <select id="mer-camera"></select></label>
  <label>Picture size <select id="mer-size"></select></label>
  <label>Pictures a second <select id="mer-rate"></select></label>
  <p class="mer-state">Used from the next start on. What the camera really gives stands below the curve.</p>
</fieldset>
"""
STAGE = """
<section id="mer-stage" aria-label="Picture">
  <p id="mer-status" class="mer-state" role="status">Loading the page …</p>
  <p id="mer-busy" class="mer-warn" role="status" hidden></p>
  <div id="mer-problem" class="mer-warn" role="alert" hidden><span></span> <button type="button">Close</button></div>
  <div id="mer-frame">
    <video id="mer-video" muted playsinline aria-label="The camera's picture"></video>
    <canvas id="mer-viewer" hidden aria-label="The picture of the server's source"></canvas>
    <canvas id="mer-overlay" aria-hidden="true"></canvas>
    <p id="mer-idle">No camera is on.</p>
    <p id="mer-recsign" class="mer-rec" hidden role="status"><span aria-hidden="true">●</span> <b></b></p>
    <p id="mer-gate" hidden></p>
    <figure id="mer-latest" hidden>
      <img alt="Its motion as colours" hidden>
      <figcaption role="status" title="The newest event: its label, kind and number"><b></b> <small></small></figcaption>
    </figure>
  </div>
</section>
"""
CURVE = """
<section aria-label="Difference from rest, the last seconds">
  <h3 class="mer-h">How far the face is from rest</h3>
  <div id="mer-curve" role="img" title="Up: multiples of what is usual at rest. Along: seconds from the start." aria-label="Curve of the face's difference from rest, in multiples of what is usual at rest, with the limit above which a movement is looked at"></div>
  <ul class="mer-legend" aria-label="What the curve shows">
    <li><i data-line="accent"></i>difference from rest</li>
    <li><i data-line="macro" class="mer-dashed"></i>limit</li>
    <li><i data-line="apex"></i>reported: begin, peak, end</li>
    <li><i class="mer-cross">×</i>set aside, and why</li>
    <li><i data-band="blink"></i>blink</li>
    <li><i data-band="motion"></i>head moves</li>
    <li><i data-band="lost"></i>no face</li>
  </ul>
</section>
"""
HEALTH = """
<section aria-label="How well it works">
  <dl id="mer-health" class="mer-figures"></dl>
  <details id="mer-more" hidden>
    <summary>How fast it is</summary>
    <dl class="mer-figures"></dl>
  </details>
</section>
"""
DETAIL = """
<section id="mer-detail" aria-label="The event that is shown">
  <h3 class="mer-h" id="mer-detail-title" title="Onset and offset, seconds from the start">Event</h3>
  <div class="mer-pictures">
    <figure><div class="mer-picture" data-name="flow"></div><figcaption>Where to: direction as colour</figcaption></figure>
    <figure><div class="mer-picture" data-name="magnified"></div><figcaption>The movement, slow and enlarged</figcaption></figure>
    <figure><div class="mer-picture" data-name="strain"></div><figcaption>Where the skin is stretched</figcaption></figure>
    <figure><div class="mer-picture" data-name="looked"></div><figcaption>Where the network looked</figcaption></figure>
    <figure class="mer-scores"><div id="mer-scores" title="Of the network, given that it was a movement: 0 to 1, together 1"></div><figcaption>How likely each class is</figcaption></figure>
  </div>
</section>
"""


def events(formats: dict[str, str]) -> str:
    """The list of events.

    Args:
        formats: what can be downloaded → its name.
    """
    buttons = "".join(
        f'<button type="button" class="mer-button mer-small" data-what="{what}" aria-label="Download as {name}" aria-disabled="true">{name}</button>'
        for what, name in formats.items()
    )
    return f"""
<section aria-label="Events">
  <div class="mer-head">
    <h3 class="mer-h">Events <span id="mer-count" title="Number of movements that were reported since the start">0</span></h3>
    <div id="mer-downloads" role="group" aria-label="Download">Download {buttons}</div>
  </div>
  <div id="mer-list">
    <ol id="mer-events" reversed></ol>
    <p id="mer-none" class="mer-state">None yet. Brief movements of the face appear here.</p>
  </div>
</section>
"""


def frames(formats: dict[str, tuple[str, str]]) -> str:
    """What was measured of every frame, to be downloaded.

    Args:
        formats: what can be downloaded → its name, the file's name.
    """
    buttons = "".join(
        f'<button type="button" class="mer-button mer-small" data-what="{what}" aria-label="Download every frame as {name}" aria-disabled="true">{name}</button>'
        for what, (name, _) in formats.items()
    )
    return f'<div id="mer-frames" role="group" aria-label="Download every frame" hidden>Every frame {buttons} <span id="mer-frames-count" title="One a frame and face"></span></div>'


def server_source(cameras: list[str]) -> str:
    """The field for a source of the server.

    Args:
        cameras: of the server, such as "0 (Integrated Camera)".
    """
    known = [("demo", "the clip that comes with mer-live"), *((one.split()[0], f"camera {one}") for one in cameras)]
    options = "".join(f'<option value="{escape(value)}">{escape(words)}</option>' for value, words in known)
    there = f"Cameras there: {escape(', '.join(cameras))}." if cameras else "No camera is plugged in there."
    return f"""
<fieldset class="mer-fields">
  <legend>Or a camera, file or stream of the server</legend>
  <label>Camera number, file or address <input id="mer-spec" list="mer-specs" placeholder="0   or   rtsp://camera/stream" autocomplete="off" spellcheck="false"></label>
  <datalist id="mer-specs">{options}</datalist>
  <button type="button" id="mer-watch" class="mer-button" aria-pressed="false">Watch it</button>
  <p class="mer-state">{there}</p>
</fieldset>
"""


HEAD = """<link rel="stylesheet" href="/mer/static/live/live.css">
<script type="module" src="/mer/static/live/live.js"></script>"""
CALL = "({}) => import('/mer/static/live/live.js').then((live) => {})"  # with what Gradio hands over; what comes back goes to its outputs

CONSENT = "Everyone in view knows that their face is analysed, and has agreed."
KEEP_INFO = (
    f"Off: nothing is stored; the latest {MOST} events, and pictures of {KEPT}, are held until this page is closed. "
    "On: times, labels and scores go to the log of this machine, for Review."
)
RECORD_TITLE = "Keeps the video itself on this machine, in {folder}, with the events beside it, until it is pressed again or Stop. Only with people who have agreed."
MEASURE = "Measure every frame (head pose, gaze, 52 blendshapes)"
MEASURE_INFO = f"Numbers only, and no picture: the latest {latest_frames.MOST:,} rows, an hour at 30 frames a second, are held until the next start or until this page is closed."
PICTURES_INFO = "The aligned face from onset to offset, beside the log: needed to review these events by eye and to train on them."
RUNS_ON = {"auto": "the fastest that works here", "tensorrt": "TensorRT (GPU)", "onnx": "ONNX Runtime", "cpu": "the CPU alone"}


def tab(shared: Shared) -> None:
    import gradio as gr

    from realtime.dashboard.live.plain_panel import panel as plain_camera

    with gr.Row(elem_id="mer-bar", equal_height=False):
        consent = gr.Checkbox(False, label=CONSENT, elem_id="mer-consent", container=False, scale=2, min_width=320)
        gr.HTML(
            BUTTONS.format(title=RECORD_TITLE.format(folder=escape(str(recordings(shared.log)))), hidden=" hidden" * shared.read_only),
            apply_default_css=False,
            scale=3,
            min_width=320,
        )
    with gr.Column(elem_id="mer-settings"):  # no Accordion: what is closed there is not in the page
        settings, level = _settings(shared)
    with gr.Column(elem_id="mer-live-parts"):
        gr.HTML(STAGE, apply_default_css=False, elem_id="mer-part-stage")
        with gr.Column(elem_id="mer-part-side"):
            gr.HTML(events(FORMATS), apply_default_css=False)
            with gr.Column(elem_id="mer-keeping"):
                keep = gr.Checkbox(
                    False,
                    label="Keep events in the log",
                    info=KEEP_INFO,
                    elem_id="mer-keep",
                    container=False,
                    visible=not shared.read_only,
                )
                pictures = gr.Checkbox(
                    False,
                    label="Keep their pictures too",
                    info=PICTURES_INFO,
                    elem_id="mer-keep-pictures",
                    container=False,
                    visible=False,
                )
                # choosing an event switches it off (page/live/detail.js), so that the chosen one stays
                gr.Checkbox(True, label="Show the newest event by itself", elem_id="mer-newest", container=False, interactive=True)
                measures = gr.Checkbox(
                    shared.settings.faces.measures, label=MEASURE, info=MEASURE_INFO, elem_id="mer-measure", container=False, interactive=True
                )
                gr.HTML(frames(latest_frames.FORMATS), apply_default_css=False)
            with gr.Column(elem_id="mer-detail-box"):
                gr.HTML(DETAIL, apply_default_css=False)
                factor = gr.Slider(1, 20, value=8, step=1, label="Enlarge the movement, times", elem_id="mer-factor")
        gr.HTML(CURVE, apply_default_css=False, elem_id="mer-part-curve")
        gr.HTML(HEALTH, apply_default_css=False, elem_id="mer-part-health")
    plain_camera(shared, consent, settings)

    values = "model, engine, threshold, longest, certainty, measures"
    keep.change(lambda on: gr.update(visible=on), [keep], [pictures], show_progress="hidden")
    for changed in (keep.change, pictures.change):
        changed(None, [keep, pictures], None, js=CALL.format("on, pictures", "{ live.keep(on, pictures); }"))
    model, engine, threshold, longest, certainty = settings
    for changed in (model.change, engine.change, threshold.release, longest.release, certainty.release, measures.input):
        changed(None, [*settings, measures], None, js=CALL.format(values, f"{{ live.change({{{values}}}); }}"))
    level.input(
        None,
        [level, model, engine, longest, measures],
        [threshold, certainty],
        js=CALL.format("level, model, engine, longest, measures", "live.level(level, {model, engine, longest, measures})"),
    )
    factor.release(None, [factor], None, js=CALL.format("times", "{ live.magnify(times); }"))


def _settings(shared: Shared) -> tuple[list, object]:
    """The controls in the order of `Choice`, and the one that sets two of them at once."""
    import gradio as gr

    choice = Choice.of(shared.settings)
    models = naming()
    if choice.model not in models:
        models.append(choice.model)
    with gr.Row(equal_height=False):
        with gr.Column(min_width=260):
            gr.HTML(CAMERA, apply_default_css=False)
        with gr.Column(min_width=260):
            gr.HTML(server_source(list(map(str, cameras.known()))), apply_default_css=False)
        with gr.Column(min_width=260):
            steps = levels(choice)
            level = gr.Radio(
                [(words, f"{threshold} {certainty}") for words, (threshold, certainty) in steps.items()],
                value=f"{choice.threshold} {choice.certainty}",
                label="How much is reported",
                elem_id="mer-level",
            )
            model = gr.Dropdown(
                models, value=choice.model, label="Model", elem_id="mer-model", info="What each was trained on, and how good it is: tab Speed."
            )
            engine = gr.Dropdown(
                [(words, name) for name, words in RUNS_ON.items()],
                value=choice.engine,
                label="Runs on",
                elem_id="mer-engine",
                visible=device.find() is not None,
            )
            with gr.Accordion("Finer settings", open=False):
                threshold = gr.Slider(
                    *RANGES["threshold"],
                    value=choice.threshold,
                    step=0.1,
                    label="Limit of the curve",
                    info="Multiples of the usual unrest: lower looks at more, and at more that is nothing.",
                )
                longest = gr.Slider(*RANGES["longest"], value=choice.longest, step=0.05, label="Longest micro-expression, seconds")
                certainty = gr.Slider(
                    *RANGES["certainty"],
                    value=choice.certainty,
                    step=0.01,
                    label="Least certainty",
                    info="How sure it must be that it was a movement, before that is reported.",
                )
    return [model, engine, threshold, longest, certainty], level


def routes(shared: Shared, app) -> None:
    from realtime.dashboard.live import socket

    socket.routes(shared, app)
