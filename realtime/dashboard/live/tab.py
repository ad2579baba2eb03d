"""Tab 1: a camera or a stream, watched while it runs. The page's part is in page/live*.js, the server's in `socket`."""

from __future__ import annotations

from engines import device
from engines.zoo import known
from realtime.dashboard.live import markup
from realtime.dashboard.live.choices import RANGES, Choice, levels
from realtime.dashboard.live.download import FORMATS, MOST
from realtime.dashboard.live.latest_events import KEPT
from realtime.dashboard.shared import Shared
from realtime.sources.checks import cameras

# in this order: the last one uses all the others
SCRIPTS = (
    "say",
    "words",
    "connection",
    "choose",
    "camera",
    "take",
    "picture",
    "curve",
    "events",
    "detail",
    "health",
    "run",
    "told",
)
HEAD = "\n".join(
    [
        '<link rel="stylesheet" href="/mer/static/live.css">',
        *(f'<script src="/mer/static/live_{name}.js" defer></script>' for name in SCRIPTS),
        '<script src="/mer/static/live.js" defer></script>',
    ]
)

CONSENT = "Everyone in view knows that their face is analysed, and has agreed."
KEEP_INFO = (
    f"Off: nothing is stored; the latest {MOST} events, and pictures of {KEPT}, are held until this page is closed. "
    "On: times, labels and scores go to the log of this machine, for Review."
)
PICTURES_INFO = "The aligned face from onset to offset, beside the log: needed to review these events by eye and to train on them."
RUNS_ON = {"auto": "the fastest that works here", "tensorrt": "TensorRT (GPU)", "onnx": "ONNX Runtime", "cpu": "the CPU alone"}


def tab(shared: Shared) -> None:
    import gradio as gr

    from realtime.dashboard.live.plain_panel import panel as plain_camera

    with gr.Row(elem_id="mer-bar", equal_height=False):
        consent = gr.Checkbox(False, label=CONSENT, elem_id="mer-consent", container=False, scale=3, min_width=320)
        gr.HTML(markup.BUTTONS, apply_default_css=False, scale=2, min_width=320)
    with gr.Column(elem_id="mer-settings"):  # no Accordion: what is closed there is not in the page
        settings, level = _settings(shared)
    with gr.Column(elem_id="mer-live-parts"):
        gr.HTML(markup.STAGE, apply_default_css=False, elem_id="mer-part-stage")
        with gr.Column(elem_id="mer-part-side"):
            gr.HTML(markup.events(FORMATS), apply_default_css=False)
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
                # choosing an event switches it off (live_detail.js), so that the chosen one stays
                gr.Checkbox(True, label="Show the newest event by itself", elem_id="mer-newest", container=False, interactive=True)
            with gr.Column(elem_id="mer-detail-box"):
                gr.HTML(markup.DETAIL, apply_default_css=False)
                factor = gr.Slider(1, 20, value=8, step=1, label="Enlarge the movement, times", elem_id="mer-factor")
        gr.HTML(markup.CURVE, apply_default_css=False, elem_id="mer-part-curve")
        gr.HTML(markup.HEALTH, apply_default_css=False, elem_id="mer-part-health")
    plain_camera(shared, consent, settings)

    values = "model, engine, threshold, longest, certainty"
    keep.change(lambda on: gr.update(visible=on), [keep], [pictures], show_progress="hidden")
    for changed in (keep.change, pictures.change):
        changed(None, [keep, pictures], None, js="(on, pictures) => { MerLive.keep(on, pictures); }")
    model, engine, threshold, longest, certainty = settings
    for changed in (model.change, engine.change, threshold.release, longest.release, certainty.release):
        changed(None, settings, None, js=f"({values}) => {{ MerLive.change({{{values}}}); }}")
    level.input(
        None,
        [level, model, engine, longest],
        [threshold, certainty],
        js="(level, model, engine, longest) => MerLive.level(level, {model, engine, longest})",
    )
    factor.release(None, [factor], None, js="(times) => { MerLive.detail.magnify(times); }")


def _settings(shared: Shared) -> tuple[list, object]:
    """The controls in the order of `Choice`, and the one that sets two of them at once."""
    import gradio as gr

    choice = Choice.of(shared.settings)
    models = [name for name in known() if name != "verifier"]
    if choice.model not in models:
        models.append(choice.model)
    with gr.Row(equal_height=False):
        with gr.Column(min_width=260):
            gr.HTML(markup.CAMERA, apply_default_css=False)
        with gr.Column(min_width=260):
            gr.HTML(markup.server_source(cameras()), apply_default_css=False)
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
