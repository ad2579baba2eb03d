"""Tab 3: what people say of logged events. Every key of `review.js` presses one of the controls here."""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from realtime.dashboard.review_desk import MOMENTS, Desk
from realtime.dashboard.review_steps import Steps
from realtime.dashboard.shared import Shared

HEAD = '<link rel="stylesheet" href="/mer/static/review.css"><script src="/mer/static/review.js" defer></script>'
LOOK = "<div><dt><kbd>↑</kbd> <kbd>↓</kbd></dt><dd>choose an event</dd></div><div><dt><kbd>S</kbd></dt><dd>slow motion</dd></div>"
JUDGE = """<div><dt><kbd>A</kbd></dt><dd>accept</dd></div><div><dt><kbd>R</kbd></dt><dd>reject</dd></div>
<div><dt><kbd>1</kbd> … <kbd>9</kbd></dt><dd>set the label</dd></div><div><dt><kbd>U</kbd></dt><dd>undo</dd></div>
<div><dt><kbd>Shift</kbd> + <kbd>←</kbd> <kbd>→</kbd></dt><dd>move the onset by a frame</dd></div>
<div><dt><kbd>Ctrl</kbd> or <kbd>Alt</kbd> + <kbd>←</kbd> <kbd>→</kbd></dt><dd>move the apex</dd></div>
<div><dt><kbd>Ctrl</kbd> or <kbd>Alt</kbd> + <kbd>Shift</kbd> + <kbd>←</kbd> <kbd>→</kbd></dt><dd>move the offset</dd></div>
<div><dt><kbd>N</kbd></dt><dd>add an event that was missed</dd></div>"""
TRAIN = "<div><dt><kbd>E</kbd></dt><dd>make the training set</dd></div>"
# keys come faster than answers: none may be lost, and they are answered in their order
QUICK = {"show_progress": "hidden", "trigger_mode": "multiple", "concurrency_id": "review", "concurrency_limit": 1}
CLICK = """element.addEventListener('click', event => {
  const row = event.target.closest('tr[data-key]');
  if (row) trigger('select', {key: row.dataset.key});
});"""
DOWNLOAD = "() => document.querySelector('#rv-link')?.click()"


def tab(shared: Shared) -> None:
    _Page(shared).build()


class _Page:
    """boxes: the components that a step draws anew, by their names in `Steps.outputs`."""

    def __init__(self, shared: Shared):
        self.writes = not shared.read_only
        self.steps = Steps(shared)
        self.boxes: dict[str, gr.components.Component] = {}
        self._wiring: list[Callable[[], None]] = []  # done last: a step draws boxes of the whole page

    def build(self) -> None:
        self._top()
        with gr.Row(equal_height=False):
            with gr.Column(scale=6, min_width=320):
                self._events()
                if self.writes:
                    self._missed()
                with gr.Accordion("Keys", elem_id="rv-keyboard"):
                    _words(f'<dl class="rv-keys">{LOOK}{JUDGE if self.writes else ""}{TRAIN}</dl>')
            with gr.Column(scale=5, min_width=320):
                self._pictures()
                if self.writes:
                    self._judging()
                    self._marks()
        with gr.Row(equal_height=False):
            with gr.Column(min_width=320, elem_classes="rv-card"):
                self._exporting()
            if self.writes:
                with gr.Column(min_width=320, elem_classes="rv-card"):
                    self._deleting()
        for wire in self._wiring:
            wire()

    def _top(self) -> None:
        with gr.Row(elem_classes="rv-top"):
            session = gr.Dropdown([], label="Session", elem_id="rv-session", scale=3, min_width=280)
            source = gr.Dropdown([], label="Recording", elem_id="rv-source", scale=2, min_width=200, visible=False)
            # remembered by review.js: a gr.BrowserState in a tab that is not open yet is read too late, as empty
            self.reviewer = gr.Textbox(label="Your name", elem_id="rv-reviewer", scale=1, min_width=160, max_length=80)
            person = gr.Textbox(label="Participant", elem_id="rv-person", scale=1, min_width=160, max_length=80,
                                placeholder="name or number" if self.writes else "", interactive=self.writes)  # fmt: skip
            refresh = gr.Button("Refresh", elem_id="rv-refresh", scale=0, min_width=100)
        self.boxes |= {"session": session, "source": source, "person": person}
        root = gr.context.Context.root_block

        def wire():
            self._on(root.load, lambda desk, name: desk.open(None))
            self._on(self.reviewer.change, lambda desk, name: None)
            self._on(refresh.click, lambda desk, name: desk.refresh())
            self._on(session.input, lambda desk, name, number: desk.open(number), session)
            self._on(source.input, lambda desk, name, path: desk.open(desk.chosen.session["id"], path), source)
            if self.writes:
                self._on(person.submit, lambda desk, name, who: desk.name(who), person)
                self._on(person.blur, _named, person)

        self._wiring.append(wire)

    def _events(self) -> None:
        table = gr.HTML(elem_id="rv-events", js_on_load=CLICK, apply_default_css=False, padding=False)
        with gr.Row():
            before = gr.Button("Previous event (↑)", elem_id="rv-before", size="sm", min_width=120)
            after = gr.Button("Next event (↓)", elem_id="rv-after", size="sm", min_width=120)
        said = gr.HTML(elem_id="rv-said", padding=False)
        self.boxes |= {"table": table, "said": said, "progress": gr.HTML(elem_id="rv-progress", padding=False)}

        def clicked(name, event: gr.EventData, request: gr.Request):
            return self.steps.step(request.session_hash, name, lambda desk, name: desk.choose(str(event._data.get("key"))))

        def wire():
            self._then_pictures(table.select(clicked, [self.reviewer], self._outputs(), **QUICK))
            self._on(before.click, lambda desk, name: desk.step(-1))
            self._on(after.click, lambda desk, name: desk.step(1))

        self._wiring.append(wire)

    def _pictures(self) -> None:
        self.boxes["pictures"] = gr.HTML(elem_id="rv-pictures", apply_default_css=False, padding=False)
        slow = gr.Button("Slow motion (S)", elem_id="rv-slow", size="md")

        def toggle(request: gr.Request):
            self.steps.slow_motion(request.session_hash)

        self._wiring.append(lambda: self._then_pictures(slow.click(toggle, None, None, **QUICK)))

    # ---- controls that write

    def _judging(self) -> None:
        label = self.boxes["label"] = gr.Radio([], label="Label", elem_id="rv-label")
        with gr.Row():
            accept = gr.Button("Accept (A)", elem_id="rv-accept", variant="primary", min_width=90)
            reject = gr.Button("Reject (R)", elem_id="rv-reject", min_width=90)
            undo = gr.Button("Undo (U)", elem_id="rv-undo", min_width=90)

        def wire():
            self._on(accept.click, lambda desk, name: desk.judge(name))
            self._on(reject.click, lambda desk, name: desk.judge(name, reject=True))
            self._on(undo.click, lambda desk, name: desk.undo(name))
            self._on(label.input, lambda desk, name, label: desk.judge(name, label=label), label)

        self._wiring.append(wire)

    def _marks(self) -> None:
        with gr.Row():
            for moment in MOMENTS:
                with gr.Column(min_width=90):
                    self._mark(moment)
        with gr.Row():
            units = gr.Textbox(label="Action units", elem_id="rv-units", placeholder="like 1+2", max_length=80, min_width=140)
            kind = gr.Dropdown(["micro", "macro"], label="Kind", elem_id="rv-kind", min_width=120)
            note = gr.Textbox(label="Note", elem_id="rv-note", max_length=1000, min_width=140)
        self.boxes |= {"units": units, "kind": kind, "note": note}
        self._typed(units, "action_units")
        self._typed(note, "note")
        self._wiring.append(lambda: self._on(kind.input, lambda desk, name, kind: desk.judge(name, kind=kind), kind))

    def _mark(self, moment: str) -> None:
        title = moment.capitalize()
        box = gr.Number(label=f"{title} (s)", elem_id=f"rv-{moment}", precision=3, step=0.001, minimum=0)
        self.boxes[moment] = box
        self._typed(box, MOMENTS[moment])
        with gr.Row(elem_classes="rv-steps"):
            back = gr.Button(f"{title} −1", elem_id=f"rv-{moment}-earlier", size="sm", min_width=40)
            on = gr.Button(f"{title} +1", elem_id=f"rv-{moment}-later", size="sm", min_width=40)

        def wire():
            self._on(back.click, lambda desk, name: desk.move(name, moment, -1))
            self._on(on.click, lambda desk, name: desk.move(name, moment, 1))

        self._wiring.append(wire)

    def _typed(self, box, field: str) -> None:
        """A field that was left: only a change is a word of the reviewer."""
        def judge(desk: Desk, name: str, value):
            item = desk.chosen.item
            if item is not None and value is not None and value != getattr(item.marks(name), field):
                return desk.judge(name, **{field: value})

        self._wiring.append(lambda: [self._on(event, judge, box) for event in (box.submit, box.blur)])

    def _missed(self) -> None:
        with gr.Row():
            at = gr.Number(label="Missed event: its apex, in seconds", elem_id="rv-missed", precision=3, minimum=0, value=None, min_width=200)
            add = gr.Button("Add it (N)", elem_id="rv-add", min_width=130, scale=0)
        self.boxes["missed"] = at
        self._wiring.append(lambda: [self._on(event, lambda desk, name, moment: desk.add(name, moment), at)
                                     for event in (at.submit, add.click)])  # fmt: skip

    def _deleting(self) -> None:
        _words("<h3>Delete the session</h3><p>Its events, reviews and kept pictures go for good. Recordings, and files that "
               "you saved elsewhere, stay.</p>")  # fmt: skip
        ask = gr.Button("Delete this session…", elem_id="rv-delete")
        with gr.Row(visible=False) as sure:
            yes = gr.Button("Delete for good", elem_id="rv-delete-yes", variant="stop")
            no = gr.Button("Keep it", elem_id="rv-delete-no")

        def wire():
            for button, asked in ((ask, True), (yes, False), (no, False)):
                def show(asked=asked):
                    return gr.update(visible=not asked), gr.update(visible=asked)

                button.click(show, None, [ask, sure], show_progress="hidden")
            self._on(yes.click, lambda desk, name: self.steps.delete(desk))

        self._wiring.append(wire)

    # ---- the rest

    def _exporting(self) -> None:
        _words("<h3>Train on the corrections</h3><p>A data set for mer-train with every event that was accepted, corrected "
               "or added.</p>")  # fmt: skip
        with gr.Row():
            many = gr.Radio([("This session", False), ("All sessions", True)], value=False, label="Which", elem_id="rv-which", min_width=200)
            own = gr.Radio([("All, where they agree", False), ("Only mine", True)], value=False, label="Whose reviews", elem_id="rv-whose", min_width=200)
        whole = gr.Checkbox(True, label="Put the pictures into it (otherwise it points to the recordings on this machine)", elem_id="rv-frames")
        make = gr.Button("Make training set (E)", elem_id="rv-export", variant="primary")
        result = gr.HTML(elem_id="rv-exported", apply_default_css=False, padding=False)

        def run(name, many, own, frames, request: gr.Request):
            return self.steps.export(request.session_hash, name, many, own, frames)

        made = make.click(run, [self.reviewer, many, own, whole], result, concurrency_limit=1)
        made.then(None, js=DOWNLOAD)

    def _outputs(self) -> list:
        return [self.boxes[name] for name in self.steps.outputs]

    def _on(self, event, do: Callable, value=None) -> None:
        """An event of the page → do(desk, name[, value of a component]), everything drawn anew, then the pictures."""
        def plain(name, request: gr.Request):
            return self.steps.step(request.session_hash, name, do)

        def valued(name, value, request: gr.Request):
            return self.steps.step(request.session_hash, name, lambda desk, name: do(desk, name, value))

        if value is None:
            self._then_pictures(event(plain, [self.reviewer], self._outputs(), **QUICK))
        else:
            self._then_pictures(event(valued, [self.reviewer, value], self._outputs(), **QUICK))

    def _then_pictures(self, event) -> None:
        def read(request: gr.Request):
            return self.steps.pictures(request.session_hash)

        event.then(read, None, [self.boxes["pictures"]], show_progress="hidden", trigger_mode="multiple")


def _named(desk: Desk, name: str, who: str) -> str | None:
    now = desk.chosen
    if now.session is not None and who != desk.reviews().people(now.session["id"]).get(now.source, ""):
        return desk.name(who)
    return None


def _words(html: str) -> None:
    gr.HTML(html, elem_classes="rv-words", apply_default_css=False, padding=False)
