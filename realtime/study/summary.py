"""What a study came to: a row for each recording, and rates by condition and participant, with how long anything could be seen."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from realtime import __version__
from realtime.cli.batch import RECORD
from realtime.errors import UsageError
from realtime.judged import NO_FACE
from realtime.sources.checks import pictures_in
from realtime.study import FACTS, Study

FIRST = (*FACTS, "recording", "recording_s", "face", "judged", "judged_s", "micro", "macro", "micro_a_minute")


@dataclass
class Told:
    """Of one or several recordings.

    Attributes:
        seconds: how long.
        seen: seconds with a face in view.
        judged: seconds in which a movement would have been noticed.
        labels: of micro-expressions.
    """

    facts: dict[str, str]
    recording: str = ""
    seconds: float = 0.0
    seen: float = 0.0
    judged: float = 0.0
    micro: int = 0
    macro: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    failure: str = ""
    recordings: int = 1

    def __add__(self, other: Told) -> Told:
        sums = {name: getattr(self, name) + getattr(other, name) for name in ("seconds", "seen", "judged", "micro", "macro", "labels", "recordings")}
        return Told(self.facts, "", **sums)

    def a_minute(self, count: int) -> float | None:
        return round(60 * count / self.judged, 2) if self.judged else None

    def row(self, labels: Iterable[str]) -> dict:
        share = {name: round(value / self.seconds, 3) if self.seconds else None for name, value in (("face", self.seen), ("judged", self.judged))}
        return {
            **self.facts,
            "recording": self.recording,
            "recordings": self.recordings,
            "recording_s": round(self.seconds, 1),
            **share,
            "judged_s": round(self.judged, 1),
            "micro": self.micro,
            "macro": self.macro,
            "micro_a_minute": self.a_minute(self.micro),
            **{label: self.labels[label] for label in labels},
            **{f"{label}_a_minute": self.a_minute(self.labels[label]) for label in labels},
            "failure": self.failure,
        }


def tell(study: Study) -> list[Told]:
    """A `Told` for each recording of the study's table, in its order.

    Raises:
        UsageError: it names none.
    """
    if not study.recordings:
        raise UsageError(f"{study.table} names no recordings: mer-study add {study.folder} RECORDING…")
    folders = _folders(study)
    return [_told(study, one, folders.get(str(study.place(one)))) for one in study.recordings]


def grouped(told: Sequence[Told], by: Callable[[Told], tuple[str, ...]]) -> list[Told]:
    """Summed over those for which `by` says the same, in its order. What failed is left out."""
    groups: defaultdict[tuple[str, ...], list[Told]] = defaultdict(list)
    for one in told:
        if not one.failure:
            groups[by(one)].append(one)
    return [sum(some[1:], some[0]) for _, some in sorted(groups.items())]


def columns(labels: Sequence[str], before: Sequence[str], after: Sequence[str] = ()) -> list[str]:
    return [*before, *FIRST[4:], *labels, *(f"{label}_a_minute" for label in labels), *after]


def labels_of(told: Iterable[Told]) -> list[str]:
    return sorted({label for one in told for label in one.labels})


def provenance(study: Study) -> list[dict]:
    """Of each result what it was made from and with: the recording's SHA-256, the settings and their digest, the version."""
    folders, found = _folders(study), []
    for one in study.recordings:
        place, folder = study.place(one), folders.get(str(study.place(one)))
        record = json.loads((folder / RECORD).read_text("utf-8")) if folder else {}
        settings = json.dumps(record.get("wanted", {}).get("settings"), sort_keys=True)
        found.append(
            {
                "recording": one.path,
                "sha256": _digest(place),
                "results": folder.relative_to(study.folder).as_posix() if folder else None,
                "settings_sha256": hashlib.sha256(settings.encode()).hexdigest(),
                "settings": json.loads(settings),
                "mer_live": __version__,
            }
        )
    return found


def _told(study: Study, recording, folder: Path | None) -> Told:
    told = Told({name: getattr(recording, name) for name in FACTS}, recording.path)
    if folder is None:
        told.failure = f"not worked through yet: mer-study run {study.folder}"
        return told
    record = json.loads((folder / RECORD).read_text("utf-8"))
    judged = record.get("judged") or {}
    told.failure = record.get("failure") or ""
    told.seconds = judged.get("seconds", 0.0)
    told.judged = judged.get("share", 0.0) * told.seconds
    told.seen = told.seconds - judged.get("not_judged", {}).get(NO_FACE, 0.0)
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text("utf-8").splitlines()] if (folder / "events.jsonl").exists() else []
    told.micro, told.macro = (sum(event["kind"] == kind for event in events) for kind in ("micro", "macro"))
    told.labels = Counter(event["label"] for event in events if event["kind"] == "micro")
    return told


def _folders(study: Study) -> dict[str, Path]:
    """Where a recording lies → its folder of results."""
    found = {}
    for path in sorted(study.results.rglob(RECORD)):
        try:
            found[json.loads(path.read_text("utf-8"))["path"]] = path.parent
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found


def _digest(path: Path) -> str | None:
    """Of a file, or of all pictures in a folder one after another."""
    whole = hashlib.sha256()
    try:
        for part in pictures_in(path) if path.is_dir() else [path]:
            with open(part, "rb") as file:
                while chunk := file.read(2**20):
                    whole.update(chunk)
        return whole.hexdigest()
    except OSError:  # gone
        return None
