"""The nouns of the stream, in the order in which they come to be: Frame → FaceView → Keyframes → Event.

Times are seconds in the source's own clock, never frame counts: webcams slow down in the dark, recordings are
variable-rate, research cameras run at 200 frames a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from realtime.face.measures import Measured

BETWEEN = 16  # views of a whole movement that are kept, at most
UNSURE = "unsure"  # the label of an event that the network abstains from naming


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture from a source.

    Attributes:
        pixels: H×W×3 uint8, BGR, values in [0, 255].
        index: place in the stream, counting dropped frames too.
        pts: presentation time, seconds in the source's own clock; strictly increasing within a source.
        arrival: when the picture reached this program, `time.monotonic()` seconds.
    """

    pixels: np.ndarray
    index: int
    pts: float
    arrival: float

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[2] != 3 or self.pixels.dtype != np.uint8:
            raise ValueError(f"a frame is H×W×3 uint8 BGR, got {self.pixels.shape} {self.pixels.dtype}")


@dataclass(frozen=True, eq=False)
class FaceView:
    """One tracked face in one frame, with head translation, rotation and scale taken out.

    Attributes:
        face: id, stable while the face stays in view.
        anchor: number of the alignment this view belongs to. Views of one anchor can be compared pixel by pixel.
        pixels: ALIGNED×ALIGNED×3 uint8 BGR, eyes level (`realtime.face.geometry`).
        landmarks: 478×2 float32, MediaPipe's face mesh in aligned pixels, from the latest landmark run.
        box: (left, top, right, bottom) of the face in image pixels.
        motion: speed of the head since the frame before, in inter-ocular distances a second.
        eye_opening: lid distance over eye width, mean of both eyes, from the latest landmark run (open about 0.3, shut <
            0.15).
        measured: from the latest landmark run, where that is asked for (`realtime.face.measures`).
    """

    face: int
    anchor: int
    index: int
    pts: float
    arrival: float
    pixels: np.ndarray
    landmarks: np.ndarray
    box: tuple[int, int, int, int]
    motion: float
    eye_opening: float
    measured: Measured | None = None


@dataclass(frozen=True, eq=False)
class Keyframes:
    """A spotted movement: the views that the recognizer needs.

    Attributes:
        between: up to BETWEEN views, evenly spaced from onset to offset, both included; a long movement has the three only.
        peak: the difference curve at the apex, multiples of the resting difference.
        threshold: what it crossed, in the same measure.
        kind: "micro" or "macro".
        confidence: probability in [0, 1] that it is one, by the spotter's verifier.
        early: of one that was told at its apex, and of the event that it became: its number, from 1 on for each face.
    """

    onset: FaceView
    apex: FaceView
    offset: FaceView
    peak: float
    threshold: float
    kind: str = "micro"
    confidence: float = 1.0
    between: tuple[FaceView, ...] = ()
    early: int | None = None


def evenly(many: list[Any], most: int = BETWEEN) -> list[Any]:
    """`most` of them at most, evenly spaced, the first and the last included."""
    places = np.linspace(0, len(many) - 1, min(len(many), most)).round().astype(int)
    return [many[place] for place in places]


@dataclass(frozen=True, eq=False)
class Moments:
    """What a network is asked about: the views that matter of one movement, all of one anchor.

    Attributes:
        onset: ALIGNED×ALIGNED×3 uint8 BGR, see `FaceView`.
        apex: ALIGNED×ALIGNED×3 uint8 BGR, see `FaceView`.
        offset: ALIGNED×ALIGNED×3 uint8 BGR, see `FaceView`.
        points: 68×2 float32, the 68-point landmarks of the onset in the views' pixels.
        between: K views like these, evenly spaced from onset to offset, both included; None where only the three are at
            hand.
    """

    onset: np.ndarray
    apex: np.ndarray
    offset: np.ndarray
    points: np.ndarray
    between: Sequence[np.ndarray] | None = None


@dataclass(frozen=True)
class Event:
    """A recognized expression, as it is written to files and logs.

    Attributes:
        label: the likeliest class, or UNSURE where the network is not sure enough to name one, or knows micro-expressions
            only.
        onset_s: seconds in the source's own clock.
        apex_s: seconds in the source's own clock.
        offset_s: seconds in the source's own clock.
        scores: probability of each class, summing to 1.
        latency_ms: from the arrival of the offset frame to the event.
        kind: see `Keyframes`.
        confidence: see `Keyframes`.
        utc: when the apex arrived, ISO 8601 with milliseconds; None for a recording, whose pictures are not of now.
        provisional: True of one that was told at its apex and may still turn out to be none: its offset is the latest moment seen, its
            confidence what the verifier says so far, its latency counts from the apex's arrival. False of an event that was told so
            before, under the same number. None of any other.
        withdrawn: of a provisional one, that it has turned out to be none.
        units: estimated action units as FACS writes them ("4", "L12"), in its order → confidence in [0, 1]; {} where none was
            seen, None where nothing was estimated.
    """

    event: int
    source: str
    face: int
    onset_s: float
    apex_s: float
    offset_s: float
    label: str
    scores: dict[str, float] = field(hash=False)
    model: str
    latency_ms: float
    kind: str = "micro"
    confidence: float = 1.0
    utc: str | None = None
    units: dict[str, float] | None = field(default=None, hash=False)
    provisional: bool | None = None
    withdrawn: bool = False

    @property
    def final(self) -> bool:
        """Whether it is an event for good."""
        return not self.provisional

    @property
    def estimated_units(self) -> str:
        """As FACS writes it: "4+L12"; empty where none was seen, or nothing estimated."""
        return "+".join(self.units or {})

    @property
    def score(self) -> float:
        """Probability of the likeliest class."""
        return max(self.scores.values(), default=float("nan"))

    def as_dict(self) -> dict[str, Any]:
        """The event line: field by field, rounded to what was measured (milliseconds, two decimals of a score); estimated units and utc
        where they are known."""
        return {
            "event": self.event,
            "source": self.source,
            "face": self.face,
            "onset_s": round(self.onset_s, 3),
            "apex_s": round(self.apex_s, 3),
            "offset_s": round(self.offset_s, 3),
            "label": self.label,
            "scores": _rounded(self.scores),
            "model": self.model,
            "latency_ms": round(self.latency_ms, 1),
            "kind": self.kind,
            "confidence": round(self.confidence, 2),
            **({} if self.units is None else {"estimated_units": self.estimated_units, "unit_confidences": _rounded(self.units)}),
            **({} if self.provisional is None else {"provisional": self.provisional}),
            **({"withdrawn": True} if self.withdrawn else {}),
            **({"utc": self.utc} if self.utc else {}),
        }


def _rounded(confidences: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in confidences.items()}


@dataclass(frozen=True)
class Marker:
    """What somebody else has marked in a source's time: a stimulus, a key, the begin of a condition.

    Attributes:
        source: as events call it.
        time_s: seconds in the source's own clock; below 0 before its first frame.
        label: the sender's word.
        stream: who said it.
    """

    source: str
    time_s: float
    label: str
    stream: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The marker line, rounded to milliseconds."""
        return {"source": self.source, "time_s": round(self.time_s, 3), "label": self.label, "stream": self.stream}


@dataclass(frozen=True, eq=False)
class Recognized:
    """An event as it becomes known: with the views that it was named by, which nothing else keeps."""

    event: Event
    keyframes: Keyframes
