"""Is what a source gives good enough? A few seconds before a session: rate, size of the face, light, flicker, and what to do about each.

sampling = Sampling()
for frame in source:
    sampling.add(pipeline(frame))
for finding in sampling.findings(source.info, source.counts, pipeline.remarks): ...
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from realtime.judged import LEAST_WIDTH
from realtime.pipeline import Step
from realtime.sources import SourceCounts, SourceInfo

LOOK = 0.1  # seconds between two looks at the light: it costs more than the rest
SHORTEST_MS = 40  # of a micro-expression, by its definition (1/25 s)
UNEVEN = 0.5  # of a frame's time, by which one in twenty comes early or late
FEWER = 0.9  # of the announced rate
DROPPED = 0.01  # of all frames
GOOD_WIDTH = 100  # pixels: below, the aligned face is mostly made up of enlarged pixels
SEEN = 0.9  # of the frames
DARK, BRIGHT = 40, 215  # grey levels of a face in the mean
BLACK, BURNT = 5, 250  # grey levels that say nothing any more
MOST_CLIPPED = 0.05  # of a face
FLICKERS = "flickers"


@dataclass(frozen=True)
class Finding:
    """What was measured, in words.

    Attributes:
        what: "rate", "face", "light" or "flicker".
        advice: whole sentences: what it means and what to do; none where it is good.
    """

    what: str
    measured: str
    advice: tuple[str, ...] = ()


class Sampling:
    """`add(step)` after each frame, in order; then `findings`."""

    def __init__(self):
        self._pts = array("d")
        self._widths = array("d")  # of the largest face, where one was seen
        self._light: list[tuple[float, float, float]] = []  # mean brightness, share burnt out, share black
        self._next_look = -math.inf

    @property
    def seconds(self) -> float:
        """By the source's clock."""
        return self._pts[-1] - self._pts[0] if self._pts else 0.0

    def add(self, step: Step) -> None:
        self._pts.append(step.frame.pts)
        if not step.views:
            return
        left, top, right, bottom = step.views[0].box
        self._widths.append(right - left)
        if step.frame.pts >= self._next_look:
            self._next_look = step.frame.pts + LOOK
            face = step.frame.pixels[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
            if face.size:
                grey = cv2.cvtColor(face, cv2.COLOR_BGR2GRAY)
                self._light.append((float(grey.mean()), float((grey >= BURNT).mean()), float((grey <= BLACK).mean())))

    def findings(self, info: SourceInfo, counts: SourceCounts, remarks: Sequence[str] = ()) -> list[Finding]:
        """
        Args:
            remarks: of the pipeline, see `Pipeline.remarks`.
        """
        return [self._rate(info, counts), self._face(info), *self._lit(), _flicker(remarks)]

    @property
    def shortest_ms(self) -> int:
        """Movements that are over sooner fall between two frames: two frames' time, rounded to 10 ms."""
        return 10 * math.ceil(200 / self._fps - 0.1) if self._fps else 0

    @property
    def _fps(self) -> float:
        return (len(self._pts) - 1) / self.seconds if self.seconds else 0.0

    def _rate(self, info: SourceInfo, counts: SourceCounts) -> Finding:
        fps = self._fps
        if not fps:
            return Finding("rate", "a single frame", ("it gave no second frame: look at the camera's cable, or choose another one",))
        steps = np.diff(self._pts)
        usual = float(np.median(steps))
        uneven = float(np.quantile(np.abs(steps - usual), 0.95))
        busy = counts.dropped > DROPPED * counts.frames  # then what is uneven is our own doing
        came = (len(self._pts) + counts.dropped - 1) / self.seconds
        announced = f" ({info.fps:.4g} announced)" if info.fps else ""
        measured = f"{came:.1f} frames/s{announced}, " + ("not all taken" if busy else f"one each {1000 * usual:.1f} ms ± {1000 * uneven:.1f}")
        advice = []
        if busy:
            advice.append(
                f"this machine is too busy, {counts.dropped} of {counts.frames} frames were dropped: ask for a smaller picture or a lower rate"
            )
        elif uneven > UNEVEN * usual:
            advice.append("its frames come unevenly: use another USB port, and switch automatic exposure off")
        if info.fps and came < FEWER * info.fps:
            advice.append(
                f"{came:.0f} frames/s come where {info.fps:.4g} are announced: give it more light or a shorter exposure, or another USB port"
            )
        if self.shortest_ms > SHORTEST_MS:
            advice.append(f"{fps:.0f} frames/s: movements under {self.shortest_ms} ms will be missed")
        return Finding("rate", measured, tuple(advice))

    def _face(self, info: SourceInfo) -> Finding:
        share = len(self._widths) / max(len(self._pts), 1)
        if not share:
            return Finding(
                "face", "none", ("no face was found: check the light, the angle, and that the face is at least an eighth of the picture wide",)
            )
        width = float(np.median(self._widths))
        measured = f"in {math.floor(100 * share)} % of the frames, {width:.0f} pixels wide ({100 * width / info.width:.0f} % of the picture)"
        advice = []
        if share < SEEN:
            advice.append(f"the face is seen in {math.floor(100 * share)} % of the frames: keep it in the picture, turned to the camera")
        if width < GOOD_WIDTH:
            much = "come much nearer: nothing can be judged" if width < LEAST_WIDTH else "come nearer"
            advice.append(f"the face is {width:.0f} pixels wide: {much}, or use a larger picture")
        return Finding("face", measured, tuple(advice))

    def _lit(self) -> list[Finding]:
        if not self._light:
            return []
        level, burnt, black = np.median(self._light, axis=0)
        advice = []
        if level < DARK:
            advice.append(f"the face is dark (brightness {level:.0f} of 255): light it from the front")
        elif level > BRIGHT:
            advice.append(f"the face is too bright ({level:.0f} of 255): less light, or a shorter exposure")
        if burnt > MOST_CLIPPED and level <= BRIGHT:
            advice.append(f"{100 * burnt:.0f} % of the face is burnt out: softer light, or a shorter exposure")
        if black > MOST_CLIPPED and level >= DARK:
            advice.append(f"{100 * black:.0f} % of the face is black: light it from the front, not from one side")
        return [Finding("light", f"brightness {level:.0f} of 255, {100 * burnt:.0f} % burnt out, {100 * black:.0f} % black", tuple(advice))]


def _flicker(remarks: Sequence[str]) -> Finding:
    seen = tuple(remark for remark in remarks if FLICKERS in remark)
    return Finding("flicker", "seen" if seen else "none", seen)
