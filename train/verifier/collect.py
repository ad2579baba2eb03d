"""What the verifier learns from: the movement series of clips with known truth, as the live loop makes them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from realtime.spotting import Spotter, SpotterSettings
from realtime.spotting.verify import CLASSES, RATE, Found, MicroDetector
from train.bench.spotting.detect import Truth, views

ENDED = (0.03, 0.12)  # seconds after an offset during which "it has just ended" is true
AT = 0.075  # seconds before now that speech and head movements are looked for
KINDS = {"blink": "blink", "head": "head", "nod": "head", **dict.fromkeys(("speech", "swallow", "tongue", "jaw"), "speech")}
UNTOLD = -1  # the label of moments that teach nothing: a "long" one rises like a micro-expression and is none
UNSURE = 0.03  # seconds before and after that during which either answer would do
# the same, wider: where a face that does not come back stops moving is no sharp moment
WIDE_ENDED, WIDE_UNSURE = (0.02, 0.16), (0.14, 0.24)


@dataclass(frozen=True, eq=False)
class Recording:
    """One clip's series: columns T×CHANNELS float32 at the times t (T), and each moment's answer.

    label: T int64, index into CLASSES, or UNTOLD. since: T×3, seconds since onset, apex and offset where the label is micro.
    begins: T, the index at which the anchored stretch of each column began (no window reaches over it).
    """

    columns: np.ndarray
    t: np.ndarray
    begins: np.ndarray
    label: np.ndarray
    since: np.ndarray


class _Listener(MicroDetector):
    """Keeps every column of every series; asks no network."""

    kept: list[tuple[int, float, np.ndarray]]

    def __init__(self, stretch: int, kept: list):
        super().__init__(None, 1.0)
        self._stretch, self.kept = stretch, kept

    def __call__(self, sample, usual_eyes, off_rest) -> Found | None:
        made = self.series.push(sample, usual_eyes)
        for column, back in zip(list(self.series._columns)[-made:] if made else [], range(made - 1, -1, -1), strict=True):
            self.kept.append((self._stretch, self.series.now - back / RATE, column))
        return None


def record(clip: Path, truth: Truth) -> Recording | None:
    """The series of one clip; None where no face was followed."""
    kept: list[tuple[int, float, np.ndarray]] = []
    spotter = Spotter(SpotterSettings(verifier=None), detector=lambda: _Listener(len({s for s, _, _ in kept}), kept))
    for _, view in views(clip):
        spotter(view) if view is not None else spotter.lost()
    if not kept:
        return None
    stretch = np.array([s for s, _, _ in kept])
    begins = np.searchsorted(stretch, stretch, side="left")
    t = np.array([at for _, at, _ in kept])
    label, since = answers(t, truth)
    return Recording(np.array([c for _, _, c in kept], np.float32), t, begins, label, since)


def answers(t: np.ndarray, truth: Truth) -> tuple[np.ndarray, np.ndarray]:
    """(label, since) at the times `t` (N seconds), N int64 and N×3 float32, see `Recording`. What is named first wins: micro, macro, blink, speech, head."""
    label = np.full(len(t), CLASSES.index("nothing"), np.int64)
    since = np.zeros((len(t), 3), np.float32)

    def mark(name: str, where: np.ndarray) -> None:
        label[where] = CLASSES.index(name)

    for name in ("head", "speech"):
        for kind, start, end in truth.nuisances:
            if KINDS.get(kind) == name:
                mark(name, (t - AT > start) & (t - AT < end))
    for kind, start, end in truth.nuisances:
        if kind == "blink":
            mark("blink", _ended(t, end))
        elif kind == "long":
            label[(t > start) & (t <= end + ENDED[1])] = UNTOLD
    for event in truth.macro:
        mark("macro", _ended(t, event.offset))
    for event in truth.micro:
        label[_ended(t, event.offset, UNSURE)] = UNTOLD
    for event in truth.micro:
        where = _ended(t, event.offset)
        mark("micro", where)
        since[where] = t[where, None] - np.array([[event.onset, event.apex, event.offset]])
    return label, since


def _ended(t: np.ndarray, end: float, beside: float = 0.0, ended: tuple[float, float] = ENDED) -> np.ndarray:
    return (t - end >= ended[0] - beside) & (t - end <= ended[1] + beside)


def widened(truths: np.ndarray, recording: Recording) -> Recording:
    """The recording with WIDE_ENDED. truths: its micro-expressions, N×3 seconds (onset, apex, offset)."""
    label, since = recording.label.copy(), recording.since.copy()
    begin, end = WIDE_ENDED
    after = recording.t[:, None] - np.reshape(truths, (-1, 3))[:, 2]
    label[((after >= begin - WIDE_UNSURE[0]) & (after <= end + WIDE_UNSURE[1])).any(1)] = UNTOLD
    for truth in truths:
        where = _ended(recording.t, truth[2], ended=WIDE_ENDED)
        label[where] = CLASSES.index("micro")
        since[where] = recording.t[where, None] - truth
    return replace(recording, label=label, since=since)
