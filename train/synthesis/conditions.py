"""What a clip is made hard with: how often each thing happens, and the camera's faults."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace

from realtime.errors import UsageError


@dataclass(frozen=True)
class Conditions:
    """Rates are events a minute (Poisson), 0 = never.

    micro, macro: expressions. long: quick to rise and slow to return, neither one nor the other.
    head: nods, turns and shifts; any value above 0 also makes the head drift all the time (`sway` times as far as usual).
    blink, gaze, swallow: as named. speech: bursts of 1 to 4 s. exposure: steps of brightness.
    nod: small and quick. lid: lids that sink or rise. tongue: in a cheek. jaw: to a side. flash: light in glasses.
    hair: a wisp that swings. hand: before a cheek or the mouth.
    flicker, timing, keyframes: probability that a clip has mains flicker, jitter and dropped frames, or key frames that pulse.
    held: probability that a clip begins with a held smile or frown.
    noise, blur: whether the sensor has noise, and the shutter motion blur. sigma, crf: noise and H.264 quality, 0 = drawn.
    overlap: probability that a nuisance which would fall on an expression is left there.
    alike: 1 draws negative, positive and surprise equally often, for sets that train recognition; 0 draws each emotion so.
    real: share of the micro-expressions whose movement is a real person's (`train.synthesis.real_motion`).
    blink_inside: share of the micro-expressions with a blink inside. faint: share of those of FACS intensity A.
    twice, onward: probability that a micro-expression is followed by another one, or goes on into a macro-expression.
    """

    micro: float = 8.0
    macro: float = 2.5
    head: float = 5.0
    blink: float = 15.0
    gaze: float = 8.0
    speech: float = 3.0
    swallow: float = 1.0
    exposure: float = 1.0
    flicker: float = 0.4
    timing: float = 0.5
    noise: float = 1.0
    blur: float = 1.0
    overlap: float = 0.1
    alike: float = 0.0
    long: float = 0.5
    nod: float = 2.0
    lid: float = 1.0
    tongue: float = 0.7
    jaw: float = 0.7
    flash: float = 0.5
    hair: float = 0.4
    hand: float = 0.6
    keyframes: float = 0.15
    held: float = 0.2
    sway: float = 1.0
    sigma: float = 0.0
    crf: float = 0.0
    real: float = 0.5
    blink_inside: float = 0.125
    faint: float = 0.0
    twice: float = 0.08
    onward: float = 0.08

    def without(self, *names: str) -> Conditions:
        """These switched off. Raises UsageError for an unknown name."""
        return replace(self, **dict.fromkeys(_known(names), 0.0))

    def only(self, *names: str) -> Conditions:
        """All but these switched off; the camera's noise and blur stay unless named away with `without`."""
        kept = {*_known(names), *HOW}
        return self.without(*(f.name for f in fields(self) if f.name not in kept))

    @property
    def text(self) -> str:
        """What differs from the full set, for the clips' table: "all", or "micro=0 speech=0"."""
        usual = asdict(Conditions())
        changed = [f"{name}={value:g}" for name, value in asdict(self).items() if value != usual[name]]
        return " ".join(changed) or "all"


def _known(names) -> tuple[str, ...]:
    known = [f.name for f in fields(Conditions)]
    for name in names:
        if name not in known:
            raise UsageError(f"unknown condition '{name}', expected one of {', '.join(known)}")
    return tuple(names)


# conditions that bring nothing of their own into a clip
HOW = ("noise", "blur", "overlap", "alike", "sway", "sigma", "crf", "real", "blink_inside", "faint", "twice", "onward")
ALL = Conditions()
CALM = ALL.without("speech", "swallow", "exposure", "flicker", "timing", "keyframes", "nod", "lid", "tongue", "jaw", "flash", "hair", "hand")
SPEAKING = replace(ALL, micro=0.0, macro=0.0, long=0.0, speech=14.0)
NO_MICRO = ALL.without("micro", "long")
# as many expressions as fit, cut by hand as in the data sets for recognition: few of them meet a blink or a word
RECOGNITION = replace(ALL, micro=60.0, macro=20.0, speech=0.0, alike=1.0, real=0.0)
HARSH = replace(ALL, sway=2.0, sigma=4.0, crf=28, faint=1.0)
PRESETS = {"all": ALL, "calm": CALM, "speaking": SPEAKING, "no-micro": NO_MICRO, "recognition": RECOGNITION, "harsh": HARSH}
