"""What was measured in every frame, a row a frame and face: frames.csv, and frames.parquet made of it.

Where OpenFace has a column of the same quantity, the name is its name.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from realtime.errors import MissingPartError
from realtime.face.facemesh.blendshapes import NAMES
from realtime.output.event_table import csv_head, csv_row
from realtime.output.line_file import LineFile
from realtime.pipeline import Step
from realtime.records import FaceView
from realtime.spotting import Reading

MEANINGS = {
    "frame": "Number of the picture in the recording or stream, from 0, dropped ones counted.",
    "timestamp": "When it was, seconds from the beginning.",
    "face_id": "Which face: 0 is the first that came into view; empty where no face was in view.",
    "success": "1 where a face was in view, else 0.",
    "confidence": "That it is a face, 0 to 1, by the landmark network; empty with faces.runner=mediapipe, which does not say.",
    "box_left": "Of the face, pixels from the picture's left edge.",
    "box_top": "Of the face, pixels from the picture's upper edge.",
    "box_right": "Of the face, pixels from the picture's left edge.",
    "box_bottom": "Of the face, pixels from the picture's upper edge.",
    "pose_Rx": "Head turned about the axis to the right (nodding), radians; the rotation is Rx·Ry·Rz.",
    "pose_Ry": "Head turned about the axis downwards (shaking), radians.",
    "pose_Rz": "Head turned about the axis away from the camera (tilting), radians.",
    "gaze_yaw": "Eyes turned in the head, to the picture's right, radians, mean of both; from the iris, an estimate.",
    "gaze_pitch": "Eyes turned in the head, downwards, radians, mean of both; an estimate.",
    "eye_opening": "Distance of the lids over the width of the eye, mean of both (open about 0.3, shut below 0.15).",
    "difference": "The spotter's curve: how far the face is from rest, multiples of the resting difference.",
    "threshold": "What the curve has to cross, in the same measure.",
    "gate": "Why nothing is judged at this moment: blink, motion or lost; empty where it is.",
    "speed": "Of the head, in distances between the outer eye corners a second.",
    "measured_at": "The picture, by its timestamp, in which confidence, pose, gaze, eye_opening and blendshapes were measured: between two "
    "such pictures the values are repeated, not interpolated.",
    **dict.fromkeys(NAMES, "How far this movement has gone, 0 to 1: MediaPipe's blendshape of this name."),
}
COLUMNS = tuple(MEANINGS)
# the columns that are curves over time, as people look for them
GROUPS = {
    "Head": ("pose_Rx", "pose_Ry", "pose_Rz", "speed", "box_left", "box_top", "box_right", "box_bottom", "confidence"),
    "Gaze and eyes": ("gaze_yaw", "gaze_pitch", "eye_opening"),
    "Curve": ("difference", "threshold"),
    "Blendshapes": NAMES,
}
CURVES = tuple(name for names in GROUPS.values() for name in names)
UNITS = {
    **dict.fromkeys(("pose_Rx", "pose_Ry", "pose_Rz", "gaze_yaw", "gaze_pitch"), "rad"),
    **dict.fromkeys(("box_left", "box_top", "box_right", "box_bottom"), "px"),
    "speed": "eye distances/s",
    "eye_opening": "of its width",
    "difference": "× rest",
    "threshold": "× rest",
}  # the others are shares, 0 to 1
DECIMALS = {"timestamp": 4, "measured_at": 4, "difference": 3, "threshold": 3, "speed": 3, "confidence": 3}  # all others have 4 digits


class FrameFile:
    """frames.csv, row by row while the stream goes on. `write(step)`, then `close()`.

    Raises:
        OutputError: it cannot be written.
    """

    def __init__(self, path: Path, separator: str = ",", kept: bool = False):
        """
        Args:
            separator: see `event_table.csv_row`.
            kept: see `LineFile`.
        """
        self.path, self._separator = path, separator
        self._file = LineFile(path, kept)
        self._file.write(csv_head(COLUMNS, separator))

    def write(self, step: Step) -> None:
        self._file.write("".join(csv_row(row, COLUMNS, self._separator) for row in rows(step)))

    def close(self) -> None:
        self._file.close()


def rows(step: Step) -> Iterator[dict]:
    """The rows of one frame: one for each face in view, or one without a face. What is not known is None."""
    if not step.views:
        yield {"frame": step.frame.index, "timestamp": step.frame.pts, "success": 0, "gate": "lost"}
    for view in step.views:
        yield {"frame": step.frame.index, "timestamp": step.frame.pts, "success": 1} | _row(view, step.readings[view.face])


def write_parquet(table: Path, path: Path, separator: str = ",") -> None:
    """frames.csv → Parquet, of the same columns.

    Raises:
        MissingPartError: it needs pyarrow.
    """
    try:
        from pyarrow import csv, parquet
    except ModuleNotFoundError as error:
        raise MissingPartError("Parquet needs pyarrow: pip install 'mer-live[parquet]', or take CSV") from error
    point = "," if separator == ";" else "."
    found = csv.read_csv(
        table, parse_options=csv.ParseOptions(delimiter=separator), convert_options=csv.ConvertOptions(strings_can_be_null=True, decimal_point=point)
    )
    parquet.write_table(found, path)


def _row(view: FaceView, reading: Reading) -> dict:
    row = {
        "face_id": view.face,
        **dict(zip(("box_left", "box_top", "box_right", "box_bottom"), view.box, strict=True)),
        "eye_opening": round(view.eye_opening, 4),
        "difference": reading.difference,
        "threshold": reading.threshold,
        "gate": reading.gate,
        "speed": view.motion,
    }
    if (found := view.measured) is not None:
        row |= {"confidence": found.confidence, "measured_at": found.pts, "eye_opening": found.eye_opening}
        row |= dict(zip(("pose_Rx", "pose_Ry", "pose_Rz", "gaze_yaw", "gaze_pitch"), (*found.pose.tolist(), *found.gaze.tolist()), strict=True))
        row |= dict(zip(NAMES, found.blendshapes.tolist(), strict=True))
    return {name: _rounded(name, value) for name, value in row.items()}


def _rounded(name: str, value):
    if not isinstance(value, float) or math.isnan(value):
        return value
    return round(value, DECIMALS.get(name, 4))
