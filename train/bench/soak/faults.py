"""What each fault does: one function each, to the camera, to the program's processes from outside, or to what lies around them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

from realtime.output.log import Log
from realtime.output.log_health import BEAT_S
from train.bench.soak.page import sessions
from train.bench.soak.schedule import Fault

if TYPE_CHECKING:
    from train.bench.soak.run import Soak

STALL_S, SHORT_STALL_S, AWAY_S = 5.6, 0.5, 0.3  # of the wall's clock: the source is given up after 5 s (run.py)
SETTLED_S = 0.3  # the same, for what is known to be named and written before the program is killed
DAY, JUMPS = 86_400.0, (5.0, 3600.0)  # seconds
STARVED = 0.5  # of the memory that a decoder has, what it may have


def stall(soak: Soak, fault: Fault) -> None:
    time.sleep(STALL_S if fault.draw < 0.5 else SHORT_STALL_S)


def death(soak: Soak, fault: Fault) -> None:
    soak.camera.die(AWAY_S)


def other_film(soak: Soak, fault: Fault) -> None:
    soak.camera.film = soak.films[fault.kind]

    def back() -> None:
        soak.camera.film = soak.films["usual"]
        soak.course.source.append(soak.camera.at)
        soak.course.page.append(soak.camera.at)

    soak.until_visited(fault, back)


def jump(soak: Soak, fault: Fault) -> None:
    soak.camera.jump(JUMPS[fault.draw < 0.5])


def disk(soak: Soak, fault: Fault) -> None:
    child = soak.lives[-1].child
    child.limit_files(0)
    soak.until_visited(fault, lambda: child.limit_files(psutil.RLIM_INFINITY))


def lock(soak: Soak, fault: Fault) -> None:
    connection = sqlite3.connect(soak.log, timeout=10.0, isolation_level=None)
    with suppress(sqlite3.Error):
        connection.execute("BEGIN IMMEDIATE")
    soak.until_visited(fault, connection.close)


def decoder(soak: Soak, fault: Fault) -> None:
    for one in _decoders(soak):
        with suppress(psutil.Error):
            one.kill()


def memory(soak: Soak, fault: Fault) -> None:
    for one in _decoders(soak):
        with suppress(psutil.Error, OSError):
            less = int(STARVED * one.memory_info().vms)
            one.rlimit(psutil.RLIMIT_AS, (less, less))
    soak.camera.starved = True  # it goes on until it asks for more, which may be minutes


def gpu(soak: Soak, fault: Fault) -> None:
    child = soak.lives[-1].child
    child.wish("lose")
    soak.until_visited(fault, lambda: child.wish("back"))


def page(soak: Soak, fault: Fault) -> None:
    if soak.page:
        if _waited_for_its_number(soak):
            soak.course.source.append(fault.at)  # mer-live's camera has waited, too
        soak.page.leave()
        soak.opened[-1].left = fault.at
        soak.open_page(fault.at)


def clock(soak: Soak, fault: Fault) -> None:
    soak.lives[-1].child.wish("clock", (2 * fault.draw - 1) * DAY)


def kill(soak: Soak, fault: Fault) -> None:
    recent = [one for one in soak.course.struck[-2:] if one.kind in ("disk", "lock")]
    time.sleep(BEAT_S + 1 if recent else SETTLED_S)  # what waits in memory is tried again at each beat
    soak.hear()
    soak.lives[-1].child.kill()
    soak.start(fault.at)


STRIKES: dict[str, Callable[[Soak, Fault], None]] = {
    "stall": stall,
    "death": death,
    "size": other_film,
    "rate": other_film,
    "pixels": other_film,
    "jump": jump,
    "disk": disk,
    "lock": lock,
    "decoder": decoder,
    "gpu": gpu,
    "page": page,
    "clock": clock,
    "memory": memory,
    "kill": kill,
}


def spare_decoders(soak: Soak) -> None:
    """What stands in for a full disk holds for files in memory, too, where decoders put pictures; a full disk does not."""
    for one in soak.lives[-1].child.decoders():
        with suppress(psutil.Error, OSError):
            one.rlimit(psutil.RLIMIT_FSIZE, (psutil.RLIM_INFINITY,) * 2)


def _waited_for_its_number(soak: Soak) -> bool:
    """Whose page it was is told by the order of the sessions: one that found the log locked gets its number at the next beat at the latest."""
    begun = time.monotonic()
    while len(sessions(Log(soak.log))) < len(soak.opened) and time.monotonic() < begun + BEAT_S + 1:
        time.sleep(0.05)
    return time.monotonic() > begun + SHORT_STALL_S


def _decoders(soak: Soak) -> list[psutil.Process]:
    return soak.lives[-1].child.decoders() + (soak.server.decoders() if soak.page else [])
