"""The standard set: the clips on which the spotter is measured, the same for everybody who has the portraits."""

from __future__ import annotations

import ast
import hashlib
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from realtime.errors import UsageError
from realtime.parallel import each
from realtime.records import Keyframes
from realtime.spotting import SpotterSettings
from train import synthesis
from train.bench.spotting.detect import Run, Truth, read_truth, spot
from train.bench.spotting.score import Clip
from train.synthesis.clip import make_set
from train.synthesis.conditions import PRESETS
from train.synthesis.people import nowhere
from train.synthesis.real_motion import maps_file

PEOPLE = 20
NAME = "spotting-standard"
FIRST = 110  # portraits before this one are for tuning and training; no figure is taken on them


@dataclass(frozen=True)
class Part:
    """One clip of each of some people: how fast, how long (seconds), under which conditions of `train.synthesis.conditions`.

    micro: how many micro-expressions a minute are wished for, where there are any; about a third finds room. skipped,
    people: which of the set's people.
    """

    name: str
    fps: int
    seconds: float
    conditions: str
    seed: int
    people: int = PEOPLE
    skipped: int = 0
    micro: float = 36.0


# 101,000 frames: what two cores render and watch within twenty minutes. 263 micro-expressions, and 63 harsh ones
PARTS = (
    Part("micro at 200", 200, 12, "all", 1, people=5),
    Part("micro at 100", 100, 13, "all", 2),
    Part("micro at 60", 60, 6.5, "all", 3),
    Part("micro at 30", 30, 22, "all", 4),
    Part("micro at 25", 25, 10, "all", 5),
    Part("none at 100", 100, 6, "no-micro", 6, people=10),
    Part("none at 30", 30, 16, "no-micro", 7),
    Part("speaking at 30", 30, 16, "speaking", 8),
    Part("harsh at 100", 100, 10, "harsh", 9, people=6, skipped=5),
    Part("harsh at 30", 30, 11, "harsh", 10),
)


def generate(folder: Path, portraits: Path, jobs: int = 2, done=None) -> list[Path]:
    """The set's folders, one for each part; what this very generator made already is kept. Raises UsageError without portraits."""
    if not portraits.is_dir():
        raise UsageError(nowhere(portraits))
    folders, made_by = [], generator()
    for part in PARTS:
        place = folder / part.name.replace(" ", "-")
        stamp, wanted = place / "made.json", {"first": FIRST, "generator": made_by, **asdict(part)}
        if not (stamp.exists() and json.loads(stamp.read_text()) == wanted):
            usual = PRESETS[part.conditions]
            conditions = replace(usual, micro=part.micro) if usual.micro else usual
            first, minutes = FIRST + part.skipped, part.seconds / 60
            make_set(place, portraits, part.people, minutes, part.fps, part.seed, conditions, first, jobs)
            stamp.write_text(json.dumps(wanted))
        folders.append(place)
        if done:
            done()
    return folders


def generator() -> str:
    """A word that changes with whatever decides what the clips show, but for the portraits."""
    digest = hashlib.sha256(str(maps_file().exists()).encode())
    for file in sorted(Path(synthesis.__file__).parent.glob("*.py")):
        if file.stem not in ("cli", "demo", "sheet"):
            digest.update(ast.dump(ast.parse(file.read_bytes())).encode())  # neither comments nor layout
    return digest.hexdigest()[:12]


def run(folders: list[Path], several: dict[str, SpotterSettings], jobs: int = 2, done=None) -> list[tuple[Path, Truth, dict[str, Run]]]:
    """Every clip of the folders through every spotter, in `jobs` processes: (folder, truth, runs), in order."""
    clips = [(folder, truth) for folder in folders for truth in read_truth(folder)]
    found: dict[Path, dict[str, Run]] = {}
    for clip, outcome in each(_measured, several, [folder / truth.name for folder, truth in clips], "processes", jobs):
        found[clip] = outcome
        if done:
            done()
    return [(folder, truth, found[folder / truth.name]) for folder, truth in clips]


def by_part(runs: list[tuple[Path, Truth, dict[str, Run]]], name: str) -> tuple[dict[str, list[Clip]], float]:
    """({part: clips with the detections of the spotter `name`}, its milliseconds a frame)."""
    clips: dict[str, list[Clip]] = {part.name: [] for part in PARTS}
    for folder, truth, outcome in runs:
        clips[folder.name.replace("-", " ")].append(truth.clip(outcome[name].found))
    spent = sum(outcome[name].spent_ms for _, _, outcome in runs)
    return clips, spent / max(sum(outcome[name].frames for _, _, outcome in runs), 1)


def _measured(several: dict[str, SpotterSettings], clip: Path) -> dict[str, Run]:
    os.environ["OMP_NUM_THREADS"] = "1"
    runs = spot(clip, several)
    for outcome in runs.values():
        # only the times travel back: a view's pixels would cost more than the whole run
        outcome.found = [(_without_pixels(keyframes), pts) for keyframes, pts in outcome.found]
    return runs


def _without_pixels(keyframes: Keyframes) -> Keyframes:
    return replace(keyframes, **{n: replace(getattr(keyframes, n), pixels=None, landmarks=None) for n in ("onset", "apex", "offset")})
