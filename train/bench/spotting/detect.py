"""Runs the spotter over clips with known truth, as the live loop would, and holds what it said against the truth."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from realtime.face.tracker import FaceSettings, FaceTracker
from realtime.records import FaceView, Keyframes
from realtime.sources import open_source
from realtime.spotting import Spotter, SpotterSettings
from train.bench.spotting.score import MACRO, Clip, Interval


@dataclass
class Run:
    """One clip's detections by kind, and what the spotter cost: milliseconds a frame, landmarks excluded."""

    found: list[tuple[Keyframes, float]] = field(default_factory=list)
    frames: int = 0
    spent_ms: float = 0.0


def spot(path: Path, several: dict[str, SpotterSettings]) -> dict[str, Run]:
    """Run several spotters side by side over one clip's faces: {name: Run}. The faces are tracked once."""
    runs = {name: Run() for name in several}
    spotters = {name: Spotter(settings) for name, settings in several.items()}
    for pts, view in views(path):
        for name, spotter in spotters.items():
            begun = time.perf_counter()
            reading = spotter(view) if view is not None else spotter.lost()
            run = runs[name]
            run.spent_ms += (time.perf_counter() - begun) * 1000
            run.frames += 1
            if reading.keyframes:
                run.found.append((reading.keyframes, pts))
    for name, spotter in spotters.items():
        if keyframes := spotter.finish():
            runs[name].found.append((keyframes, keyframes.offset.pts))
    return runs


def views(path: Path) -> Iterable[tuple[float, FaceView | None]]:
    """(pts, the largest face or None) for every frame of a clip."""
    tracker = FaceTracker(FaceSettings())
    try:
        with open_source(path) as source:
            for frame in source:
                found = tracker(frame)
                yield frame.pts, found[0] if found else None
    finally:
        tracker.close()


@dataclass(frozen=True)
class Truth:
    """What a generated set says of one clip."""

    name: str
    subject: str
    fps: float
    seconds: float
    conditions: str
    micro: tuple[Interval, ...]
    macro: tuple[Interval, ...]
    nuisances: tuple[tuple[str, float, float], ...]

    def clip(self, found: list[tuple[Keyframes, float]]) -> Clip:
        """The micro-expressions of this clip beside the ones detected; what is said of a "long" one (quick to rise, slow to
        return: a micro-expression to some, none to others) is neither true nor false."""
        either = [(start, end) for kind, start, end in self.nuisances if kind == "long"]
        detected = tuple(
            Interval(k.onset.pts, k.apex.pts, k.offset.pts, k.confidence, known_at)
            for k, known_at in found
            if k.kind == "micro" and not any(start < k.apex.pts < end for start, end in either)
        )
        blamable = self.nuisances + tuple((MACRO, m.onset, m.offset) for m in self.macro)
        return Clip(self.name, self.subject, self.fps, self.seconds, self.conditions, self.micro, detected, blamable)


def read_truth(folder: Path) -> list[Truth]:
    """The clips of a folder that `mer-synth` made."""
    events, nuisances = _rows(folder / "truth.csv"), _rows(folder / "nuisances.csv")

    def intervals(name: str, kind: str) -> tuple[Interval, ...]:
        return tuple(_truth(row) for row in events if row["Filename"] == name and row["kind"] == kind)

    return [
        Truth(
            name=row["Filename"],
            subject=row["Subject"],
            fps=float(row["fps"]),
            seconds=float(row["duration_s"]),
            conditions=row["conditions"],
            micro=intervals(row["Filename"], "micro"),
            macro=intervals(row["Filename"], "macro"),
            nuisances=tuple((n["kind"], float(n["start_s"]), float(n["end_s"])) for n in nuisances if n["Filename"] == row["Filename"]),
        )
        for row in _rows(folder / "clips.csv")
    ]


def _truth(row: dict[str, str]) -> Interval:
    """A line of truth.csv; sets made before there was real motion lack the last four columns."""
    return Interval(
        float(row["onset_s"]),
        float(row["apex_s"]),
        float(row["offset_s"]),
        intensity=row["intensity"],
        motion=row.get("motion", ""),
        returned=float(row.get("returned") or "nan"),
        on_expression=row.get("on_expression") == "1",
        blink_inside=row.get("blink_inside") == "1",
    )


def _rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
