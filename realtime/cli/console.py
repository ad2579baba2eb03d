"""The terminal that commands print to: text from outside is shown there, and does nothing."""

from __future__ import annotations

from collections.abc import Iterator

from rich import console
from rich.segment import Segment

from realtime.names import printable


class Console(console.Console):
    """rich's, in which "[/b]" in a file's name is no markup, and ESC in it no command to the terminal.

    Colours are given as `style=`, or as a `Text`.
    """

    def __init__(self, **options):
        super().__init__(**{"markup": False, "highlight": False, "emoji": False} | options)

    def render(self, renderable, options=None) -> Iterator[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text, kept="\n"), segment.style)
