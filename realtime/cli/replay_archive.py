"""`mer-replay --launcher ray`: an archive of recordings on a cluster, one clip a task.

The machines of the cluster must see the clips and the folder of results under the same paths as this one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rich.progress import Progress

from realtime.cli import common, terminal
from realtime.cli.batch import Batch
from realtime.cli.console import Console
from realtime.cli.replay_one import progress, replay
from realtime.cli.running import Totals, totals
from realtime.errors import MerError, OutputError
from realtime.names import printable
from realtime.naming.recognizer import Recognizer
from realtime.output.log import SqliteSink
from realtime.output.writer import Writer
from realtime.parallel import Failed, outcomes
from realtime.records import Event
from realtime.watching import LiveSettings


@dataclass(frozen=True)
class Outcome:
    """What one clip came to, as plain values.

    Attributes:
        faults: what could not be written.
        failure: why it broke off.
    """

    summary: str
    events: list[Event]
    totals: Totals
    faults: list[str]
    failure: MerError | None


def replay_all(
    jobs: list[tuple[Path, Path]],
    batch: Batch,
    chosen: LiveSettings,
    log: Writer,
    session: SqliteSink | None,
    bar: Progress,
) -> int:
    """Work through all clips; a failed one is tried once more. Returns the code of the first that failed for good."""
    shared = Path.cwd(), batch, chosen
    task = bar.add_task("clips", total=len(jobs))
    come_to = {}

    def failed(result) -> bool:
        return _failure(result) is not None

    for job, result in outcomes(one_clip, shared, jobs, "ray", again=failed):
        come_to[job] = result
        bar.advance(task)
        if isinstance(result, Outcome):
            bar.console.print(result.summary)
            for event in result.events:
                log.write(event)
    for (clip, name), result in come_to.items():
        if isinstance(result, Failed):  # others have left their record themselves
            batch.failed(clip, name, str(result.error).strip().splitlines()[-1])
    results = [(clip, come_to[clip, name]) for clip, name in jobs]
    if session:
        whole = Totals()
        for _, result in results:
            if isinstance(result, Outcome):
                whole.add(result.totals)
        session.finish(**vars(whole))
    log.close()
    return _report(results) or log.exit_code


def one_clip(shared: tuple[Path, Batch, LiveSettings], job: tuple[Path, Path]) -> Outcome:
    """On a worker.

    Raises:
        SourceError: the clip cannot be opened.
        OutputError: nothing can be written.
    """
    (here, batch, chosen), (clip, name) = shared, job
    try:
        os.chdir(here)  # names are then the same as in a local run
    except OSError as error:
        raise OutputError(f"a machine of the cluster does not see {here}: it must share this folder") from error
    events = _Collected()
    writers: list = []
    bar = progress(Console(quiet=True))
    recognizer = _recognizer(chosen.network, chosen.engine)
    watch = replay(clip, name, batch, chosen, recognizer, events, writers, bar)
    faults = [fault.message for writer in writers for fault in writer.faults]
    return Outcome(terminal.summary(watch.account).plain, events, totals([watch.account], writers), faults, watch.failure)


class _Collected(list):
    """Stands where a local run has the event log."""

    write = list.append


@lru_cache(maxsize=1)
def _recognizer(network: str, engine: str) -> Recognizer:
    """Loaded once a worker."""
    return Recognizer(network, engine)


def _failure(result: Outcome | Failed) -> Exception | None:
    if isinstance(result, Failed):
        return result.error
    return result.failure or (OutputError(result.faults[0]) if result.faults else None)


def _report(results: list[tuple[Path, Outcome | Failed]]) -> int:
    """List the clips that failed twice. A defect of ours is said with its traceback."""
    failed = [(clip, failure) for clip, result in results if (failure := _failure(result)) is not None]
    if failed:
        common.complain("mer-replay")(f"{len(failed)} of {len(results)} clips failed, each was tried twice:")
    for clip, failure in failed:
        why, name = printable(str(failure).strip().splitlines()[-1]), printable(clip)
        common.complain("mer-replay")(why if name in why else f"{name}: {why}")
    for clip, failure in failed:
        if not isinstance(failure, MerError):
            common.told("mer-replay", failure, printable(clip))
    return next((getattr(failure, "exit_code", MerError.exit_code) for _, failure in failed), 0)
