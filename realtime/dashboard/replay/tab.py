"""Tab 2: drop recordings, look at what was found frame by frame, compare two networks, and leave with the files."""

from __future__ import annotations

import gradio as gr

from realtime.dashboard.replay.handlers import EMPTY, NONE, Handlers
from realtime.dashboard.replay.queue import Queue
from realtime.dashboard.replay.routes import add_routes
from realtime.dashboard.replay.sensitivity import CHOICES, USUAL
from realtime.dashboard.shared import HEAVY, Shared

HEAD = '<link rel="stylesheet" href="/mer/static/timeline.css">'
WHOLE = "Needed to see and train on a movement that was missed."
SCRIPT = "import('/mer/static/timeline.js').then((timeline) => timeline.{})"
GO = "() => {{ const link = document.querySelector('#mer-replay-{} a'); if (link) link.click(); }}"
REMEMBERED = "() => [localStorage.getItem('mer-replay-queue') || '']"


def _queue(shared: Shared) -> Queue:
    """Of this program; made by whichever of `tab` and `routes` comes first."""
    if not hasattr(shared, "replay"):
        shared.replay = Queue(shared)
    return shared.replay


def routes(shared: Shared, app) -> None:
    add_routes(shared, app, _queue(shared))


def plain_html(name: str, value: str | None = None, **more) -> gr.HTML:
    """Without Gradio's style for running text, which would dress buttons and lists up."""
    return gr.HTML(value, elem_id=f"mer-replay-{name}", apply_default_css=False, padding=False, **more)


def tab(shared: Shared) -> None:
    do, writes = Handlers(shared, _queue(shared)), str(not shared.read_only).lower()
    chosen, remembered = gr.State(""), gr.Textbox("", visible=False)
    with gr.Row(elem_classes="mr-page", equal_height=False):
        with gr.Column(scale=1, min_width=300):
            drop = gr.File(label="Recordings", file_count="multiple", height=120, elem_id="mer-replay-drop")
            model = gr.Dropdown(
                shared.networks(),
                value=shared.settings.network,
                label="Model",
                elem_id="mer-replay-model",
                allow_custom_value=False,
                info="Names what was found. Choose before you drop.",
            )
            how = gr.Radio(
                CHOICES,
                value=USUAL,
                label="How many movements",
                elem_id="mer-replay-sensitivity",
                info="Fewer: clear ones only. More: doubtful ones, too.",
            )
        with gr.Column(scale=3, min_width=320):
            said = plain_html("said", js_on_load=SCRIPT.format("closable(element)"))
            listed = plain_html("queue", js_on_load=SCRIPT.format(f"queue(element, trigger, {writes})"))
            all_files = plain_html("all")
    player = plain_html("player", EMPTY, js_on_load=SCRIPT.format("recording(element, watch, trigger)"))
    files = plain_html("files")
    with gr.Column(visible=False) as after:
        with gr.Row(elem_classes="mr-keep", visible=not shared.read_only):
            keep = gr.Button("Keep for Review", size="sm", scale=0, min_width=170)
            whole = gr.Checkbox(label="With the recording itself", info=WHOLE, scale=0, min_width=330)
        kept = plain_html("kept")
        other = gr.Dropdown([NONE], value=NONE, label="Compare with", elem_id="mer-replay-other", info="Another model names the same movements.")
        compared = plain_html("compared", js_on_load=SCRIPT.format("comparison(element, watch)"))

    gr.on(None, do.arrive, remembered, listed, js=REMEMBERED, show_progress="hidden")
    drop.upload(do.add, [drop, model, how], [drop, said], show_progress="minimal")
    # "multiple": Gradio drops a press that comes while the one before it is still on its way
    shown = [player, chosen, after, other, compared, files, kept]
    listed.click(do.act, chosen, shown, show_progress="hidden", trigger_mode="multiple")
    other.input(do.compare, [chosen, other], compared, show_progress="minimal", concurrency_limit=HEAVY)
    keep.click(do.keep, [chosen, whole], kept, show_progress="minimal")
    player.click(do.download, chosen, files, show_progress="minimal").then(None, js=GO.format("files"))
    player.submit(do.download, chosen, files, show_progress="minimal", concurrency_limit=HEAVY).then(None, js=GO.format("files"))
    listed.select(do.download_all, None, all_files, show_progress="minimal", concurrency_limit=HEAVY).then(None, js=GO.format("all"))
    listed.submit(do.keep_all, None, all_files, show_progress="minimal")
