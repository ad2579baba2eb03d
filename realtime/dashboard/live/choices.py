"""What a person may change while the stream runs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from realtime.errors import UsageError
from realtime.watch import LiveSettings

RANGES = {"threshold": (2.0, 30.0), "longest": (0.1, 1.0), "certainty": (0.0, 0.99)}
SURER, FAINTER = 1.3, 0.7  # times the usual threshold


@dataclass(frozen=True)
class Choice:
    """What can be changed while it runs. threshold: deviations above rest. longest: seconds of a micro-expression.
    certainty: the verifier's probability from which a movement is reported."""

    model: str
    engine: str
    threshold: float
    longest: float
    certainty: float

    @classmethod
    def of(cls, settings: LiveSettings) -> Choice:
        spotter = settings.spotter
        return cls(settings.network, settings.engine, spotter.sensitivity, spotter.max_duration, spotter.confidence)

    def changed(self, wanted: dict) -> Choice:
        """With what a page sent. Raises UsageError."""
        try:
            numbers = {name: float(wanted.get(name, getattr(self, name))) for name in ("threshold", "longest", "certainty")}
        except (TypeError, ValueError):
            raise UsageError("the settings of the spotter must be numbers") from None
        for name, (least, most) in RANGES.items():
            if not least <= numbers[name] <= most:
                raise UsageError(f"{name} is {numbers[name]:g}: expected {least:g} to {most:g}")
        return Choice(str(wanted.get("model", self.model)), str(wanted.get("engine", self.engine)), **numbers)

    def applied(self, settings: LiveSettings) -> LiveSettings:
        spotter = replace(settings.spotter, sensitivity=self.threshold, max_duration=self.longest, confidence=self.certainty)
        return replace(settings, network=self.model, engine=self.engine, spotter=spotter)


def levels(usual: Choice) -> dict[str, tuple[float, float]]:
    """How much is reported, in words → (threshold, certainty); in the middle what the settings say."""
    least, most = RANGES["threshold"]
    return {
        "only what is clear": (round(min(SURER * usual.threshold, most), 1), round((1 + usual.certainty) / 2, 2)),
        "usual": (usual.threshold, usual.certainty),
        "faint movements, too": (round(max(FAINTER * usual.threshold, least), 1), round(0.6 * usual.certainty, 2)),
    }
