"""Standard output that may go away: `mer-live … | head`, a full disk, a terminal that was closed."""

from __future__ import annotations

import os
import select
from contextlib import suppress

from realtime.cli.console import Console


class Output:
    """A text stream like `stream`, but writing never raises. gone: why nothing more is read there; "" while it is."""

    def __init__(self, stream):
        """stream: such as sys.stdout; None where that was closed from the start."""
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


def console(output: Output, quiet: bool = False) -> Console:
    """What a command says things on."""
    return Console(file=output, quiet=quiet, soft_wrap=True)
