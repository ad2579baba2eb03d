"""Makes the demo clip: scripted micro-expressions on a public-domain portrait, with their truth in a CSV.

    python -m train.synthesis.demo [FOLDER] [--fps 50]

The portrait is NASA's of Eileen Collins (`realtime/assets/NOTICE.md`). The movements are synthetic; one of them, though, is how a
real person's face moved, for which the flow maps of MEGC2019 must be there (`train.synthesis.real_motion`).
"""

from __future__ import annotations

import csv
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import click
import cv2
import numpy as np

from realtime.cli.common import command
from realtime.errors import UsageError
from train.synthesis.action_units import SIDES
from train.synthesis.camera import Camera, VideoFile
from train.synthesis.conditions import CALM
from train.synthesis.course import Course
from train.synthesis.expressions import Expression, express
from train.synthesis.motions import Blink, Excursion, Happening
from train.synthesis.people import find_face
from train.synthesis.real_motion import maps_file, movements
from train.synthesis.render import Renderer
from train.synthesis.schedule import Plan, plan, scripted

SECONDS = 14.0
SIZE = (640, 480)  # width, height
SEED = 0

REAL = 315  # which of the real movements, by its number in the archive

# label, emotion, onset, apex, offset (seconds), units and their weights or which real movement, largest displacement
# (outer-eye distances), how much has returned at the offset
SCRIPT = [
    ("surprise", "surprise", 2.00, 2.16, 2.40, {1: 1.0, 2: 1.0, 26: 0.7}, 0.032, 1.0),
    ("positive", "happiness", 4.40, 4.56, 4.82, {6: 0.6, 12: 1.0}, 0.040, 1.0),
    ("negative", "disgust", 6.80, 6.94, 7.16, {4: 1.0, 9: 0.7}, 0.032, 1.0),
    ("negative", "sadness", 9.00, 9.18, 9.44, {15: 1.0, 17: 0.9, 4: 0.7}, 0.030, 0.1),
    ("surprise", "surprise", 11.60, 11.74, 11.94, REAL, 0.034, 1.0),
]
STAYS, GOES = 0.5, 1.2  # seconds: what has not returned stays for so long, and goes within so long
# what is no micro-expression, and must not be taken for one: two blinks, a slow turn of the head and back
BLINKS = (Blink(3.30, 0.08, 0.04, 0.12, (1.0, 1.0)), Blink(10.40, 0.07, 0.04, 0.12, (1.0, 1.0)))
TURN = Excursion("head", 5.25, 1.2, 5.95, 1.2, (0.015, 0.008, 0.6, 1.0, 0.5, 0.0))


def portrait() -> np.ndarray:
    """The bundled portrait at SIZE: 480×640×3 uint8 BGR."""
    encoded = np.frombuffer(files("realtime").joinpath("assets/astronaut.jpg").read_bytes(), np.uint8)
    return cv2.resize(cv2.imdecode(encoded, cv2.IMREAD_COLOR), SIZE, interpolation=cv2.INTER_CUBIC)


def script(fps: float) -> Plan:
    """The clip's plan: SCRIPT, BLINKS and TURN over the head's sway, seen by a fair webcam."""
    camera = Camera(crf=21, read_noise=1.5, shot_noise=0.05, fixed_pattern=0.2, shutter=0.4)
    events = tuple(
        Happening("micro", _expression(emotion, moved, size), onset, Course(apex - onset, 0.0, offset - apex, returned, STAYS, GOES))
        for _, emotion, onset, apex, offset, moved, size, returned in SCRIPT
    )
    made = scripted(plan(SEED, SECONDS, fps, CALM), events, (*BLINKS, TURN))
    return replace(made, camera=camera)


def _expression(emotion: str, moved: dict[int, float] | int, size: float) -> Expression:
    if isinstance(moved, dict):
        return express(emotion, moved, size)
    found = [m for m in movements(training=False) if m.number == moved]
    if not found:
        raise UsageError(f"no real movement {moved} at {maps_file()}: set MER_DATA to the folder of megc2019/ (train/README.md)")
    return Expression(emotion, tuple((found[0], side, size) for side in SIDES), "both", size)


def make(folder: Path, fps: float) -> None:
    """Write `demo.mp4` and its truth `demo.csv` into `folder`. Raises OutputError, and UsageError without the flow maps."""
    face, what = portrait(), script(fps)
    draw = Renderer(face, find_face(face), what, SIZE, framing=np.eye(2, 3))
    with VideoFile(folder / "demo.mp4", face.shape[:2], fps, what.camera.crf, preset="slow") as video:
        for index, t in enumerate(what.times):
            video.write(draw.frame(index), float(t))
    with open(folder / "demo.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["onset_s", "apex_s", "offset_s", "label", "action_units", "motion", "returned"])
        for (label, _, onset, apex, offset, moved, _, returned), event in zip(SCRIPT, what.events, strict=True):
            units = "+".join(str(unit) for unit in moved) if isinstance(moved, dict) else ""
            table.writerow([onset, apex, offset, label, units, event.expression.motion, returned])


@command("train.synthesis.demo")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default="realtime/assets")
@click.option("--fps", default=50, show_default=True, help="Frames a second.")
def main(folder: Path, fps: int):
    """Write the demo clip and its truth into FOLDER."""
    make(folder, fps)


if __name__ == "__main__":
    main()
