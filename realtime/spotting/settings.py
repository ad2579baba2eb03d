"""What a person may choose about spotting, and what the spotter says of one moment."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from realtime.records import Keyframes


@dataclass
class Baseline:
    """What is usual of one person, see `realtime.spotting.baseline`.

    Attributes:
        participant: whose it is.
        seconds: of a face, from which it was learnt.
        floor: the usual difference at rest, of each region and part.
        threshold: multiples of it that rest stays below.
        change: the usual change at rest, of each region and part; calm: multiples of it that rest stays below.
        eyes: the usual opening, lid distance over eye width.
        blink_drop: see `SpotterSettings`.
        blinks_a_minute: how often.
        speech: share of the time.
        alarms: how sure the verifier was of each movement that it took for a micro-expression there.
        confidence: see `SpotterSettings`.
    """

    participant: str = ""
    seconds: float = 0.0
    floor: list[float] = field(default_factory=list)
    threshold: float = 0.0
    change: list[float] = field(default_factory=list)
    calm: float = 0.0
    eyes: float = 0.0
    blink_drop: float = 0.7
    blinks_a_minute: float = 0.0
    speech: float = 0.0
    alarms: list[float] = field(default_factory=list)
    confidence: float = 0.6


@dataclass
class SpotterSettings:
    """What a person may choose about spotting.

    Attributes:
        min_duration: seconds from onset to offset of a micro-expression, at least.
        max_duration: the same, at most; longer ones are macro-expressions.
        sensitivity: how many deviations (scaled MAD) above the resting median the threshold lies; lower finds more.
        noise_seconds: how much of the resting past sets floor and threshold.
        warmup_seconds: resting time before spotting.
        blink_gate: drop what a blink explains.
        motion_gate: drop what a head movement explains.
        lost_gate: drop what was under way when the face went out of view.
        blink_drop: eyes opened less than this share of their usual opening are in a blink.
        motion_limit: head speed, outer-eye distances a second, above which a movement may be the head's.
        displacement: notice parts that have moved, beside regions whose histograms have changed.
        refine: place onset, apex and offset by what moved, not by the histograms alone.
        verifier: the network that tells micro-expressions from everything else (of the zoo, or an .onnx file); None: none.
        confidence: a movement is reported where the verifier gives it at least this probability.
        usual: the person's baseline, where there is one.
    """

    min_duration: float = 0.04
    max_duration: float = 0.5
    sensitivity: float = 8.0
    noise_seconds: float = 5.0
    warmup_seconds: float = 0.8
    blink_gate: bool = True
    motion_gate: bool = True
    lost_gate: bool = True
    blink_drop: float = 0.7
    motion_limit: float = 0.35
    displacement: bool = True
    refine: bool = True
    verifier: str | None = "verifier"
    confidence: float = 0.6
    usual: Baseline | None = None


@dataclass(frozen=True)
class SetAside:
    """A movement that is no event.

    Attributes:
        pts: its apex, seconds in the source's clock.
        cause: as in `Spotter.counts`; or what the verifier thinks it was, one of its classes ("micro": one, but not surely
            enough).
    """

    pts: float
    cause: str


@dataclass(frozen=True, eq=False)
class Reading:
    """What the spotter made of one moment.

    Attributes:
        difference: multiples of the resting difference (1 = at rest); NaN while there is nothing to compare.
        threshold: in the same measure.
        gate: "blink", "motion" or "lost" while that holds, else None.
        keyframes: set once a movement has been spotted.
        suspected: set once it seems that one is over, a moment before that is sure: its onset and apex will stay, so it may be named meanwhile.
        early: set once the apex of what is probably one has passed, where that is asked for (`realtime.spotting.early`).
        withdrawn: numbers (`Keyframes.early`) of those that turn out now to be no event.
        set_aside: movements that were noticed and turn out now to be no event.
    """

    difference: float = math.nan
    threshold: float = math.nan
    gate: str | None = None
    keyframes: Keyframes | None = None
    set_aside: tuple[SetAside, ...] = ()
    early: Keyframes | None = None
    withdrawn: tuple[int, ...] = ()
    suspected: Keyframes | None = None
