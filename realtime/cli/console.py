"""What commands print to: a terminal in which text from outside is shown and does nothing, standard output that may go
away (`mer-live … | head`, a full disk, a terminal that was closed), and tables of the event log.
"""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from contextlib import suppress

import rich.console
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from realtime.names import printable


class Console(rich.console.Console):
    """rich's, in which "[/b]" in a file's name is no markup, and ESC in it no command to the terminal.

    Colours are given as `style=`, or as a `Text`.
    """

    def __init__(self, **options):
        super().__init__(**{"markup": False, "highlight": False, "emoji": False} | options)

    def render(self, renderable, options=None) -> Iterator[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text, kept="\n"), segment.style)

    def markdown(self, text: str) -> None:
        """Words and tables: drawn in a terminal, as they are into a file or a pipe."""
        from rich.markdown import Markdown  # takes longer to import than most commands print for

        self.print(Markdown(text) if self.is_terminal else text, soft_wrap=not self.is_terminal)


class Output:
    """A text stream like `stream`, but writing never raises.

    Attributes:
        gone: why nothing more is read there; "" while it is.
    """

    def __init__(self, stream):
        """
        Args:
            stream: such as sys.stdout; None where that was closed from the start.
        """
        self._stream = stream or open(os.devnull, "w")
        self.gone = ""

    def write(self, text: str) -> int:
        self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._try(lambda: self._stream.flush())

    def closed_by_reader(self) -> bool:
        """Whether nobody reads any more, known without writing: a pipe's other end, a closed terminal."""
        if not self.gone and hasattr(select, "poll"):
            with suppress(OSError, ValueError):  # not a file of the system
                poll = select.poll()
                poll.register(self._stream.fileno(), 0)
                if any(told & (select.POLLERR | select.POLLHUP) for _, told in poll.poll(0)):
                    self._go("closed")
        return bool(self.gone)

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def _try(self, action) -> None:
        if not self.gone:
            try:
                action()
            except BrokenPipeError:
                self._go("closed")
            except (OSError, ValueError) as error:
                self._go(str(getattr(error, "strerror", None) or error).lower())

    def _go(self, why: str) -> None:
        self.gone = why
        # what still lies in the stream's buffer would fail once more when Python ends, with exit code 120
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


def given_up(stream) -> str:
    """Why a stream cannot be written, "" where it can (it got an empty line); what lies in its buffer is thrown away."""
    output = Output(stream)
    output.write("\n")  # an unbuffered stream has nothing left that a flush could fail with
    output.flush()
    return output.gone


def console_on(output: Output, quiet: bool = False) -> Console:
    """What a command says things on."""
    return Console(file=output, quiet=quiet, soft_wrap=True)


LEFT = ("started", "model", "source", "label", "who", "said", "units", "units (estimated)", "note")


def print_table(names: list[str], rows: list[list]) -> None:
    """A table whose numbers stay whole: on a narrow terminal only the source gives way."""
    rows = [[str(cell) for cell in row] for row in rows]
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    for name, cells in zip(names, zip(*rows) if rows else [()] * len(names)):
        whole = name != "source"
        width = max(map(len, (name, *cells))) if whole else None
        table.add_column(name, justify="left" if name in LEFT else "right", no_wrap=whole, min_width=width)
    for row in rows:
        table.add_row(*(Text(cell, no_wrap=True, overflow="ellipsis") for cell in row))
    console = Console()
    if not console.is_terminal:
        console.width = 200  # a pipe has no width: let nothing be cut
    console.print(table)
