"""What of a log can be believed: rows that are whole, and sessions that still run.

Whether one runs is asked of its process where that can be, else told by its last sign of life.
"""

from __future__ import annotations

import json
import math
import os
import platform
import uuid
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

from engines.errors import notices
from realtime.records import Marker

BEAT_S = 10.0  # between two signs of life
SILENT_S = 60.0  # without one: whoever should have given it is gone; several beats, since a disk may be slow
_TOKEN = uuid.uuid4().hex[:8]  # a container's next process may have the same number as its last
EMPTY: dict[str, list | dict] = {"sources": [], "settings": {}, "drops": {}, "faults": {}, "files": {}, "judged": {}}  # of a session, in JSON
TEXTS = ("source", "label", "kind", "model")
NUMBERS = ("onset_s", "apex_s", "offset_s")  # without these an event is none
SAID = ("reviewer", "verdict", "source", "label", "kind", "action_units", "note", "at")  # of a review
VERDICTS = ("accepted", "corrected", "rejected", "added")
BEGINNING = datetime.fromtimestamp(0, UTC).isoformat()  # of a session whose own is not known


def whole_session(row: dict) -> dict:
    """The row with its JSON read, each field of its type; what cannot be read is empty. files: None where there are none."""
    whole, told = row | {name: _json(row.get(name), empty) for name, empty in EMPTY.items()}, []
    if row.get("files") is None:
        whole["files"] = None
    spoilt = {name for name in EMPTY if row.get(name) and (whole[name] is None or not _plain(name, whole[name]))}
    told += sorted(spoilt)
    whole |= {name: EMPTY[name] for name in spoilt}
    for name, needed in (("started_at", BEGINNING), ("ended_at", None), ("alive_at", None)):
        if (row.get(name) or needed) and not _moment(row.get(name)):
            whole[name] = needed
            told.append(name)
    for name in ("model", "version", "incomplete", "process"):
        if row.get(name) is not None and not isinstance(row[name], str):
            whole[name] = str(row[name])
            told.append(name)
    if row.get("process") is not None and not _process(whole["process"]):
        whole["process"] = None
        told.append("process")
    if not isinstance(row["frames"], int | None):
        whole["frames"] = None
        told.append("frames")
    if told:
        notices.warning(f"session {row['id']} of the event log is damaged ({', '.join(told)}): the rest of it is shown")
    return whole


def whole_events(rows: Iterable[dict]) -> list[dict]:
    """Events with their scores read, without those whose times, face or number cannot be; rows carry their session."""
    whole, damaged, skipped = [], 0, 0
    for row in rows:
        scores = _json(row["scores"], {})
        if not (all(_number(row[name]) for name in NUMBERS) and all(isinstance(row[name], int) for name in ("event", "face"))):
            skipped += 1
            continue
        fine = scores is not None and _plain("scores", scores)
        mended = {"scores": scores if fine else {}}
        mended |= {name: str(row[name]) for name in TEXTS if not isinstance(row[name], str)}
        mended |= {name: 0.0 for name in ("confidence", "latency_ms") if not _number(row[name])}
        if row.get("utc") is not None and not _moment(row["utc"]):
            mended["utc"] = None
        units = _json(row.get("unit_confidences"), {})
        if units is None or not _plain("scores", units):
            units, fine = {}, False
        if row.get("unit_confidences") is not None:
            mended |= {"unit_confidences": units, "estimated_units": "+".join(units)}
        damaged += not fine or len(mended.keys() - {"unit_confidences", "estimated_units"}) > 1
        whole.append(row | mended)
    if damaged or skipped:
        notices.warning(f"damaged events in the event log: {skipped} left out, {damaged} shown in part")
    return whole


def whole_markers(rows: Iterable[dict]) -> list[Marker]:
    """Those whose time and words can be read."""
    rows = list(rows)
    whole = [Marker(**row) for row in rows if _number(row["time_s"]) and all(isinstance(row[name], str) for name in ("source", "label", "stream"))]
    if len(whole) < len(rows):
        notices.warning(f"damaged markers in the event log: {len(rows) - len(whole)} left out")
    return whole


def whole_reviews(rows: Iterable[dict]) -> list[dict]:
    """Reviews of which every field is of its type; what another one stands in is left out."""
    whole, skipped = [], []
    for row in rows:
        fine = all(_number(row[name]) for name in NUMBERS) and all(isinstance(row[name], str) for name in SAID)
        fine &= all(isinstance(row[name], int | None) for name in ("event_id", "missed")) and isinstance(row["face"], int)
        fine &= (row["event_id"] is None) != (row["missed"] is None) and row["verdict"] in VERDICTS
        fine &= _moment(row["at"]) and (row["undone_at"] is None or _moment(row["undone_at"]))
        if fine:
            whole.append(row)
        else:
            skipped.append(str(row["id"]))
    if skipped:
        notices.warning(f"damaged reviews in the event log, left out: row{'s' * (len(skipped) > 1)} {', '.join(skipped)}")
    return whole


def whole_people(session: int, rows: Iterable[tuple]) -> dict[str, str]:
    """Source → the participant's name, without the rows that hold no text."""
    rows = list(rows)
    whole = {source: subject for source, subject in rows if isinstance(source, str) and isinstance(subject, str)}
    if len(whole) < len(rows):
        notices.warning(f"damaged names of participants in session {session} of the event log: {len(rows) - len(whole)} left out")
    return whole


def _json(text, empty):
    """The value, `empty` where there is no text, None where it is no JSON or of another type."""
    if not text:
        return type(empty)()
    with suppress(ValueError, TypeError, RecursionError):
        value = json.loads(text)
        if isinstance(value, type(empty)):
            return value
    return None


def _plain(name: str, value) -> bool:
    if name == "sources":
        return all(isinstance(one, str) for one in value)
    if name == "files":
        return all(isinstance(one, str) for one in value.values())
    if name in ("drops", "faults", "scores"):
        return all(_number(one) for one in value.values())
    if name == "judged":
        return all(
            isinstance(one, dict)
            and _number(one.get("seconds"))
            and _number(one.get("share"))
            and isinstance(one.get("not_judged"), dict)
            and all(map(_number, one["not_judged"].values()))
            for one in value.values()
        )
    return True


def _number(value) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _moment(value) -> bool:
    with suppress(ValueError, TypeError):
        return datetime.fromisoformat(value).tzinfo is not None
    return False


def _process(value: str) -> bool:
    parts = value.split(":")
    return len(parts) > 1 and parts[1].isdecimal() and len(parts[1]) < 10


def myself() -> str:
    """This process: "machine:number:token". The machine is a digest, since logs are passed on, and another one after each
    start, since numbers are given anew then."""
    boot = ""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
    return f"{blake2b((platform.node() + boot).encode(), digest_size=4).hexdigest()}:{os.getpid()}:{_TOKEN}"


def runs(process: str | None, alive_at: str | None) -> bool:
    """Whether a session still runs.

    Args:
        process: as `myself` said it.
        alive_at: its last sign of life, ISO 8601. Both None in logs of older versions.
    """
    if process is None or alive_at is None:
        return False
    silent = (datetime.now(UTC) - datetime.fromisoformat(alive_at)).total_seconds()
    here, there = myself().split(":"), process.split(":")
    if there == here:
        return True
    if silent > SILENT_S or there[:2] == here[:2]:
        return False
    return there[0] != here[0] or _exists(int(there[1]))


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True
