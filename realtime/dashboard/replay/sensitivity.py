"""How easily a movement is noticed, in a person's words. Chosen before a recording is dropped."""

from __future__ import annotations

from dataclasses import replace

from realtime.spotting import SpotterSettings

FEWER, USUAL, MORE = "fewer", "usual", "more"
# of spotter.sensitivity, deviations above rest at which the threshold lies
FACTORS = {FEWER: 1.5, USUAL: 1.0, MORE: 0.65}
CHOICES = [("Fewer", FEWER), ("Usual", USUAL), ("More", MORE)]


def adjusted(settings: SpotterSettings, word: str) -> SpotterSettings:
    """word: one of FACTORS."""
    return replace(settings, sensitivity=settings.sensitivity * FACTORS[word])
