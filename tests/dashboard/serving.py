"""A running mer-demo on a free port, forked from a process that has imported what it imports: that takes most of its start."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from places import ROOT

PATIENCE = 90_000  # ms, on a machine that has other things to do
START_SECONDS, STOP_SECONDS = 180, 60
IMPORTED = [
    "gradio",
    "uvicorn",
    "realtime.cli.demo",
    *(f"realtime.dashboard.{name}" for name in ("app", "live.tab", "replay.tab", "review.tab", "speed")),
]


class Forked:
    """Of subprocess.Popen what is needed here."""

    def __init__(self, words: list[str], env: dict[str, str]):
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(IMPORTED)
        heard, told = context.Pipe(duplex=False)
        self._process = context.Process(target=_main, args=(words, env, told))
        self._process.start()
        told.close()
        self.stdout = open(os.dup(heard.fileno()))  # noqa: SIM115  until the process has ended
        heard.close()
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self._process.kill()

    def wait(self, seconds: float) -> int:
        self._process.join(seconds)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("mer-demo", seconds)
        return self._process.exitcode


def _main(words: list[str], env: dict[str, str], told) -> None:
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(told.fileno(), number)
        setattr(sys, name, open(number, "w", buffering=1, closefd=False))
    os.environ.clear()
    os.environ.update(env)
    os.chdir(ROOT)
    tempfile.tempdir = None  # that of `env`
    from realtime.cli.demo import main

    main(words, prog_name="mer-demo")


@dataclass
class Demo:
    """A running mer-demo. url ends with "/". log: its event log. temp: the folder in which it makes its private one."""

    url: str
    log: Path
    temp: Path
    process: subprocess.Popen | Forked
    lines: list[str] = field(default_factory=list)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ends it as a person would; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


def start(folder: Path, *options: str, env: dict[str, str] | None = None, log: Path | None = None, forked: bool = True) -> Demo:
    """forked: False starts Python itself, as a person does."""
    temp = folder / "tmp"
    temp.mkdir(parents=True, exist_ok=True)
    log = log or folder / "log.sqlite3"
    wanted = {**os.environ, "TMPDIR": str(temp), "MER_LIVE_LOG": str(log), "PYTHONUNBUFFERED": "1", **(env or {})}
    words = ["--no-browser", *(() if "--port" in options else ("--port", "0")), *options]
    if forked:
        process = Forked(words, wanted)
    else:
        command = [sys.executable, "-m", "realtime.cli.demo", *words]
        process = subprocess.Popen(command, cwd=ROOT, env=wanted, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    demo = Demo("", log, temp, process)
    ready = threading.Event()

    def read():
        for line in process.stdout:
            demo.lines.append(line.rstrip())
            if found := re.search(r"http://\S+:\d+/", line):
                demo.url = found[0]
                ready.set()
        ready.set()

    threading.Thread(target=read, daemon=True).start()
    if not ready.wait(START_SECONDS) or not demo.url:
        process.kill()
        pytest.fail("mer-demo did not start:\n" + "\n".join(demo.lines))
    return demo
