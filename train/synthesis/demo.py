"""Makes the demo clip: scripted micro-expressions on a public-domain portrait, with their truth in a CSV.

    python -m train.synthesis.demo [FOLDER] [--fps 50]

The portrait is NASA's of Eileen Collins (`realtime/assets/NOTICE.md`). Every movement in the clip is synthetic.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import click
import cv2
import numpy as np

from train.synthesis.camera import Camera, VideoFile
from train.synthesis.conditions import CALM
from train.synthesis.course import Course
from train.synthesis.expressions import express
from train.synthesis.motions import Blink, Excursion, Happening
from train.synthesis.people import find_face
from train.synthesis.render import Renderer
from train.synthesis.schedule import Plan, plan, scripted

SECONDS = 14.0
SIZE = (640, 480)  # width, height
SEED = 0

# label, emotion, onset, apex, offset (seconds), units and their weights, largest displacement (outer-eye distances)
SCRIPT = [
    ("surprise", "surprise", 2.00, 2.16, 2.40, {1: 1.0, 2: 1.0, 26: 0.7}, 0.032),
    ("positive", "happiness", 4.40, 4.56, 4.82, {6: 0.6, 12: 1.0}, 0.040),
    ("negative", "disgust", 6.80, 6.94, 7.16, {4: 1.0, 9: 0.7}, 0.032),
    ("negative", "sadness", 9.00, 9.18, 9.44, {15: 1.0, 17: 0.9, 4: 0.7}, 0.030),
    ("surprise", "surprise", 11.60, 11.74, 11.94, {1: 1.0, 2: 1.0}, 0.034),
]
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
        Happening("micro", express(emotion, units, size), onset, Course(apex - onset, 0.0, offset - apex))
        for _, emotion, onset, apex, offset, units, size in SCRIPT
    )
    made = scripted(plan(SEED, SECONDS, fps, CALM), events, (*BLINKS, TURN))
    return replace(made, camera=camera)


def make(folder: Path, fps: float) -> None:
    """Write `demo.mp4` and its truth `demo.csv` into `folder`. Raises OutputError."""
    face, what = portrait(), script(fps)
    draw = Renderer(face, find_face(face), what, SIZE, framing=np.eye(2, 3))
    with VideoFile(folder / "demo.mp4", face.shape[:2], fps, what.camera.crf, preset="slow") as video:
        for index, t in enumerate(what.times):
            video.write(draw.frame(index), float(t))
    with open(folder / "demo.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["onset_s", "apex_s", "offset_s", "label", "action_units"])
        for label, _, onset, apex, offset, units, _ in SCRIPT:
            table.writerow([onset, apex, offset, label, "+".join(str(unit) for unit in units)])


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default="realtime/assets")
@click.option("--fps", default=50, show_default=True, help="Frames a second.")
def main(folder: Path, fps: int):
    """Write the demo clip and its truth into FOLDER."""
    make(folder, fps)


if __name__ == "__main__":
    main()
