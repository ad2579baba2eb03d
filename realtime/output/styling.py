"""What pages, pictures and reports share: the colour of each label, and pictures that stand in an HTML text itself.

Colours are after Okabe and Ito, muted: told apart by colour-blind people; every event also carries its label in words.
Against its ground, white or the dark page's #182228, each has a contrast of 4.5 or more.
"""

from __future__ import annotations

import base64

from realtime.records import UNSURE

LIGHT = {"negative": "#b5532a", "positive": "#2a7f64", "surprise": "#3b6ea8", UNSURE: "#6b6b6b"}
DARK = {"negative": "#f0916a", "positive": "#5fcfad", "surprise": "#86b6ee", UNSURE: "#b4b4b4"}
MORE_LIGHT = ("#8a5a9e", "#86691c", "#3a7a8e", "#9c5b6b", "#66752f")
MORE_DARK = ("#c79fd8", "#d9b860", "#84c3d6", "#dc9cac", "#b3c07c")


def colour(label: str, dark: bool = False) -> str:
    """As "#rrggbb" of a label, on a light or a dark ground; of any label, always the same."""
    known, more = (DARK, MORE_DARK) if dark else (LIGHT, MORE_LIGHT)
    return known.get(label) or more[sum(label.encode(errors="replace")) % len(more)]


def inline(data: bytes, kind: str, medium: str = "image") -> str:
    """A data: address.

    Args:
        kind: "jpeg", "png" or "webp", of a video "mp4".
    """
    return f"data:{medium}/{kind};base64,{base64.b64encode(data).decode()}"
