"""More streams than one process can follow, shared out to several: Python runs one thread of a process at a time.

    watches = watch_elsewhere(["rtsp://…", "rtsp://…", …], False, settings, stack)
    watches[0].hand_over = print         # gets each event, also those told at their apex
    watches[0].run()                     # as `Watch.run`

A process opens, follows and names its streams; events come over at once, `Account`s twice a second, pictures never.
"""

from __future__ import annotations

import signal
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from typing import Self

from engines.errors import notices, on_notice
from engines.flow.cpu import cores
from realtime import heap
from realtime.errors import BrokenSourceError, MerError
from realtime.naming.recognizer import Recognizer
from realtime.origin import spawning
from realtime.parallel.local import ignored
from realtime.records import Event, Keyframes
from realtime.sources import Source, open_source
from realtime.watching import Account, LiveSettings, Watch, pipeline_of, side_by_side

TOGETHER = 4  # streams of 30 frames/s that one process follows with ease
EVERY_S = 0.5  # between two accounts
PATIENCE = 10.0  # seconds for a process to end once it was told to
ENDINGS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

Spec = int | str


def shares(specs: Sequence[Spec]) -> list[list[Spec]]:
    """What each process gets, in order: one for every TOGETHER streams, but no more than there are cores."""
    number = max(1, min(cores(), -(-len(specs) // TOGETHER)))
    edges = [len(specs) * part // number for part in range(number + 1)]
    return [list(specs[begin:end]) for begin, end in zip(edges, edges[1:])]


def watch_elsewhere(specs: Sequence[Spec], as_live: bool, chosen: LiveSettings, stack: ExitStack) -> list[WatchElsewhere]:
    """All sources opened, each in its process, ready to be watched.

    Args:
        stack: ends the processes.

    Raises:
        MerError: one cannot be opened, or the network cannot be had.
    """
    processes = [stack.enter_context(_Process(share, as_live, chosen)) for share in shares(specs)]
    return [watch for process in processes for watch in process.opened()]


@dataclass(frozen=True)
class _Last:
    """A watch has ended with this account."""

    account: Account


class WatchElsewhere:
    """What `Watch` is here, of a source that another process watches.

    Attributes:
        account: the latest.
        hand_over: called for each event, in order, from a thread of its own; also for provisional ones.
    """

    def __init__(self, account: Account, tell: Callable[[bool], None]):
        """
        Args:
            tell: the process is told to run it, or to stop it.
        """
        self.account = account
        self.hand_over: Callable[[Event], None] = lambda event: None
        self.ended = threading.Event()
        self._tell = tell

    def run(self) -> None:
        """Returns when all is done; never raises, see `Account.error`."""
        self._tell(True)
        self.ended.wait()

    def stop(self) -> None:
        self._tell(False)


class _Process:
    """One process, and the watches in it."""

    def __init__(self, specs: list[Spec], as_live: bool, chosen: LiveSettings):
        context = spawning()
        self._pipe, theirs = context.Pipe()
        self._guard = threading.Lock()
        self._watches: list[WatchElsewhere] = []
        self._reader = threading.Thread(target=self._read, name="watches elsewhere", daemon=True)
        self._child = context.Process(target=_work, args=(theirs, specs, as_live, chosen), daemon=True)
        with ignored(*ENDINGS):  # they are for the parent, which ends its streams in order
            self._child.start()
        theirs.close()

    def opened(self) -> list[WatchElsewhere]:
        """Waits for it."""
        try:
            while isinstance(answer := self._pipe.recv(), tuple):
                self._take(*answer)
        except (EOFError, OSError):
            raise MerError(f"a process for streams ended before they were open: {self._how()}") from None
        if isinstance(answer, Exception):
            raise answer
        self._watches = [WatchElsewhere(account, partial(self._tell, number)) for number, account in enumerate(answer)]
        self._reader.start()
        return self._watches

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tell(None)
        if self._watches:
            self._reader.join(PATIENCE)  # until it has nothing more to say
        self._child.kill()
        self._child.join()
        self._pipe.close()

    def _tell(self, number: int | None, run: bool = False) -> None:
        with self._guard, suppress(OSError):  # one that is gone
            self._pipe.send((number, run))

    def _read(self) -> None:
        with suppress(EOFError, OSError):
            while True:
                self._take(*self._pipe.recv())
        for watch in self._watches:
            if not watch.ended.is_set():
                watch.account.error = BrokenSourceError(f"the process that watched {watch.account.name} is gone: {self._how()}")
                watch.account.state = "ended"
                watch.ended.set()

    def _take(self, number: int, what: Event | Account | _Last | str) -> None:
        if isinstance(what, str):
            return notices.warning(what)
        watch = self._watches[number]
        if isinstance(what, Event):
            watch.hand_over(what)
        elif isinstance(what, _Last):
            watch.account = what.account
            watch.ended.set()
        elif not watch.ended.is_set():  # one that was taken before the last may be sent after it
            watch.account = what

    def _how(self) -> str:
        self._child.join(PATIENCE)
        code = self._child.exitcode
        if code is not None and code < 0:
            return f"killed by {signal.Signals(-code).name} (out of memory?)"
        return f"exit code {code}"


def _work(pipe: Connection, specs: list[Spec], as_live: bool, chosen: LiveSettings) -> None:
    """In the process, until the parent says so or is no more."""
    heap.bound()
    guard = threading.Lock()

    def send(number: int, what: object) -> None:
        with guard, suppress(OSError):
            pipe.send((number, what))

    with on_notice(partial(send, 0)), ExitStack() as stack:
        try:
            network = Recognizer(chosen.network, chosen.engine)
            sources = [stack.enter_context(open_source(spec, as_live=as_live, settings=chosen.source)) for spec in specs]
            watches = [_watch(source, chosen, network, partial(send, number)) for number, source in enumerate(sources)]
        except MerError as error:
            return pipe.send(error)
        heap.settle()
        with guard:
            pipe.send([watch.account for watch in watches])
        threads = side_by_side([partial(_run, watch, partial(send, number)) for number, watch in enumerate(watches)])
        with suppress(EOFError, OSError):
            while True:
                if pipe.poll(EVERY_S):
                    number, run = pipe.recv()
                    if number is None:
                        break
                    if not run:
                        watches[number].stop()
                    elif threads[number].ident is None:
                        threads[number].start()
                    continue
                for number, watch in enumerate(watches):
                    if threads[number].is_alive():
                        send(number, _account(watch))
        for watch in watches:
            watch.stop()
        for thread in threads:
            if thread.ident is not None:
                thread.join(PATIENCE)


def _watch(source: Source, chosen: LiveSettings, network: Recognizer, tell: Callable[[object], None]) -> Watch:
    def hand_over(event: Event, _: Keyframes) -> None:
        tell(event)

    return Watch(source, pipeline_of(source, chosen, network), hand_over, on_provisional=hand_over)


def _run(watch: Watch, tell: Callable[[object], None]) -> None:
    watch.run()
    tell(_Last(_account(watch)))


def _account(watch: Watch) -> Account:
    """Fit to travel, which a defect of ours may not be."""
    account = watch.account
    if account.error is not None and not isinstance(account.error, MerError):
        steps = "".join(traceback.format_exception(account.error, limit=-3))
        account.error = RuntimeError(f"{type(account.error).__name__}: {account.error}")
        account.error.add_note(steps)
    return account
