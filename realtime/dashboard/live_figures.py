"""What a live page is told of a moment, in numbers."""

from __future__ import annotations

import math
import time
from collections import deque

import numpy as np

from realtime.lbp import regions
from realtime.pipeline import Pipeline, Step


class Rate:
    """Frames a second, from a count that is looked at now and then."""

    def __init__(self):
        self._looks: deque[tuple[float, int]] = deque(maxlen=8)

    def __call__(self, count: int) -> float:
        now = time.monotonic()
        self._looks.append((now, count))
        then, before = self._looks[0]
        return (count - before) / (now - then) if now - then > 0.2 else 0.0


def face_of(pipeline: Pipeline, step: Step) -> dict | None:
    """Box and regions of the first face, in the picture's pixels, and why it is not judged, if so."""
    if not step.views:
        return None
    view = step.views[0]
    quads = []
    for left, top, right, bottom in regions(view.landmarks):
        corners = np.float32([(left, top), (right, top), (right, bottom), (left, bottom)])
        if (quad := pipeline.in_image(view.face, corners)) is not None:
            quads.append(np.round(quad, 1).tolist())
    reading = step.readings[view.face]
    return {"box": view.box, "regions": quads, "gate": reading.gate, "ready": math.isfinite(reading.threshold)}


def percentiles(values) -> list[float] | None:
    """[median, 95th percentile], one decimal."""
    values = list(values)
    return [round(float(value), 1) for value in np.percentile(values, (50, 95))] if values else None


def number(value: float | None) -> float | None:
    return round(value, 4) if value is not None and math.isfinite(value) else None
