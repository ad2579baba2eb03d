"""What a person's baseline changes, on made clips of people that nothing was trained on: one at rest, who blinks and speaks, for the baseline; then others.

With and without: false alarms a minute, recall, F1, how soon the spotter is ready, and how much of the time is judged.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from realtime.parallel import each
from realtime.records import Keyframes
from realtime.spotting import Spotter, SpotterSettings
from realtime.spotting.baseline import Baseline, Learner
from train.bench.spotting.detect import read_truth, views
from train.bench.spotting.score import Clip, bootstrap, total
from train.bench.spotting.standard import FIRST, generator
from train.synthesis.clip import make_set
from train.synthesis.conditions import PRESETS

FPS, SEED = 30, 40
REST = "rest"
SECONDS = {REST: 30, "micro": 40, "none": 40}
CONDITIONS = {
    REST: PRESETS["no-micro"].without("macro", "long", "held"),
    "micro": replace(PRESETS["all"], micro=36.0),
    "none": PRESETS["no-micro"],
}
WAYS = ("without", "with")


@dataclass(frozen=True)
class Outcome:
    """Of one clip and one way. ready: seconds until the spotter could judge, NaN for never; judged: share of the frames with a threshold."""

    part: str
    way: str
    clip: Clip
    ready: float
    judged: float


@dataclass
class _Run:
    found: list[tuple[Keyframes, float]] = field(default_factory=list)
    ready: float = math.nan
    judged: int = 0
    frames: int = 0


def generate(folder: Path, portraits: Path, people: int, jobs: int) -> dict[str, Path]:
    """The clips, a folder for each of SECONDS; what this very generator has made already is kept."""
    made_by = generator()
    for number, (part, seconds) in enumerate(SECONDS.items()):
        place, wanted = folder / part, {"generator": made_by, "people": people, "seconds": seconds}
        stamp = place / "made.json"
        if not (stamp.exists() and json.loads(stamp.read_text()) == wanted):
            make_set(place, portraits, people, seconds / 60, FPS, SEED + number, CONDITIONS[part], FIRST, jobs)
            stamp.write_text(json.dumps(wanted))
    return {part: folder / part for part in SECONDS}


def measure(folders: dict[str, Path], settings: SpotterSettings, jobs: int, done=lambda: None) -> tuple[list[Outcome], list[Baseline]]:
    """Every person's clips, with the baseline of that person and without."""
    truths = {part: {truth.subject: truth for truth in read_truth(folder)} for part, folder in folders.items()}
    tasks = [(person, folders) for person in truths[REST]]
    found, learnt = [], []
    for _, (outcomes, baseline) in each(_person, settings, tasks, workers=jobs):
        found += outcomes
        learnt.append(baseline)
        done()
    return found, learnt


def _person(settings: SpotterSettings, task: tuple[str, dict[str, Path]]) -> tuple[list[Outcome], Baseline]:
    person, folders = task
    learner, outcomes = Learner(settings), []
    for part, folder in folders.items():
        truth = next(truth for truth in read_truth(folder) if truth.subject == person)
        path = folder / truth.name
        if part == REST:
            for _, view in views(path):
                learner(view)
            baseline = learner.baseline(person)
            continue
        runs = _spot(path, {"without": settings, "with": replace(settings, usual=baseline)})
        outcomes += [Outcome(part, way, truth.clip(run.found), run.ready, run.judged / max(1, run.frames)) for way, run in runs.items()]
    return outcomes, baseline


def _spot(path: Path, several: dict[str, SpotterSettings]) -> dict[str, _Run]:
    spotters, runs = {way: Spotter(settings) for way, settings in several.items()}, {way: _Run() for way in several}
    for pts, view in views(path):
        for way, spotter in spotters.items():
            reading, run = (spotter(view) if view is not None else spotter.lost()), runs[way]
            judged = math.isfinite(reading.threshold)
            run.frames, run.judged = run.frames + 1, run.judged + judged
            run.ready = pts if judged and math.isnan(run.ready) else run.ready
            if reading.keyframes:
                run.found.append((reading.keyframes, pts))
    return runs


def markdown(outcomes: list[Outcome], learnt: list[Baseline]) -> str:
    """Both ways side by side."""
    lines = ["| | baseline | true of | recall | precision | F1 (95 %) | false a minute (95 %) | ready after, median | judged |", "|---" * 9 + "|"]
    for part in SECONDS:
        for way in WAYS:
            mine = [one for one in outcomes if (one.part, one.way) == (part, way)]
            if not mine:
                continue
            clips = [one.clip for one in mine]
            whole, spread = total(clips), bootstrap(clips)
            low, high = spread["false_a_minute"]
            quality = ["", "", "", ""]
            if whole.true + whole.missed:
                f1 = f"{whole.f1:.2f} ({spread['f1'][0]:.2f}–{spread['f1'][1]:.2f})"
                quality = [f"{whole.true} of {whole.true + whole.missed}", f"{whole.recall:.2f}", f"{whole.precision:.2f}", f1]
            ready, judged = np.nanmedian([one.ready for one in mine]), np.mean([one.judged for one in mine])
            cells = [part, way, *quality, f"{whole.false_a_minute:.2f} ({low:.2f}–{high:.2f})", f"{ready:.2f} s", f"{100 * judged:.1f} %"]
            lines.append("| " + " | ".join(cells) + " |")
    raised = [one.confidence for one in learnt]
    lines += ["", f"{len(learnt)} people; reported from a probability of {min(raised):.2f} to {max(raised):.2f}, median {np.median(raised):.2f}."]
    return "\n".join(lines)
