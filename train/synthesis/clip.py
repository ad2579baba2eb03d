"""Plans → files: clips with their truth, and whole sets of people.

OUT/<clip>.mp4, <clip>.png   the clip (true capture times) and its contact sheet
OUT/truth.csv                each expression, in CASME II's columns and in seconds
OUT/nuisances.csv            each blink, burst of speech, head movement, …
OUT/clips.csv                each clip's camera and conditions
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from realtime.errors import OutputError, SourceError, UsageError
from realtime.parallel import each
from train.synthesis import real_motion, sheet
from train.synthesis.camera import VideoFile
from train.synthesis.conditions import ALL, Conditions
from train.synthesis.people import Person, load, portraits
from train.synthesis.render import Renderer
from train.synthesis.schedule import Plan, plan

# the first seven are CASME II's own; seconds are in the file's own clock, its first frame at 0
TRUTH = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units", "Estimated Emotion"]
TRUTH += ["kind", "onset_s", "apex_s", "offset_s", "intensity", "side", "disturbed"]
TRUTH += ["motion", "returned", "on_expression", "blink_inside"]
NUISANCES = ["Filename", "Subject", "kind", "start_s", "end_s"]
CLIPS = ["Filename", "Subject", "fps", "duration_s", "frames", "seed", "crf", "face_px", "conditions"]


@dataclass
class Rows:
    """What the three tables say: one dict for each row, by column."""

    truth: list[dict] = field(default_factory=list)
    nuisances: list[dict] = field(default_factory=list)
    clips: list[dict] = field(default_factory=list)

    def extend(self, other: Rows) -> None:
        self.truth += other.truth
        self.nuisances += other.nuisances
        self.clips += other.clips

    def write(self, folder: Path) -> None:
        """Write the tables into `folder`, replacing those there. Raises OutputError."""
        for name, columns, rows in (("truth", TRUTH, self.truth), ("nuisances", NUISANCES, self.nuisances), ("clips", CLIPS, self.clips)):
            try:
                with open(folder / f"{name}.csv", "w", newline="") as file:
                    table = csv.DictWriter(file, columns)
                    table.writeheader()
                    table.writerows(rows)
            except OSError as error:
                raise OutputError(f"cannot write '{folder / name}.csv' ({error}): choose another folder") from error


def write_clip(
    folder: Path,
    name: str,
    person: Person,
    plan: Plan,
    tell: Callable[[int], None] = lambda frames: None,
    contact_sheet: bool = True,
) -> Rows:
    """Write `<name>.mp4` and its contact sheet `<name>.png` into `folder`; returns the rows of its truth.

    `tell` is called now and then with how many frames were written since. Raises OutputError.
    """
    draw = Renderer(person.portrait, person.landmarks, plan)
    told = 0
    with VideoFile(Path(folder) / f"{name}.mp4", (draw.size[1], draw.size[0]), plan.fps, plan.camera.crf, gop=plan.camera.gop) as video:
        for index, t in enumerate(plan.times):
            video.write(draw.frame(index), float(t))
            if index - told >= 50:
                tell(index - told)
                told = index
    tell(len(plan.times) - told)
    if contact_sheet:
        cv2.imwrite(str(Path(folder) / f"{name}.png"), sheet.draw(draw))
    return rows(name, person.name, plan, draw.face.width)


def rows(name: str, subject: str, plan: Plan, face_px: float) -> Rows:
    """The truth of a clip as table rows."""
    filename, made = f"{name}.mp4", Rows()

    def frame(t: float) -> int:
        return int(np.abs(plan.times - t).argmin())

    for event in plan.events:
        values = [subject, filename, frame(event.onset), frame(event.apex), frame(event.offset)]
        values += [event.expression.text, event.expression.emotion, event.kind]
        values += [f"{t:.4f}" for t in (event.onset, event.apex, event.offset)]
        values += [event.expression.intensity, event.expression.side, int(event.disturbed)]
        values += [event.expression.motion, f"{event.returned:.2f}", int(plan.on_expression(event)), int(plan.blink_inside(event))]
        made.truth.append(dict(zip(TRUTH, values, strict=True)))
    for kind, start, end in plan.intervals():
        values = [filename, subject, kind, f"{start:.4f}", f"{end:.4f}"]
        made.nuisances.append(dict(zip(NUISANCES, values, strict=True)))
    values = [filename, subject, f"{plan.fps:g}", f"{plan.times[-1]:.4f}", len(plan.times), plan.seed]
    values += [plan.camera.crf, round(face_px), plan.conditions.text]
    made.clips.append(dict(zip(CLIPS, values, strict=True)))
    return made


def make_set(
    out: Path | str,
    portraits_folder: Path | str,
    people: int,
    minutes: float,
    fps: float,
    seed: int,
    conditions: Conditions = ALL,
    first: int = 0,
    jobs: int | None = None,
    tell: Callable[[int], None] = lambda frames: None,
    say: Callable[[str], None] = lambda line: None,
) -> Rows:
    """One clip of `minutes` for each of `people` portraits from the `first` on; writes the tables, returns their rows.

    A person's plan depends on `seed` and on the portrait's place in the folder only. jobs: processes, by default one
    for each core. tell: frames written since the last call. say: one line on each portrait that is skipped.
    Raises SourceError where there are too few portraits with a face, OutputError, UsageError.
    """
    if people < 1 or minutes <= 0 or fps <= 0 or first < 0:
        raise UsageError(f"people {people}, minutes {minutes:g}, fps {fps:g}: expected 1 or more, above 0, above 0")
    out, paths = Path(out), portraits(Path(portraits_folder))
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make '{out}' ({error}): choose another folder") from error
    chosen: list[tuple[int, Person]] = []
    for place, path in enumerate(paths):
        if place < first or len(chosen) == people:
            continue
        person, why = load(path)
        if person is None:
            say(why)
        else:
            chosen.append((place, person))
    if len(chosen) < people:
        raise SourceError(
            f"{len(chosen)} usable portraits in '{portraits_folder}' from number {first} on, "
            f"{people} needed: ask for fewer people or clips, or add portraits"
        )
    if conditions.real and not real_motion.movements(training=first < real_motion.HELD_OUT_FROM):
        say(f"no flow maps of real movements at {real_motion.maps_file()} (MER_DATA names the folder above): action units alone")
    shared = out, minutes, fps, seed, conditions
    found = {place: rows for (place, _), rows in each(_one, shared, chosen, workers=jobs, tell=lambda task, frames: tell(frames))}
    made = Rows()
    for place, _ in chosen:
        made.extend(found[place])
    made.write(out)
    return made


def _one(shared: tuple, task: tuple[int, Person], tell: Callable[[int], None]) -> Rows:
    (out, minutes, fps, seed, conditions), (place, person) = shared, task
    cv2.setNumThreads(1)
    number = int(np.random.default_rng([seed, place]).integers(2**31))
    made = plan(number, 60 * minutes, fps, conditions, real_motion.deck(place, seed))
    return write_clip(out, f"{person.name}_{fps:g}fps_s{seed}", person, made, tell)
