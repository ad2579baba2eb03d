"""How a control of tab Review becomes a step: name and value go to the desk, and everything is drawn anew."""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from realtime.dashboard.review.actions import Steps
from realtime.dashboard.review.reviewer import Desk
from realtime.dashboard.server.browser_json import word
from realtime.dashboard.shared import Shared

# keys come faster than answers: none may be lost, and presses.js keeps them in their order
QUICK = {"show_progress": "hidden", "trigger_mode": "multiple"}


class Wiring:
    """What the parts of the tab share. boxes: the components that a step draws anew, by their names in `Steps.outputs`."""

    def __init__(self, shared: Shared):
        self.writes = not shared.read_only
        self.steps = Steps(shared)
        self.boxes: dict[str, gr.components.Component] = {}
        self.reviewer: gr.Textbox
        self._later: list[Callable[[], None]] = []

    def later(self, wire: Callable[[], None]) -> None:
        """Done when the whole page is built: a step draws boxes of all its parts."""
        self._later.append(wire)

    def finish(self) -> None:
        for wire in self._later:
            wire()

    def on(self, event, do: Callable | None, value=None) -> None:
        """An event of the page → do(desk, name[, value of a component]), everything drawn anew, then the pictures.

        do: None for the one with which a page begins, see `Steps.step`.
        """

        def plain(name, request: gr.Request):
            return self.steps.step(request.session_hash, name, do)

        def valued(name, value, request: gr.Request):
            return self.steps.step(request.session_hash, name, lambda desk, name: do(desk, name, value))

        if value is None:
            self._then_pictures(event(plain, [self.reviewer], self._outputs(), **QUICK))
        else:
            self._then_pictures(event(valued, [self.reviewer, value], self._outputs(), **QUICK))

    def on_row(self, table: gr.HTML) -> None:
        """A click on a row of the table chooses its event."""

        def clicked(name, event: gr.EventData, request: gr.Request):
            return self.steps.step(request.session_hash, name, lambda desk, name: desk.choose(word(event, "key")) or "")

        self._then_pictures(table.select(clicked, [self.reviewer], self._outputs(), **QUICK))

    def on_slow(self, button: gr.Button) -> None:
        """Slow motion on or off: only the pictures change."""

        def toggle(request: gr.Request):
            self.steps.slow_motion(request.session_hash)

        self._then_pictures(button.click(toggle, None, None, **QUICK))

    def typed(self, box, field: str) -> None:
        """A field of `Marks` that was left: only a change is a word of the reviewer."""

        def judge(desk: Desk, name: str, value):
            item = desk.chosen.item
            if item is not None and value is not None and value != getattr(item.marks(name), field):
                return desk.judge(name, **{field: value})

        for event in (box.submit, box.blur):
            self.later(lambda event=event: self.on(event, judge, box))

    def _outputs(self) -> list:
        return [self.boxes[name] for name in self.steps.outputs]

    def _then_pictures(self, event) -> None:
        def read(request: gr.Request):
            return self.steps.pictures(request.session_hash)

        event.then(read, None, [self.boxes["pictures"], self.boxes["around"]], show_progress="hidden", trigger_mode="always_last")


def words(html: str) -> None:
    """A piece of the page that never changes."""
    gr.HTML(html, elem_classes="rv-words", apply_default_css=False, padding=False)
