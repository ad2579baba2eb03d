"""Tab 3: what people say of logged events. Every key of `review.js` presses one of the controls here."""

from __future__ import annotations

import gradio as gr

from realtime.dashboard.review import controls, downloads
from realtime.dashboard.review.buttons import Wiring, words
from realtime.dashboard.review.reviewer import Desk
from realtime.dashboard.server.browser_json import word
from realtime.dashboard.shared import HEAVY, Shared
from realtime.names import plain

HEAD = """<link rel="stylesheet" href="/mer/static/review.css">
<script src="/mer/static/review.js" defer></script>"""
LOOK = "<div><dt><kbd>↑</kbd> <kbd>↓</kbd></dt><dd>choose an event</dd></div><div><dt><kbd>S</kbd></dt><dd>slow motion on or off</dd></div><div><dt><kbd>P</kbd></dt><dd>play what came before and after</dd></div>"
JUDGE = """<div><dt><kbd>A</kbd></dt><dd>accept</dd></div><div><dt><kbd>R</kbd></dt><dd>reject</dd></div>
<div><dt><kbd>1</kbd> … <kbd>9</kbd></dt><dd>set the label</dd></div><div><dt><kbd>U</kbd></dt><dd>undo</dd></div>
<div><dt><kbd>Shift</kbd> + <kbd>←</kbd> <kbd>→</kbd></dt><dd>move the onset by a frame</dd></div>
<div><dt><kbd>Ctrl</kbd> or <kbd>Alt</kbd> + <kbd>←</kbd> <kbd>→</kbd></dt><dd>move the apex</dd></div>
<div><dt><kbd>Ctrl</kbd> or <kbd>Alt</kbd> + <kbd>Shift</kbd> + <kbd>←</kbd> <kbd>→</kbd></dt><dd>move the offset</dd></div>
<div><dt><kbd>N</kbd></dt><dd>add an event that was missed</dd></div>"""
TRAIN = "<div><dt><kbd>E</kbd></dt><dd>make the training set</dd></div>"
CLICK = """element.addEventListener('click', event => {
  const row = event.target.closest('tr[data-key]');
  if (row) trigger('select', {key: row.dataset.key});
});"""
CHOOSE = """element.addEventListener('click', event => {
  const item = event.target.closest('button[data-kind]');
  if (!item) return;
  item.closest('details').open = false;
  trigger('select', {kind: item.dataset.kind});
});"""
DOWNLOAD = "() => document.querySelector('#rv-link')?.click()"


def tab(shared: Shared) -> None:
    page = Wiring(shared)
    _top(page)
    with gr.Row(equal_height=False, elem_classes="rv-page"):
        with gr.Column(scale=5, min_width=320):
            _events(page)
            if page.writes:
                controls.missed(page)
            with gr.Accordion("Keys", elem_id="rv-keyboard"):
                words(f'<dl class="rv-keys">{LOOK}{JUDGE if page.writes else ""}{TRAIN}</dl>')
        with gr.Column(scale=7, min_width=320):
            page.boxes["pictures"] = gr.HTML(elem_id="rv-pictures", apply_default_css=False, padding=False)
            if page.writes:
                controls.judging(page)
            page.boxes["around"] = gr.HTML(elem_id="rv-around", apply_default_css=False, padding=False)
            slow = gr.Button("Slow motion on or off (S)", elem_id="rv-slow", size="sm")
            page.later(lambda: page.on_slow(slow))
            if page.writes:
                controls.marks(page)
    with gr.Row(equal_height=False):
        with gr.Column(min_width=320, elem_classes="rv-card"):
            _corrected(page)
        with gr.Column(min_width=320, elem_classes="rv-card"):
            _exporting(page)
        if page.writes:
            with gr.Column(min_width=320, elem_classes="rv-card"):
                controls.deleting(page)
    page.finish()


def _top(page: Wiring) -> None:
    with gr.Row(elem_classes="rv-top"):
        session = gr.Dropdown([], label="Session", elem_id="rv-session", scale=3, min_width=280)
        source = gr.Dropdown([], label="Recording", elem_id="rv-source", scale=2, min_width=200, visible=False)
        # remembered by review.js: a gr.BrowserState in a tab that is not open yet is read too late, as empty
        page.reviewer = gr.Textbox(label="Your name", elem_id="rv-reviewer", placeholder="type it to begin", scale=1, min_width=160, max_length=80)
        person = gr.Textbox(
            label="Participant",
            elem_id="rv-person",
            scale=1,
            min_width=160,
            max_length=80,
            placeholder="name or number" if page.writes else "",
            interactive=page.writes,
        )
        refresh = gr.Button("Refresh", elem_id="rv-refresh", scale=0, min_width=100)
    page.boxes |= {"session": session, "source": source, "person": person}
    root, here = gr.context.Context.root_block, gr.context.Context.block

    def wire():
        page.on(root.load, None)
        for event in (here.select, refresh.click):  # the log may have grown meanwhile
            page.on(event, lambda desk, name: desk.refresh())
        page.on(page.reviewer.change, lambda desk, name: "")
        page.on(session.input, lambda desk, name, number: _opened(desk, number, None), session)
        page.on(source.input, lambda desk, name, path: _opened(desk, None, path), source)
        if page.writes:
            page.on(person.submit, lambda desk, name, who: desk.name(who), person)
            page.on(person.blur, _named, person)

    page.later(wire)


def _events(page: Wiring) -> None:
    table = gr.HTML(elem_id="rv-events", js_on_load=CLICK, apply_default_css=False, padding=False)
    with gr.Row():
        before = gr.Button("Previous event (↑)", elem_id="rv-before", size="sm", min_width=120)
        after = gr.Button("Next event (↓)", elem_id="rv-after", size="sm", min_width=120)
    said = gr.HTML(elem_id="rv-said", padding=False)
    page.boxes |= {"table": table, "said": said, "progress": gr.HTML(elem_id="rv-progress", padding=False)}

    def wire():
        page.on_row(table)
        page.on(before.click, lambda desk, name: desk.step(-1) or "")
        page.on(after.click, lambda desk, name: desk.step(1) or "")

    page.later(wire)


def _corrected(page: Wiring) -> None:
    words("<h3>Take the corrections away</h3><p>The session as its reviewers left it: corrected, without what was rejected, with what was added.</p>")
    menu = gr.HTML(downloads.menu(), elem_id="rv-corrected", js_on_load=CHOOSE, apply_default_css=False, padding=False)
    result = gr.HTML(elem_id="rv-ready", apply_default_css=False, padding=False)

    def run(event: gr.EventData, request: gr.Request):
        return page.steps.corrected(request.session_hash, word(event, "kind"))

    made = menu.select(run, None, result, concurrency_limit=HEAVY)
    made.then(None, js=DOWNLOAD.replace("#rv-link", "#rv-ready a"))


def _exporting(page: Wiring) -> None:
    words("<h3>Train on the corrections</h3><p>A data set for mer-train with every event that was accepted, corrected or added.</p>")
    with gr.Row():
        many = gr.Radio([("This session", False), ("All sessions", True)], value=False, label="Which", elem_id="rv-which", min_width=200)
        own = gr.Radio([("All, where they agree", False), ("Only mine", True)], value=False, label="Whose reviews", elem_id="rv-whose", min_width=200)
    whole = gr.Checkbox(True, label="Put the pictures into it (otherwise it points to the recordings on this machine)", elem_id="rv-frames")
    make = gr.Button("Make training set (E)", elem_id="rv-export", variant="primary")
    result = gr.HTML(elem_id="rv-exported", apply_default_css=False, padding=False)

    def run(name, many, own, frames, request: gr.Request):
        return page.steps.export(request.session_hash, name, many, own, frames)

    made = make.click(run, [page.reviewer, many, own, whole], result, concurrency_limit=HEAVY)
    made.then(None, js=DOWNLOAD)


def _opened(desk: Desk, number: int | None, source: str | None) -> str:
    """Another session or another of its sources; a field that was emptied changes nothing."""
    now = desk.chosen.session
    if number is not None or (source is not None and now is not None):
        known = now["sources"] if now is not None else []
        desk.open(number if number is not None else now["id"], next((one for one in known if plain(one) == source), source))
    return ""


def _named(desk: Desk, name: str, who: str) -> str | None:
    now = desk.chosen
    if now.session is not None and who != desk.reviews().people(now.session["id"]).get(now.source, ""):
        return desk.name(who)
    return None
