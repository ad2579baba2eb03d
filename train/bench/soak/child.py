"""A process of the program under test: started, told what to suffer, looked at from outside."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path

import psutil

from realtime.cli.bench import memory
from train.bench.soak.growth import Sample

STOP_S = 60.0  # that the program may take to end in order
# imported once; what is started is a fork of that
PRELOADED = ["realtime.cli.live", "realtime.pipeline", "realtime.output.webhook", "train.bench.soak.program", "train.bench.soak.page_server"]


class Child:
    """One running process.

    Attributes:
        folder: where it works, what it says (said.txt), and its temporary files (tmp).
        done: frames that it has worked through.
    """

    def __init__(self, play: str, folder: Path, log: Path, *words):
        """
        Args:
            play: "module:function" that runs in the process: function(told, wishes, done, *words).
            log: the event log.
        """
        context = get_context("forkserver")
        context.set_forkserver_preload(PRELOADED)
        self.folder = folder
        (folder / "tmp").mkdir(parents=True)
        self._heard, told = context.Pipe(duplex=False)
        wishes, self._wishes = context.Pipe(duplex=False)
        self._done = context.RawValue("Q", 0)
        words_out, words_in = context.Pipe(duplex=False)
        self._process = context.Process(target=_play, args=(play, str(folder), str(log), words_in, told, wishes, self._done, words))
        self._process.start()
        for theirs in (told, wishes, words_in):
            theirs.close()
        # not a file of its own: its disk may be full
        threading.Thread(target=_written, args=(words_out, folder / "said.txt"), name="said", daemon=True).start()
        self._seen = psutil.Process(self._process.pid)

    @property
    def done(self) -> int:
        return self._done.value

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def wish(self, *wish) -> None:
        with suppress(OSError):  # it is gone
            self._wishes.send(wish)

    def heard(self) -> list[tuple]:
        """What it has told since the last time."""
        found = []
        with suppress(EOFError, OSError):
            while self._heard.poll():
                found.append(self._heard.recv())
        return found

    def wait_for(self, kind: str, seconds: float) -> tuple:
        """Raises TimeoutError."""
        while self._heard.poll(seconds):
            if (told := self._heard.recv())[0] == kind:
                return told
        raise TimeoutError(f"no word of {kind} within {seconds:g} s")

    def decoders(self) -> list[psutil.Process]:
        with suppress(psutil.Error):
            return self._seen.children()
        return []

    def limit_files(self, size: int) -> None:
        """Files may not grow beyond so many bytes: stands in for a full disk (0)."""
        with suppress(psutil.NoSuchProcess):
            hard = self._seen.rlimit(psutil.RLIMIT_FSIZE)[1]
            self._seen.rlimit(psutil.RLIMIT_FSIZE, (size, hard))

    def sample(self, at: float) -> Sample:
        """What it holds now; its children's memory counts."""
        with self._seen.oneshot():
            return Sample(
                at / 3600,
                memory(self._process.pid),
                self._seen.num_fds(),
                self._seen.num_threads(),
                len(self.decoders()),
                sum(1 for _ in (self.folder / "tmp").rglob("*")),
            )

    def said(self) -> list[str]:
        return (self.folder / "said.txt").read_text("utf-8", "replace").splitlines()

    def kill(self) -> None:
        """As a machine does that has no memory left. Its decoders see that it is gone."""
        self._process.kill()
        self._process.join(STOP_S)

    def end(self) -> int:
        """In order; its exit code."""
        if self.alive:
            os.kill(self._process.pid, signal.SIGTERM)
        self._process.join(STOP_S)
        if self.alive:
            self._process.kill()
            self._process.join()
            return -signal.SIGKILL
        return self._process.exitcode


def _written(words_out, path: Path) -> None:
    with words_out, path.open("wb", 0) as file, open(os.dup(words_out.fileno()), "rb", 0) as words:
        while data := words.read(2**16):
            file.write(data)


def _play(play: str, folder: str, log: str, words_in, told, wishes, done, words: tuple) -> None:
    """In the new process."""
    os.setsid()
    for stream in (1, 2):
        os.dup2(words_in.fileno(), stream)
    words_in.close()
    sys.stdout, sys.stderr = (open(stream, "w", 1, encoding="utf-8", closefd=False) for stream in (1, 2))
    os.chdir(folder)
    os.environ |= {"MER_LIVE_LOG": log, "TMPDIR": str(Path(folder) / "tmp"), "OMP_NUM_THREADS": "1"}
    tempfile.tempdir = None
    module, function = play.split(":")
    getattr(import_module(module), function)(told, wishes, done, *words)


def obey(wishes, handlers: dict[str, Callable]) -> None:
    """Does what is wished, in a thread, until nobody wishes any more."""

    def run() -> None:
        with suppress(EOFError, OSError):
            while True:
                kind, *content = wishes.recv()
                handlers[kind](*content)

    threading.Thread(target=run, name="soak", daemon=True).start()
