"""How easily a movement is reported, in a person's words. Chosen before a recording is dropped; the same steps as in tab Live."""

from __future__ import annotations

from dataclasses import replace

from realtime.dashboard.live.choices import Choice, levels
from realtime.spotting import SpotterSettings

WORDS = FEWER, USUAL, MORE = "fewer", "usual", "more"  # in the order of `levels`
CHOICES = [("Fewer", FEWER), ("Usual", USUAL), ("More", MORE)]


def adjusted(settings: SpotterSettings, word: str) -> SpotterSettings:
    """word: one of WORDS."""
    usual = Choice("", "", settings.sensitivity, settings.max_duration, settings.confidence)
    threshold, certainty = list(levels(usual).values())[WORDS.index(word)]
    return replace(settings, sensitivity=threshold, confidence=certainty)
