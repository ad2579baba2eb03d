"""What a live page is told of a moment: in numbers, and in people's words where the program counts by its own names."""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from contextlib import suppress

import numpy as np

from realtime.pipeline import Pipeline, Step
from realtime.sources.base import FULL
from realtime.sources.browser import BEHIND, DAMAGED, NO_KEY
from realtime.spotting.lbp import regions
from realtime.watching import Watch

# why a movement was not reported: realtime/spotting
SET_ASIDE = {
    "blink": "blink",
    "motion": "head moved",
    "head": "head moved",
    "lost": "face was lost",
    "speech": "talking",
    "too small": "too small",
    "too short": "too short",
    "too long": "too long",
    "macro": "too long",
    "pictures lost": "pictures lost",
    "nothing": "no expression",
    "micro": "not sure enough",
}
REPORTED = ("spotted", "macro")  # what the spotter counts beside them
# why a picture was not looked at: realtime/sources; what the browser itself drops is named there (page/live/words.js)
MISSED = {FULL: "too busy", BEHIND: "too busy", NO_KEY: "waited for a whole picture", DAMAGED: "arrived damaged"}


def set_aside(movements: dict[str, int]) -> dict[str, int]:
    """Movements that were noticed and not reported, by why.

    Args:
        movements: as `Pipeline.counts`.
    """
    return _counted({cause: number for cause, number in movements.items() if cause not in REPORTED}, SET_ASIDE)


def missed(drops: dict[str, int]) -> dict[str, int]:
    """Pictures that were not looked at, by why.

    Args:
        drops: as `SourceCounts.drops`.
    """
    return _counted(drops, MISSED)


def listed(of: dict[str, int]) -> str:
    """As "3 too small, 1 blink"."""
    return ", ".join(f"{number} {words}" for words, number in of.items())


def _counted(of: dict[str, int], words: dict[str, str]) -> dict[str, int]:
    """The most frequent first; several causes may have the same words."""
    sums: Counter[str] = Counter()
    for cause, number in of.items():
        sums[words.get(cause, cause)] += number
    return {name: number for name, number in sums.most_common() if number}


LOST = "No face in view"
LEARNING = "Learning the resting face: hold still"
GATES = {"lost": LOST, "blink": "Blink: not judged", "motion": "Head moves: not judged"}
RECENT = 300  # frames, over which latencies are told


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
    """Id, box and regions of the first face, in the picture's pixels; "gate" and, for people, "words": why it is not judged."""
    if not step.views:
        return None
    view = step.views[0]
    quads = []
    for left, top, right, bottom in regions(view.landmarks):
        corners = np.float32([(left, top), (right, top), (right, bottom), (left, bottom)])
        if (quad := pipeline.in_image(view.face, corners)) is not None:
            quads.append(np.round(quad, 1).tolist())
    reading = step.readings[view.face]
    ready = math.isfinite(reading.threshold)
    words = GATES.get(reading.gate, "" if ready else LEARNING)
    return {"id": view.face, "box": view.box, "regions": quads, "gate": reading.gate, "ready": ready, "words": words}


def health(watch: Watch, rate: Rate, events: int) -> dict:
    """The figures of the strip below the picture; what was dropped or set aside by why, in words. Latencies in ms: [median, 95th percentile], or None."""
    source, pipeline, status = watch.source, watch.pipeline, watch.status
    counts, movements = source.counts, {}
    with suppress(RuntimeError):  # a face turned up while they were counted
        movements = dict(pipeline.counts)
    return {
        "fps_in": round(rate(counts.frames), 1),
        "fps_out": round(status.fps(), 1),
        "frames": status.frames,
        "drops": missed(counts.drops),
        "faults": counts.warnings,
        "gaps": len(counts.gaps),
        "latency_ms": percentiles(list(status.latencies)[-RECENT:]),
        "event_ms": percentiles(pipeline.timings.get("event", ())),
        "set_aside": set_aside(movements),
        "backend": pipeline.recognize.engines,
        "model": pipeline.recognize.name,
        "source": source.info.name,
        "size": [source.info.width, source.info.height],
        "judged": status.judged.as_dict(),
        "events": events,
    }


def percentiles(values) -> list[float] | None:
    """[median, 95th percentile], one decimal."""
    values = list(values)
    return [round(float(value), 1) for value in np.percentile(values, (50, 95))] if values else None


def number(value: float | None) -> float | None:
    return round(value, 4) if value is not None and math.isfinite(value) else None
