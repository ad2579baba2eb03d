"""Tab 2: drop recordings, look at what was found frame by frame, compare two networks, and leave with the files."""

from __future__ import annotations

import html
import secrets
from pathlib import Path

import gradio as gr

from realtime.dashboard.access import check_upload, safe_name
from realtime.dashboard.replay.compare import compare
from realtime.dashboard.replay.files import BUTTONS, SLOW, make, store
from realtime.dashboard.replay.job import Job
from realtime.dashboard.replay.queue import Queue
from realtime.dashboard.replay.routes import add_routes
from realtime.dashboard.shared import HEAVY, Shared
from realtime.dashboard.sound import word
from realtime.errors import MerError

HEAD = '<link rel="stylesheet" href="/mer/static/timeline.css">'
NONE = "None"
EMPTY = (
    '<div class="mr-empty" data-token=""><p>Drop a recording in the box. When it is done, it opens here by itself.</p></div>'
)
KEEP = (
    '<p class="mer-state">Nothing is stored until you press this: '
    "then the events and their pictures go to the event log.</p>"
)
WHOLE = "Needed to see and train on a movement that was missed."
SCRIPT = "import('/mer/static/timeline.js').then((timeline) => timeline.{})"
GO = "() => { const link = document.querySelector('#mer-replay-files a'); if (link) link.click(); }"


def _state(shared: Shared) -> tuple[Queue, dict[str, str]]:
    """The queue of this program, and key → browser session; made by whichever of `tab` and `routes` comes first."""
    if not hasattr(shared, "replay"):
        shared.replay = Queue(shared), (keys := {})
        shared.at_session_end(lambda session: [keys.pop(key) for key, of in list(keys.items()) if of == session])
    return shared.replay


def routes(shared: Shared, app) -> None:
    add_routes(shared, app, *_state(shared))


def networks(shared: Shared) -> list[str]:
    return shared.networks()


def plain_html(name: str, value: str | None = None, **more) -> gr.HTML:
    """Without Gradio's style for running text, which would dress buttons and lists up."""
    return gr.HTML(value, elem_id=f"mer-replay-{name}", apply_default_css=False, **more)


def tab(shared: Shared) -> None:
    queue, keys = _state(shared)
    chosen = gr.State("")
    with gr.Row(elem_classes="mr-page"):
        with gr.Column(scale=1, min_width=300):
            drop = gr.File(label="Recordings", file_count="multiple", height=150, elem_id="mer-replay-drop")
            model = gr.Dropdown(networks(shared), value=shared.settings.network, label="Model", elem_id="mer-replay-model",
                                allow_custom_value=False, info="Names what was found. Choose before you drop.")  # fmt: skip
            said = plain_html("said")
            listed = plain_html("queue", js_on_load=SCRIPT.format("queue(element, trigger)"))
        with gr.Column(scale=3, min_width=320):
            player = plain_html("player", EMPTY, js_on_load=SCRIPT.format("recording(element, watch)"))
            with gr.Column(visible=False) as after:
                other = gr.Dropdown([NONE], value=NONE, label="Compare with", elem_id="mer-replay-other",
                                    info="Another model names the same movements.")  # fmt: skip
                compared = plain_html("compared", js_on_load=SCRIPT.format("comparison(element, watch)"))
                plain_html("title", '<h2 class="mr-title">Download</h2>')
                with gr.Row(elem_classes="mr-exports"):
                    buttons = {kind: gr.Button(words, size="sm", min_width=120) for kind, words in BUTTONS.items()}
                files = plain_html("files")
                with gr.Row(elem_classes="mr-keep", visible=not shared.read_only):
                    keep = gr.Button("Keep for Review", size="sm", scale=0, min_width=170)
                    whole = gr.Checkbox(label="With the recording itself", info=WHOLE, scale=0, min_width=330)
                kept = plain_html("kept")

    def arrive(request: gr.Request) -> str:
        known = (key for key, session in keys.items() if session == request.session_hash)
        key = next(known, None) or secrets.token_urlsafe(18)
        keys[key] = request.session_hash
        return f'<div class="mr-queue" data-key="{key}"></div>'

    def add(paths: list[str] | None, network: str, request: gr.Request):
        refused = []
        paths = list(dict.fromkeys(paths or []))
        for number, path in enumerate(paths, 1):
            if len(paths) > 1:
                yield gr.skip(), f'<p class="mer-state" role="status">Looking at recording {number} of {len(paths)}…</p>'
            try:
                queue.add(_taken(shared, path, network, request.session_hash))
            except MerError as error:
                refused.append(str(error))
                shared.uploads.drop(path)
        yield None, lines(refused)

    def act(event: gr.EventData, request: gr.Request):
        """A button of the queue: cancel, or show."""
        job = queue.job(word(event, "token"))
        if job is None or job.session != request.session_hash:
            return [gr.skip()] * 7
        if word(event, "what") == "cancel":
            queue.cancel(job.token)
            return [gr.skip()] * 7
        shown = f'<div class="mr-empty" data-token="{job.token}"><p>Opening…</p></div>'
        others = [NONE, *(name for name in networks(shared) if name != job.model)]
        others = gr.update(choices=others, value=NONE)
        return shown, job.token, gr.update(visible=job.shown), others, "", "", "" if shared.read_only else KEEP

    def ask_other(token: str, network: str, request: gr.Request) -> str:
        job = _own(queue, token, request)
        if job is None or network == NONE:
            return ""
        try:
            return compare(job, network, shared)
        except MerError as error:
            return lines([str(error)])

    def export(kind: str):
        def run(token: str, request: gr.Request) -> str:
            job = _own(queue, token, request)
            if job is None:
                return ""
            try:
                path = make(kind, job, shared)
                url = shared.offer(path, job.session)
            except (MerError, OSError) as error:
                return lines([str(error)])
            link = f'<a href="{html.escape(url)}" download>{html.escape(path.name)}</a>'
            return f'<p class="mr-ready" role="status">Ready: {link}</p>'

        return run

    def keep_it(token: str, recording: bool, request: gr.Request) -> str:
        job = _own(queue, token, request)
        if job is None:
            return ""
        try:
            number = store(job, shared, recording)
        except MerError as error:
            return lines([str(error)])
        return (
            f'<p class="mr-ready" role="status"><span class="mer-rec">Stored</span>: session {number} of the event log holds '
            f"the {len(job.found.events)} events and their pictures{', and the recording' if job.whole else ''}. "
            "Tab Review opens it, and deletes it.</p>"
        )

    gr.on(None, arrive, outputs=listed, show_progress="hidden")
    drop.upload(add, [drop, model], [drop, said], show_progress="minimal")
    # "multiple": Gradio drops a press that comes while the one before it is still on its way
    shown = [player, chosen, after, other, compared, files, kept]
    listed.click(act, None, shown, show_progress="hidden", trigger_mode="multiple")
    other.input(ask_other, [chosen, other], compared, show_progress="minimal", concurrency_limit=HEAVY)
    keep.click(keep_it, [chosen, whole], kept, show_progress="minimal")
    for kind, button in buttons.items():
        limit = HEAVY if kind in SLOW else "default"
        button.click(export(kind), chosen, files, show_progress="minimal", concurrency_limit=limit).then(None, js=GO)


def _taken(shared: Shared, path: str, network: str, session: str) -> Job:
    """An uploaded file as a job: looked at, and moved from Gradio's folder to the page's own. Raises MerError."""
    upload = shared.uploads.find(path)
    info = check_upload(upload, shared.settings.limits)
    name = safe_name(upload.name)
    folder = shared.folder(session) / f"replay-{secrets.token_hex(8)}"
    folder.mkdir(mode=0o700)
    clip = folder / f"recording{Path(name).suffix.lower()}"
    shared.uploads.take(path, clip)
    model = network if network in networks(shared) else shared.settings.network
    return Job(session, clip, name, model, shared.settings.engine, folder, info.duration)


def _own(queue: Queue, token: str, request: gr.Request) -> Job | None:
    """The job that a page has open; None where it is not that page's, or not done."""
    job = queue.job(token)
    return job if job is not None and job.session == request.session_hash and job.shown else None


def lines(refused: list[str]) -> str:
    """What went wrong, a line each."""
    return "".join(f'<p class="mer-warn mr-said" role="alert">{html.escape(line)}</p>' for line in refused)
