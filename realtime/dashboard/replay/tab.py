"""Tab 2: drop recordings, look at what was found frame by frame, compare two networks, and leave with the files.

Everything that a page hands over is looked at first: it may be anything, and only what its own browser has dropped is shown, removed
or given away."""

from __future__ import annotations

import html
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

import gradio as gr

from realtime.dashboard.replay import coders
from realtime.dashboard.replay.compare import compare
from realtime.dashboard.replay.downloads import everything, make, menu, store
from realtime.dashboard.replay.queue import Queue
from realtime.dashboard.replay.queued_recording import CHOICES, USUAL, WORDS, Job
from realtime.dashboard.replay.routes import add_routes
from realtime.dashboard.server.access import check_upload, safe_name
from realtime.dashboard.server.browser_json import read, word
from realtime.dashboard.server.requests import browser_of
from realtime.dashboard.shared import HEAVY, Shared
from realtime.errors import MerError
from realtime.output.frame_table import CURVES
from realtime.sources.demo import DEMO_CLIP

NONE = "–"  # the same in every language: Gradio translates no choices
EMPTY = '<div class="mr-empty" data-token="" hidden><p></p></div>'  # page/replay/queue.js says what comes next
CODERS = "From ELAN, BORIS, Praat or a table (CSV): they lie on a lane of their own beside what was found, and are compared with it."
KEEP = '<p class="mer-state">Nothing is stored until you press this: then the events and their pictures go to the event log.</p>'


class Handlers:
    """One for each program. open: the boxes of an open recording, see `tab`."""

    def __init__(self, shared: Shared, queue: Queue):
        self.shared, self.queue = shared, queue

    def arrive(self, key: str, request: gr.Request) -> str:
        """The place of the queue.

        Args:
            key: what the browser remembers of an earlier page, or "".
        """
        return f'<div class="mr-queue" data-key="{self.queue.owners.enter(request.session_hash, key)}"></div>'

    def add(self, paths: list[str] | None, network: str, sensitivity: str, measured: bool, request: gr.Request):
        refused, browser = [], browser_of(request)
        paths = list(dict.fromkeys(paths or []))
        for number, path in enumerate(paths, 1):
            if len(paths) > 1:
                yield gr.skip(), f'<p class="mer-state" role="status">Looking at recording {number} of {len(paths)}…</p>'
            try:
                self.queue.add(self.taken(path, (network, sensitivity, measured), browser, request.session_hash))
            except MerError as error:
                refused.append(str(error))
                self.shared.uploads.drop(path, browser)
        yield None, refusals(refused)

    def demo(self, network: str, sensitivity: str, measured: bool, request: gr.Request) -> str:
        """The clip that comes along, for who has no recording at hand."""
        try:
            path = Path(DEMO_CLIP)
            self.queue.add(self._job(path, (network, sensitivity, measured), request.session_hash, lambda clip: shutil.copyfile(path, clip)))
        except MerError as error:
            return refusals([str(error)])
        return ""

    def act(self, opened: str, event: gr.EventData, request: gr.Request) -> list:
        """A button of the queue: cancel, remove, or show."""
        job, what = self.queue.job(word(event, "token")), word(event, "what")
        if job is None or job.owner != self._owner(request):
            return [gr.skip()] * 8
        if what == "remove":
            self.queue.remove(job)
            gone = job.token == opened
            return [EMPTY, "", gr.update(visible=False), gr.skip(), "", "", "", ""] if gone else [gr.skip()] * 8
        if what == "cancel":
            self.queue.cancel(job.token)
            return [gr.skip()] * 8
        shown = f'<div class="mr-empty" data-token="{job.token}"><p>Opening…</p></div>'
        others = [NONE, *(name for name in self.shared.networks() if name != job.model)]
        others = gr.update(choices=others, value=NONE)
        return [shown, job.token, gr.update(visible=job.shown), others, "", "", "" if self.shared.read_only else KEEP, coders.compared(job)]

    def read_coder(self, path: str | None, token: str, request: gr.Request) -> str:
        """A file of somebody's marks: what it means is asked next."""
        job, browser = self._own(token, request), browser_of(request)
        if job is None or not path:
            return ""
        try:
            upload = self.shared.uploads.own(path, browser)
            job.codings = coders.read(upload)
            return coders.compared(job, coders.question(upload.name, job.codings, job))
        except MerError as error:
            return coders.compared(job, lines([str(error)]))
        finally:
            self.shared.uploads.drop(path, browser)

    def code(self, token: str, event: gr.EventData, request: gr.Request) -> str:
        """What was said of it, or changed in the table of the comparison."""
        if (job := self._own(token, request)) is None:
            return ""
        try:
            coders.answered(job, read(word(event, "wish")))
        except MerError as error:
            return coders.compared(job, lines([str(error)]))
        return coders.compared(job)

    def compare(self, token: str, network: str, request: gr.Request) -> str:
        job = self._own(token, request)
        if job is None or network not in self.shared.networks():
            return ""
        try:
            return compare(job, network, self.shared)
        except MerError as error:
            return lines([str(error)])

    def download(self, token: str, event: gr.EventData, request: gr.Request) -> str:
        """One format of the open recording, from its menu."""
        job, kind = self._own(token, request), word(event, "kind")
        if job is None or kind not in menu(job):
            return ""
        columns = [name for name in word(event, "lanes").split(",") if name in CURVES]
        return self._offered(lambda: make(kind, job, self.shared, columns), job.owner)

    def download_all(self, request: gr.Request) -> str:
        owner = self._owner(request)
        jobs = self.queue.of(owner)
        if not any(job.shown for job in jobs):
            return lines(["nothing is done yet: a download holds what was found"])
        folder = self.shared.folder(owner)
        return self._offered(lambda: everything(jobs, folder), owner)

    def keep(self, token: str, recording: bool, request: gr.Request) -> str:
        job = self._own(token, request)
        return "" if job is None else self._kept([job], bool(recording))

    def keep_all(self, request: gr.Request) -> str:
        jobs = [job for job in self.queue.of(self._owner(request)) if job.shown]
        return self._kept(jobs, False) if jobs else lines(["nothing is done yet: Review shows what was found"])

    def _kept(self, jobs: list[Job], recording: bool) -> str:
        try:
            numbers = store(jobs, self.shared, recording)
        except MerError as error:
            return lines([str(error)])
        rest = "and their pictures, and the recording" if all(job.whole for job in jobs) else "and their pictures"
        rest = f"of {len(jobs)} recordings {rest}" if len(jobs) > 1 else rest
        events, where = sum(len(job.found.events) for job in jobs), ", ".join(map(str, numbers))
        told = (
            f"session {where} of the event log holds the {events} events {rest}. Tab Review opens it, and deletes it."
            if len(numbers) == 1
            else f"sessions {where} of the event log hold the {events} events {rest}. Tab Review opens them, and deletes them."
        )
        return f'<p class="mr-ready" role="status"><span class="mer-rec">Stored</span>: {told}</p>'

    def _offered(self, made, owner: str) -> str:
        """made: () → the finished file, in the browser's folder."""
        try:
            path = made()
            url = self.shared.offer(path, owner)
        except (MerError, OSError) as error:
            return lines([str(error)])
        link = f'<a href="{html.escape(url)}" download>{html.escape(path.name)}</a>'
        return f'<p class="mr-ready" role="status">Ready: {link}</p>'

    def taken(self, path: str, chosen: tuple[str, str, bool], browser: str, page: str) -> Job:
        """What a page's browser has uploaded as a job: looked at, and moved from Gradio's folder to its browser's own.

        Args:
            path: as the page says it: anything.
            chosen: network, sensitivity, whether every frame is measured.
            browser: who asks, see `requests.BROWSER`.
            page: Gradio's session hash.

        Raises:
            MerError: where it is no upload of that browser's, or cannot be taken.
        """
        upload = self.shared.uploads.own(path, browser)
        return self._job(upload, chosen, page, lambda clip: self.shared.uploads.take(path, browser, clip))

    def _job(self, recording: Path, chosen: tuple[str, str, bool], page: str, put: Callable[[Path], object]) -> Job:
        """put: brings the recording to a path, after it was looked at."""
        info = check_upload(recording, self.shared.settings.limits)
        if not (owner := self.queue.owners.of(page)):
            raise MerError("this page has lost touch with mer-demo: reload it, then drop the recording again")
        name = safe_name(recording.name)
        folder = self.shared.folder(owner) / f"replay-{secrets.token_hex(8)}"
        folder.mkdir(mode=0o700)
        clip = folder / f"recording{Path(name).suffix.lower()}"
        put(clip)
        network, sensitivity, measured = chosen
        model = network if network in self.shared.networks() else self.shared.settings.network
        sensitivity = sensitivity if sensitivity in WORDS else USUAL
        return Job(owner, clip, name, model, self.shared.settings.engine, folder, info.duration, sensitivity, bool(measured))

    def _owner(self, request: gr.Request) -> str:
        return self.queue.owners.of(request.session_hash)

    def _own(self, token: str, request: gr.Request) -> Job | None:
        """The job that a page has open; None where it is not its browser's, or not done."""
        job = self.queue.job(token) if isinstance(token, str) else None
        return job if job is not None and job.owner == self._owner(request) and job.shown else None


def lines(said: list[str]) -> str:
    """What went wrong, a line each."""
    return "".join(f'<p class="mer-warn mr-said" role="alert">{html.escape(line)}</p>' for line in said)


def refusals(said: list[str]) -> str:
    """The same, each with a button that closes it (page/replay/timeline.js)."""
    close = '<button type="button" class="mr-close" aria-label="Close this message">×</button>'
    return "".join(f'<div class="mer-warn mr-said" role="alert"><span>{html.escape(line)}</span>{close}</div>' for line in said)


HEAD = '<link rel="stylesheet" href="/mer/static/replay/timeline.css">'
MEASURE = "Measure every frame (head pose, gaze, 52 blendshapes)"
MEASURES = "Numbers only, to download and to draw as lanes under the curve. Takes about an eighth longer."
WHOLE = "Needed to see and train on a movement that was missed."
SCRIPT = "import('/mer/static/replay/timeline.js').then((timeline) => timeline.{})"
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
            measured = gr.Checkbox(False, label=MEASURE, info=MEASURES, elem_id="mer-replay-measure")
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
        with gr.Row(elem_classes="mr-keep"):
            coder = gr.UploadButton("Add a coder's marks", size="sm", scale=0, min_width=170, file_types=coders.ENDINGS, elem_id="mer-replay-coder")
            gr.HTML(f'<p class="mer-state">{CODERS}</p>', padding=False)
        coded = plain_html("coded", js_on_load=SCRIPT.format("coders(element, watch, trigger)"))
        other = gr.Dropdown([NONE], value=NONE, label="Compare with", elem_id="mer-replay-other", info="Another model names the same movements.")
        compared = plain_html("compared", js_on_load=SCRIPT.format("comparison(element, watch)"))

    gr.on(None, do.arrive, remembered, listed, js=REMEMBERED, show_progress="hidden")
    drop.upload(do.add, [drop, model, how, measured], [drop, said], show_progress="minimal")
    # "multiple": Gradio drops a press that comes while the one before it is still on its way
    shown = [player, chosen, after, other, compared, files, kept, coded]
    listed.click(do.act, chosen, shown, show_progress="hidden", trigger_mode="multiple")
    listed.input(do.act, chosen, shown, show_progress="hidden", trigger_mode="always_last")  # of two that are to be shown, the last
    other.input(do.compare, [chosen, other], compared, show_progress="minimal", concurrency_limit=HEAVY)
    coder.upload(do.read_coder, [coder, chosen], coded, show_progress="minimal", concurrency_limit=HEAVY)
    coded.submit(do.code, chosen, coded, show_progress="minimal", concurrency_limit=HEAVY)
    keep.click(do.keep, [chosen, whole], kept, show_progress="minimal")
    player.click(do.download, chosen, files, show_progress="minimal").then(None, js=GO.format("files"))
    player.submit(do.download, chosen, files, show_progress="minimal", concurrency_limit=HEAVY).then(None, js=GO.format("files"))
    listed.play(do.demo, [model, how, measured], said, show_progress="hidden")
    listed.select(do.download_all, None, all_files, show_progress="minimal", concurrency_limit=HEAVY).then(None, js=GO.format("all"))
    listed.submit(do.keep_all, None, all_files, show_progress="minimal")
