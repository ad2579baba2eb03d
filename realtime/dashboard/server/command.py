"""One command of this program at a time, as a child process whose lines are read while it runs."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

from engines import isolated
from realtime.errors import UsageError

KEPT_LINES = 500
PATIENCE = 5.0  # seconds between asking a command to end and ending it


class Job:
    """From any thread.

    Attributes:
        title: what runs or ran last, in words; "" before the first.
    """

    def __init__(self):
        self.title = ""
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._child: subprocess.Popen | None = None
        self._begun = self._ended = 0.0
        self._stopped = False
        self._guard = threading.Lock()

    def start(self, title: str, module: str, *words: str, folder: Path) -> None:
        """Run `python -m module words…` in `folder`.

        Raises:
            UsageError: while another one runs.
        """
        with self._guard:
            if self.running:
                raise UsageError(f"{self.title} is still running: wait for it, or stop it")
            self.title, self._stopped, self._begun, self._ended = title, False, time.monotonic(), 0.0
            self._lines.clear()
            self._child = subprocess.Popen(
                isolated.command(module, *words, unbuffered=True),
                cwd=folder,  # so that its lines name no folders of this machine
                env=os.environ | {"NO_COLOR": "1", "COLUMNS": "110", "TERM": "dumb"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,  # it is stopped with all of its own children, and not by this terminal's Ctrl-C
            )
            threading.Thread(target=self._read, args=(self._child,), name="job", daemon=True).start()

    def _read(self, child: subprocess.Popen) -> None:
        for line in child.stdout:
            self._lines.append(line.rstrip())
        child.wait()
        self._ended = time.monotonic()

    @property
    def running(self) -> bool:
        return self._child is not None and not self._ended

    @property
    def failed(self) -> bool:
        """Whether the last one ended by itself with another exit code than 0."""
        return self._child is not None and bool(self._ended) and not self._stopped and self._child.returncode != 0

    @property
    def text(self) -> str:
        return "\n".join(self._lines.copy())

    @property
    def state(self) -> str:
        """In words: "Building… 12 s", "Building: done after 40 s"; "" before the first."""
        if self._child is None:
            return ""
        seconds = (self._ended or time.monotonic()) - self._begun
        if self.running:
            return f"{self.title}… {seconds:.0f} s"
        code = self._child.returncode
        if not self.failed:
            return f"{self.title}: {'stopped' if self._stopped else 'done'} after {seconds:.0f} s"
        return f"{self.title}: failed after {seconds:.0f} s (exit code {code}). The last lines of the log say why."

    def stop(self) -> None:
        """Ask it to end, and end it where it does not."""
        child = self._child
        if child is None or not self.running:
            return
        self._stopped = True
        for number in (signal.SIGINT, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(child.pid, number)
            with suppress(subprocess.TimeoutExpired):
                child.wait(PATIENCE)
                break
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)  # what it had started itself
