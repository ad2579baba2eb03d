"""One damaged thing given to the command that reads it, in a process of its own that may crash, hang or eat memory."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.connection import wait
from pathlib import Path

from realtime.cli.bench import memory
from train.bench.damage.intact import Case

COMMANDS = {"mer-replay": "realtime.cli.replay", "mer-log": "realtime.cli.log", "mer-train": "train.cli"}
SECONDS = 60.0  # of one command
MEMORY = 3 * 2**10  # MiB of it and its children
# imported once, then every command is a fork of that: a start of Python takes longer than most of these
PRELOADED = [
    *COMMANDS.values(),
    "realtime.pipeline",
    "realtime.cli.batch",
    "realtime.output.exports",
    "train.data.prepare",
    "train.bench.damage.trial",
]

# each start also asks how the others' processes ended, which can be asked once: of two threads one would hear nothing, exit code 255
ASKING = threading.Lock()


@dataclass(frozen=True)
class Outcome:
    """How a command ended.

    Attributes:
        code: its exit code; negative: killed by this signal.
        memory: the most that it and its children held, MiB.
        said: its first words and its last.
    """

    code: int
    seconds: float
    memory: float
    said: str

    def wrong(self, fine: Sequence[int] | frozenset[int]) -> str:
        """What was not right with it, in a word; empty where all was."""
        if self.seconds >= SECONDS:
            return "hang"
        if self.memory >= MEMORY:
            return "memory"
        if self.code < 0:
            return "crash"
        if "Traceback (most recent call last)" in self.said:
            return "traceback"
        return "" if self.code in fine else "exit code"


def run(words: Sequence[str], folder: Path) -> Outcome:
    """A command in `folder`, with its event log there."""
    context = get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    said = folder / "said.txt"
    process = context.Process(target=_play, args=(COMMANDS[words[0]], tuple(words), str(folder), str(said)))
    begun, most = time.monotonic(), 0.0
    with ASKING:
        process.start()
    while not wait([process.sentinel], 0.05):
        most = max(most, memory(process.pid))
        if time.monotonic() - begun >= SECONDS or most >= MEMORY:
            break
    seconds = time.monotonic() - begun
    _end(process.pid)
    with ASKING:
        process.join()
    told = said.read_text("utf-8", "replace") if said.exists() else ""
    return Outcome(process.exitcode or 0, seconds, most, told[:2000] + told[2000:][-4000:])


def _play(module: str, words: tuple[str, ...], folder: str, said: str) -> None:
    """In the new process."""
    os.setsid()  # with all its children one group, which is ended together
    file = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(file, stream)
    os.chdir(folder)
    os.environ |= {"MER_LIVE_LOG": str(Path(folder) / "events.sqlite3"), "OMP_NUM_THREADS": "1"}
    sys.argv = list(words)
    sys.stdout, sys.stderr = (open(stream, "w", encoding="utf-8", closefd=False) for stream in (1, 2))
    import_module(module).main(list(words[1:]))


def _end(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, 9)


def play(case: Case) -> Outcome:
    """What hangs is tried once more: another program may have had the cores."""
    outcome = _once(case)
    return outcome if outcome.seconds < SECONDS else _once(case)


def _once(case: Case) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="mer-damage-") as place:
        folder = Path(place)
        for name, data in case.files.items():
            (folder / name).write_bytes(data)
        return run(case.command, folder)


def play_all(cases: Sequence[Callable[[], Case]], jobs: int) -> Iterator[tuple[int, Case, Outcome]]:
    """(number, case, outcome), as they end. cases: each makes its own only when it is its turn."""

    def one(number: int) -> tuple[int, Case, Outcome]:
        case = cases[number]()
        return number, case, play(case)

    with ThreadPoolExecutor(jobs) as pool:
        for job in as_completed([pool.submit(one, number) for number in range(len(cases))]):
            yield job.result()
