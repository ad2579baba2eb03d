"""What has just ended: a micro-expression, a macro-expression, a blink, speech, a head movement, or nothing.

A small network looks at the last second and a half of how each part of the face moved, many times a second. It was
trained on synthetic people (`train/verifier`), whose every movement is known.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from realtime.errors import ModelError
from realtime.networks import network
from realtime.spotting.movement import MIRRORED, NO_LIDS, PARTS, Sample

CLASSES = ("micro", "macro", "blink", "speech", "head", "nothing")
TIMES = ("onset", "apex", "offset")
RATE = 60.0  # looks at the face a second, whatever the source's frame rate
WINDOW = 96  # of them, 1.6 seconds
EVERY = 2  # looks from one question to the network to the next
CHANNELS = 2 * len(PARTS) + 6
AWAY = CHANNELS - 1  # the channel that says how far a face is from where it usually is
HOME_LOOKS = 15 * RATE  # over which the usual place of each part is averaged
KEPT_ANSWERS = 200  # more than the longest movement takes
SURE = 0.045  # seconds after a first suspicion in which a surer one may come


@dataclass(frozen=True)
class Found:
    """A micro-expression that has just ended: seconds in the source's clock, and its probability."""

    onset: float
    apex: float
    offset: float
    confidence: float


class Series:
    """The face's movement on an even grid of time, the last WINDOW looks.

    Channels: x then y of each part in hundredths of the outer-eye distance, log2 of the three regions' histogram
    differences, eye opening over its usual, head speed, and how far the part furthest from its usual place is: what
    moves away from there and what moves back look alike otherwise.
    """

    def __init__(self):
        self._seen: float = 0
        self._home: np.ndarray = np.zeros(2 * len(PARTS), np.float32)  # the usual places, and from how many looks
        self._columns: deque[np.ndarray] = deque(maxlen=WINDOW)
        self._last: tuple[float, np.ndarray] | None = None
        self.now = float("-inf")  # time of the latest column

    def push(self, sample: Sample, usual_eyes: float) -> int:
        """Take a moment in; returns how many columns it completed."""
        values = channels(sample, usual_eyes)
        if self._last is None:
            self._last, self.now = (sample.pts, values), sample.pts
            self._add(values)
            return 1
        (t, before), made = self._last, 0
        while self.now + 1 / RATE <= sample.pts:
            self.now += 1 / RATE
            share = (self.now - t) / (sample.pts - t)
            self._add(before + share * (values - before))
            made += 1
        self._last = sample.pts, values
        return made

    def _add(self, values: np.ndarray) -> None:
        places = values[: 2 * len(PARTS)]
        self._seen = min(self._seen + 1, HOME_LOOKS)
        self._home += (places - self._home) / self._seen
        away = np.linalg.norm((places - self._home).reshape(2, -1)[:, NO_LIDS], axis=0).max()
        self._columns.append(np.append(values, away))

    @property
    def full(self) -> bool:
        return len(self._columns) >= WINDOW // 2

    def window(self) -> np.ndarray:
        """(CHANNELS, WINDOW) float32; places are given against their median in the window."""
        columns = list(self._columns)
        columns = [columns[0]] * (WINDOW - len(columns)) + columns
        return centred(np.stack(columns, axis=1))


def channels(sample: Sample, usual_eyes: float) -> np.ndarray:
    """One moment as CHANNELS - 1 float32: all but the last, which takes a memory."""
    regions = np.log2(np.clip(np.nan_to_num(sample.by_region, nan=1.0), 0.25, 64))
    others = sample.eye_opening / max(usual_eyes, 1e-6), min(sample.motion, 3.0)
    return np.concatenate([100 * sample.moved[:, 0], 100 * sample.moved[:, 1], regions, others]).astype(np.float32)


def centred(window: np.ndarray) -> np.ndarray:
    """Places against their median over the window: …×CHANNELS×WINDOW."""
    places = slice(0, 2 * len(PARTS))
    window = np.array(window, np.float32)
    window[..., places, :] -= np.median(window[..., places, :], axis=-1, keepdims=True)
    return window


def mirrored(window: np.ndarray) -> np.ndarray:
    """The same movement in a mirror: …×CHANNELS×WINDOW."""
    parts = len(PARTS)
    x, y, rest = window[..., :parts, :], window[..., parts : 2 * parts, :], window[..., 2 * parts :, :]
    return np.concatenate([-x[..., MIRRORED, :], y[..., MIRRORED, :], rest[..., [1, 0, 2, 3, 4, 5], :]], axis=-2)


class Verifier:
    """The network: `verifier(window)` → ({class: probability}, seconds since (onset, apex, offset)).

    The times mean something where "micro" is probable.

    Raises:
        ModelError: the network cannot be had.
    """

    def __init__(self, name: str, engine: str = "auto"):
        self._network = network(name, engine)
        if self._network.classes != CLASSES:
            raise ModelError(f"{name} tells {', '.join(self._network.classes)}: expected a verifier of {', '.join(CLASSES)}")

    def __call__(self, window: np.ndarray) -> tuple[dict[str, float], np.ndarray]:
        """
        Args:
            window: CHANNELS×WINDOW float32, see `Series.window`.

        Returns:
            Probabilities in [0, 1] that sum to 1, and (3,) float32 seconds.
        """
        out = self._network({"window": np.ascontiguousarray(window[None])})
        return dict(zip(CLASSES, map(float, out), strict=False)), out[len(CLASSES) :]


class Suspicion:
    """From answers to events: the surest answer within SURE seconds of the first sure enough one."""

    def __init__(self, least: float):
        """
        Args:
            least: probability from which on a micro-expression is reported.
        """
        self._least = least
        self.best: Found | None = None  # so far
        self._first = self._ended = float("-inf")

    def consider(self, now: float, confidence: float, ago: np.ndarray) -> bool:
        """Whether this is the first suspicion of one.

        Args:
            now: seconds in the source's clock.
            confidence: probability in [0, 1].
            ago: (3,) float32, seconds from onset, apex and offset to `now`.
        """
        onset, apex, offset = (now - float(seconds) for seconds in ago)
        # what overlaps the last one that was reported is the same one
        if confidence < self._least or onset < self._ended - 0.05 or not onset < apex <= offset:
            return False
        if first := self.best is None:
            self._first = now
        if self.best is None or confidence > self.best.confidence:
            self.best = Found(onset, apex, offset, confidence)
        return first

    def settled(self, now: float) -> Found | None:
        if self.best is None or now - self._first < SURE:
            return None
        found, self.best = self.best, None
        self._ended = found.offset
        return found


class MicroDetector:
    """Asks the verifier about the stream of one anchored face, and says when a micro-expression has ended.

    Attributes:
        suspected: what seems to have ended since the moment before, and will be found soon, or a surer one in its place.
    """

    def __init__(self, verifier: Verifier, least: float):
        self._verify, self._suspicion = verifier, Suspicion(least)
        self.series = Series()
        self.suspected: Found | None = None
        self._looks = 0
        self._answers: deque[tuple[float, dict[str, float]]] = deque(maxlen=KEPT_ANSWERS)

    def during(self, begin: float, end: float) -> dict[str, float]:
        """Mean probability of each class over the answers between two moments; empty where nothing was asked."""
        asked = [scores for t, scores in self._answers if begin <= t <= end]
        return {name: float(np.mean([scores[name] for scores in asked])) for name in CLASSES} if asked else {}

    def __call__(self, sample: Sample, usual_eyes: float, off_rest: bool) -> Found | None:
        """
        Args:
            off_rest: whether the front end has noticed anything lately; the network is not asked about stillness.
        """
        self.suspected = None
        self._looks += self.series.push(sample, usual_eyes)
        if self._looks >= EVERY:
            self._looks = 0
            if off_rest and self.series.full:
                scores, ago = self._verify(self.series.window())
                self._answers.append((self.series.now, scores))
                if self._suspicion.consider(self.series.now, scores["micro"], ago):
                    self.suspected = self._suspicion.best
        return self._suspicion.settled(sample.pts)
