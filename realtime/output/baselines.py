"""Participants' baselines, a small file of numbers each, in a private folder beside the log: <log>.people/NAME.json. They hold no picture."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path

from engines.errors import notices
from realtime.errors import OutputError, UsageError
from realtime.names import file_name, printable
from realtime.output.exports.found import replace_bytes
from realtime.output.line_file import cannot_write
from realtime.output.log_schema import default_path
from realtime.spotting.settings import Baseline


def folder(log: Path | None = None) -> Path:
    log = log or default_path()
    return log.with_name(f"{log.name}.people")


def save(baseline: Baseline, log: Path | None = None) -> Path:
    """For its participant, instead of an earlier one; readable by this user alone.

    Raises:
        OutputError: it cannot be written.
        UsageError: the participant has no name.
    """
    path = _path(baseline.participant, log)
    row = asdict(baseline) | {"made_at": datetime.now(UTC).isoformat(timespec="seconds")}
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_bytes(path, json.dumps(row, ensure_ascii=False, indent=1).encode())
        path.chmod(0o600)
    except OSError as error:
        raise cannot_write(path, error) from error
    return path


def find(participant: str, log: Path | None = None) -> Baseline | None:
    """None where there is none, or none that can be read.

    Raises:
        UsageError: the participant has no name.
    """
    path = _path(participant, log)
    if not path.is_file():
        return None
    try:
        return _read(path)[0]
    except (OSError, ValueError, TypeError, KeyError) as error:
        notices.warning(f"the baseline '{path}' is damaged ({error}): it is not used; learn it again")
        return None


def listed(log: Path | None = None) -> list[tuple[Baseline, str]]:
    """(baseline, when it was made) of each participant, by name; damaged ones are passed over."""
    found = []
    for path in sorted(folder(log).glob("*.json")):
        try:
            found.append(_read(path))
        except (OSError, ValueError, TypeError, KeyError):
            notices.warning(f"the baseline '{path}' is damaged: it is passed over")
    return found


def delete(participant: str, log: Path | None = None) -> None:
    """
    Raises:
        UsageError: there is none.
        OutputError: it cannot be removed.
    """
    path = _path(participant, log)
    try:
        os.unlink(path)
    except FileNotFoundError:
        known = ", ".join(one.participant for one, _ in listed(log)) or "there is none at all"
        raise UsageError(f"there is no baseline of '{printable(participant)}': {known}") from None
    except OSError as error:
        raise OutputError(f"cannot remove '{path}': {error.strerror}") from error


def _path(participant: str, log: Path | None) -> Path:
    name = participant.strip()
    if not name:
        raise UsageError("a participant needs a name: --participant p03")
    return folder(log) / f"{file_name(name.replace('/', '-'))}.json"


def _read(path: Path) -> tuple[Baseline, str]:
    """And when it was made."""
    row = json.loads(path.read_text("utf-8"))
    if not isinstance(row, Mapping):
        raise ValueError("expected names and values")
    found = Baseline(**{one.name: row[one.name] for one in fields(Baseline)})
    numbers = [*found.floor, *found.change, found.threshold, found.calm, found.eyes, found.blink_drop, found.confidence]
    if not (isinstance(found.participant, str) and all(isinstance(one, int | float) and math.isfinite(one) and one > 0 for one in numbers)):
        raise ValueError("expected numbers above 0")
    return found, str(row.get("made_at", ""))
