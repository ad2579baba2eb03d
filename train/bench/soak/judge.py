"""What ought to have been found, and what was: in the log, in the file, at the webhook, on the page."""

from __future__ import annotations

import json
import re
import signal
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from realtime.output.log import Log
from train.bench.soak.films import Truth, truth
from train.bench.soak.page import sessions
from train.bench.soak.run import LEAD, Soak
from train.bench.soak.schedule import MINUTE, VISIT_AT

REST_S = 2.6  # before a movement, undisturbed: a second of rest, and the 1.6 s that the verifier looks at
KNOWN_S = 1.0  # after its end: by then it is known, named and written
ENDED = 128 + signal.SIGTERM  # what a shell calls it: it was told to end, and did so in order
NEAR_S = 0.1  # what an event's edges may differ by
NUMBER = re.compile(r"\d+(\.\d+)?")


@dataclass
class Found:
    """Counts, and the words for what was not right.

    Attributes:
        ought: movements that nothing disturbed.
        once: of them, those with one row in the log.
        rows: events in the log.
        wrong: a line each.
    """

    ought: int = 0
    once: int = 0
    rows: int = 0
    wrong: list[str] = field(default_factory=list)


def judge(soak: Soak, minutes: int) -> tuple[Found, Found]:
    """(the program's, the page's)."""
    log = Log(soak.log)
    of_page = sessions(log)
    of_program = sorted({session["id"] for session in log.sessions()} - set(of_page))
    moves, disturbed = truth(soak.seconds), [*soak.course.source, *soak.camera.held, *soak.camera.spoilt]
    program, page = Found(), Found()
    if len(of_program) != len(soak.lives):
        program.wrong.append(f"{len(of_program)} sessions in the log of {len(soak.lives)} starts")
    for number, (life, session) in enumerate(zip(soak.lives, of_program, strict=False)):
        rows = log.events(session)
        program.rows += len(rows)
        last = number == len(soak.lives) - 1
        told = _lines(life.child.folder / "found.jsonl")
        _differ(program, f"start {number + 1}: the file", Counter(map(_key, rows)), Counter(map(_key, filter(_final, told))), 0 if last else 1)
        ended = {row["event"] for row in told if _final(row) or row.get("withdrawn")}
        if last and (left := {row["event"] for row in told} - ended):
            program.wrong.append(f"neither confirmed nor withdrawn: events {sorted(left)}")
        _told(program, life.child.said(), len(soak.course.struck))
        for visit in range(minutes):
            if any(visit in other.slates for other in soak.lives if other is not life) or (visit not in life.slates and not last):
                continue  # another life's
            begin = life.slates.get(visit, float("nan")) + LEAD
            _visit(program, f"minute {visit}", rows, moves, visit * MINUTE + VISIT_AT, begin, disturbed, visit * MINUTE + VISIT_AT - LEAD)
    if soak.lives[-1].code != ENDED:
        program.wrong.append(f"mer-live ended with exit code {soak.lives[-1].code}, expected {ENDED}")
    posted = Counter(_key(row) for row in soak.receiver.posted if _final(row))
    written = Counter(_key(row) for row in log.events() if row["session"] in set(of_program))
    _differ(program, "the webhook", written, posted, len(soak.lives) - 1)
    _pages(page, soak, log, of_page, moves)
    return program, page


def _visit(found: Found, name: str, rows: list[dict], moves: list[Truth], at: float, begin: float, disturbed: Iterable[float], since: float) -> None:
    """
    Args:
        rows: of the log.
        at: simulated seconds at which the clip begins.
        begin: the same in the rows' time.
        since: simulated seconds from which on the two go together.
    """
    for move in moves:
        calm_from, calm_to = min(since, at + move.onset - REST_S), at + move.offset + KNOWN_S
        if any(calm_from - REST_S < moment < calm_to for moment in disturbed):
            continue
        found.ought += 1
        there = [row for row in rows if row["onset_s"] - NEAR_S < begin + move.apex < row["offset_s"] + NEAR_S]
        found.once += len(there) == 1
        if len(there) != 1:
            found.wrong.append(f"{name}: the movement at {move.apex:g} s of the clip is {len(there)} times in the log")


def _pages(found: Found, soak: Soak, log: Log, sessions: list[int], moves: list[Truth]) -> None:
    if len(sessions) != len(soak.opened):
        found.wrong.append(f"{len(sessions)} sessions in the log of {len(soak.opened)} times that the page was opened")
    for opened, session in zip(soak.opened, sessions, strict=False):
        rows, shown = log.events(session), opened.page.shown
        found.rows += len(rows)
        missing = Counter(_key(one.event) for one in shown) - Counter(map(_key, rows))
        found.wrong += [f"the page was told of {number} events that are not in the log"] if (number := missing.total()) else []
        begin = opened.at // MINUTE * MINUTE + VISIT_AT
        shift = shown[0].ended - shown[0].event["offset_s"] if shown else float("nan")
        seen = [move for move in moves if begin + move.onset - REST_S > opened.at and begin + move.offset + KNOWN_S < opened.left]
        _visit(found, f"the page, {opened.at:.0f} s", rows, seen, begin, begin - shift, [*soak.course.page, *opened.page.held], begin)


def _differ(found: Found, what: str, rows: Counter, others: Counter, spare: int) -> None:
    """spare: events that a killed program may have given to one and not yet to the other."""
    more, less = (others - rows).total(), (rows - others).total()
    if more + less > spare:
        found.wrong.append(f"{what} has {more} events that the log has not, and lacks {less}")


def _told(found: Found, lines: list[str], faults: int) -> None:
    """A line for people comes at most as often as something happened."""
    repeated = Counter(NUMBER.sub("N", line) for line in lines if line.startswith("mer-live:"))
    found.wrong += [f"said {times} times of {faults} faults: {line}" for line, times in repeated.items() if times > max(1, faults)]
    found.wrong += [f"said: {line}" for line in lines if line.startswith("Traceback")]


def _key(row: dict) -> tuple:
    return row["event"], row["onset_s"], row["apex_s"], row["offset_s"], row["label"]


def _final(row: dict) -> bool:
    """Not one that was told at its apex and may be withdrawn."""
    return row.get("provisional") is not True


def _lines(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
