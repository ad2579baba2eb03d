"""The controls of tab Review that write: the verdict, the marks, a missed event, and deleting a session."""

from __future__ import annotations

import gradio as gr

from realtime.dashboard.review.buttons import Wiring, words
from realtime.dashboard.review.reviewer import KEYS
from realtime.review.item import MOMENTS, UNITS


def judging(page: Wiring) -> None:
    with gr.Row(elem_classes="rv-judge"):
        accept = gr.Button("Accept (A)", elem_id="rv-accept", variant="primary", min_width=90)
        reject = gr.Button("Reject (R)", elem_id="rv-reject", min_width=90)
        undo = gr.Button("Undo (U)", elem_id="rv-undo", min_width=90)
    label = page.boxes["label"] = gr.Radio([], label="Label", elem_id="rv-label")
    # the number keys press these and not the radio, which may still show the event before
    keys = [gr.Button(str(number), elem_id=f"rv-label-{number}", visible="hidden") for number in range(1, KEYS + 1)]

    def wire():
        page.on(accept.click, lambda desk, name: desk.judge(name))
        page.on(reject.click, lambda desk, name: desk.judge(name, reject=True))
        page.on(undo.click, lambda desk, name: desk.undo(name))
        page.on(label.input, lambda desk, name, label: desk.judge(name, label=label or ""), label)
        for place, key in enumerate(keys):
            page.on(key.click, lambda desk, name, place=place: desk.judge(name, label=desk.labels()[place]))

    page.later(wire)


def marks(page: Wiring) -> None:
    """Onset, apex and offset, and what else is said of the movement."""
    with gr.Row():
        for moment in MOMENTS:
            with gr.Column(min_width=90):
                _mark(page, moment)
    with gr.Row():
        units = gr.Textbox(label="Action units", elem_id="rv-units", placeholder="like 1+2", max_length=80, min_width=140)
        kind = gr.Dropdown(["micro", "macro"], label="Kind", elem_id="rv-kind", min_width=120, filterable=False)
        note = gr.Textbox(label="Note", elem_id="rv-note", max_length=1000, min_width=140)
    legend = "".join(f"<div><dt>{number}</dt><dd>{name}</dd></div>" for number, name in UNITS.items())
    words(f'<details class="rv-units"><summary>What the numbers of action units mean</summary><dl>{legend}</dl></details>')
    page.boxes |= {"units": units, "kind": kind, "note": note}
    page.typed(units, "action_units")
    page.typed(note, "note")
    page.later(lambda: page.on(kind.input, lambda desk, name, kind: desk.judge(name, kind=kind), kind))


def _mark(page: Wiring, moment: str) -> None:
    title = moment.capitalize()
    box = gr.Number(label=f"{title} (s)", elem_id=f"rv-{moment}", precision=3, step=0.001, minimum=0)
    page.boxes[moment] = box
    page.typed(box, MOMENTS[moment])
    with gr.Row(elem_classes="rv-steps"):
        back = gr.Button(f"{title} −1", elem_id=f"rv-{moment}-earlier", size="sm", min_width=40)
        on = gr.Button(f"{title} +1", elem_id=f"rv-{moment}-later", size="sm", min_width=40)

    def wire():
        page.on(back.click, lambda desk, name: desk.move(name, moment, -1))
        page.on(on.click, lambda desk, name: desk.move(name, moment, 1))

    page.later(wire)


def missed(page: Wiring) -> None:
    with gr.Row():
        at = gr.Number(label="Missed event: its apex, in seconds", elem_id="rv-missed", precision=3, minimum=0, value=None, min_width=200)
        add = gr.Button("Add it (N)", elem_id="rv-add", min_width=130, scale=0)
    page.boxes["missed"] = at

    def wire():
        for event in (at.submit, add.click):
            page.on(event, lambda desk, name, moment: desk.add(name, moment), at)

    page.later(wire)


def deleting(page: Wiring) -> None:
    words(
        "<h3>Delete the session</h3><p>Its events, reviews, and what was kept of it go for good. Your own recordings, and files that "
        "you saved elsewhere, stay.</p>"
    )
    ask = gr.Button("Delete this session…", elem_id="rv-delete")
    with gr.Row(visible=False) as sure:
        yes = gr.Button("Delete for good", elem_id="rv-delete-yes", variant="stop")
        no = gr.Button("Keep it", elem_id="rv-delete-no")

    def wire():
        for button, asked in ((ask, True), (yes, False), (no, False)):

            def show(asked=asked):
                return gr.update(visible=not asked), gr.update(visible=asked)

            button.click(show, None, [ask, sure], show_progress="hidden")
        page.on(yes.click, lambda desk, name: page.steps.delete(desk))

    page.later(wire)
