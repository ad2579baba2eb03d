"""The accordion of the live tab with Gradio's own webcam component. Its pictures stand in the HTML itself: nothing is written to a file."""

from __future__ import annotations

from html import escape

import gradio as gr
import numpy as np

from realtime.dashboard.live.choices import Choice
from realtime.dashboard.live.latest_events import FORMATS
from realtime.dashboard.live.outbox import view_jpeg
from realtime.dashboard.live.plain_camera import AGREE, PlainPages, Shown
from realtime.dashboard.shared import Shared
from realtime.errors import MerError
from realtime.output.styling import inline
from realtime.records import UNSURE

ALTS = {"onset": "Face at onset", "apex": "Face at apex", "flow": "Motion as colours"}


def picture_html(pixels: np.ndarray) -> str:
    return f'<img alt="The camera\'s picture with the face that was found" src="{inline(view_jpeg(pixels), "jpeg")}">'


def events_html(shown: list[Shown]) -> str:
    return f'<ol class="mer-plain-list" aria-label="Events of the plain camera">{"".join(map(_row, shown))}</ol>'


def _row(one: Shown) -> str:
    event = one.event
    images = "".join(f'<img alt="{alt}" src="{inline(one.pictures[name], "jpeg")}">' for name, alt in ALTS.items())
    style = ' class="mer-unsure"' if event.label == UNSURE else ""
    return (
        f'<li class="mer-event">{images}<span><strong{style}>{escape(event.label)}</strong> '
        f'<span class="mer-kind mer-{escape(event.kind)}">{escape(event.kind)}</span><br>'
        f"<small>score {max(event.scores.values()):.2f} · at {event.apex_s:.2f} s · "
        f"lasted {event.offset_s - event.onset_s:.2f} s</small></span></li>"
    )


def words_html(text: str, figures: list[str] = ()) -> str:
    """A state in words.

    Args:
        text: is read out.
        figures: lines that change all the time, and are not read out whenever they do.
    """
    lines = "".join(f'<p class="mer-state">{escape(line)}</p>' for line in figures)
    return f'<p class="mer-state" role="status">{escape(text)}</p>{lines}'


def file_html(url: str, name: str, word: str) -> str:
    """A finished file, for the page to save at once.

    Args:
        word: what to know of it, or "".
    """
    return f'<p class="mer-state" role="status">Ready: <a href="{escape(url)}" download>{escape(name)}</a>. {escape(word)}</p>'


EVERY = 0.03  # seconds between two pictures that the page is asked for; it manages as many as it can
SIZE = {"video": {"width": {"ideal": 640}, "height": {"ideal": 480}, "frameRate": {"ideal": 30}}}
ABOUT = (
    '<p class="mer-state">For a page that cannot open a WebSocket, or a browser in which Start camera does not work. '
    "It sends single pictures, far fewer a second than the camera gives, so brief movements are missed. Allow the "
    "camera, then press Record: here that means that it is analysed; nothing is stored. Its events can be downloaded until "
    "it is started again, or this page is closed.</p>"
)
SAVE = "() => { document.querySelector('#mer-plain-file a')?.click(); }"
LOOK = 1.0  # seconds between two looks whether the person has stopped: Gradio does not say


def panel(shared: Shared, consent, settings: list) -> None:
    """The accordion.

    Args:
        consent: the checkbox.
        settings: the parts of the page in the order of `Choice`.
    """
    pages = PlainPages(shared)
    with gr.Accordion("Plain camera (slower)", open=False, elem_id="mer-plain"):
        gr.HTML(ABOUT)
        camera = gr.Image(
            sources="webcam",
            streaming=True,
            type="numpy",
            label="Plain camera",
            show_label=False,
            height=260,
            buttons=[],
            webcam_options=gr.WebcamOptions(mirror=False, constraints=SIZE),
            elem_id="mer-plain-camera",
        )
        view = gr.HTML(elem_id="mer-plain-view", apply_default_css=False)
        words = gr.HTML(words_html(""), elem_id="mer-plain-words")
        with gr.Row():
            buttons = {what: gr.Button(f"Events as {name}", size="sm", min_width=110) for what, name in FORMATS.items()}
        file = gr.HTML(elem_id="mer-plain-file")
        events = gr.HTML(elem_id="mer-plain-events", apply_default_css=False)
    timer = gr.Timer(LOOK, active=False)

    def look(picture: np.ndarray | None, agreed, model, engine, threshold, longest, certainty, request: gr.Request):
        page = pages.of(request.session_hash)
        if not agreed:
            page.end()
            return "", words_html(AGREE), gr.skip(), gr.skip()
        fresh = not page.running
        if picture is not None:
            page.take(picture, Choice(model, engine, threshold, longest, certainty))
        seen, found = page.view(), page.events()
        return (
            gr.skip() if seen is None else picture_html(seen),
            words_html(page.words(), page.figures()),
            gr.skip() if found is None else events_html(found),
            gr.Timer(active=True) if fresh else gr.skip(),
        )

    def stopped(request: gr.Request):
        page = pages.of(request.session_hash)
        if page.running:
            return gr.skip(), gr.skip(), gr.skip()
        return "", words_html(page.words()), gr.Timer(active=False)

    def download(what: str):
        """Nothing is written but in this page's private folder, so it is there where mer-demo is read only, too."""

        def made(request: gr.Request) -> str:
            page, found = request.session_hash, pages.of(request.session_hash).found
            try:
                path = found.file(what, shared.folder(page))
                return file_html(shared.offer(path, page), path.name, found.word)
            except (MerError, OSError) as error:
                return words_html(str(error))

        return made

    # no limit: an open stream counts as one run for as long as it lasts, and the seats are counted elsewhere
    quiet = {"concurrency_limit": None, "show_progress": "hidden"}
    camera.stream(look, [camera, consent, *settings], [view, words, events, timer], stream_every=EVERY, **quiet)
    timer.tick(stopped, None, [view, words, timer], **quiet)
    for what, button in buttons.items():
        button.click(download(what), None, file, show_progress="hidden").then(None, js=SAVE)
