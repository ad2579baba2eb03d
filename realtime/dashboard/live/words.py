"""What a live page says of what the program counts, in people's words and not by the program's own names."""

from __future__ import annotations

from collections import Counter

from realtime.sources.base import FULL
from realtime.sources.browser import BEHIND, DAMAGED, NO_KEY

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
# why a picture was not looked at: realtime/sources; what the browser itself drops is named there (page/live_words.js)
MISSED = {FULL: "too busy", BEHIND: "too busy", NO_KEY: "waited for a whole picture", DAMAGED: "arrived damaged"}


def set_aside(movements: dict[str, int]) -> dict[str, int]:
    """Movements that were noticed and not reported, by why. movements: as `Pipeline.counts`."""
    return _counted({cause: number for cause, number in movements.items() if cause not in REPORTED}, SET_ASIDE)


def missed(drops: dict[str, int]) -> dict[str, int]:
    """Pictures that were not looked at, by why. drops: as `SourceCounts.drops`."""
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
