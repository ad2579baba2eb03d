"""What the numbers of action units stand for (Ekman, Friesen and Hager, Facial Action Coding System)."""

from __future__ import annotations

import re

UNITS = {
    1: "inner brow raised",
    2: "outer brow raised",
    4: "brow lowered",
    5: "upper lid raised",
    6: "cheek raised",
    7: "lids tightened",
    9: "nose wrinkled",
    10: "upper lip raised",
    11: "furrow beside the nose deepened",
    12: "lip corner pulled up",
    13: "cheek puffed up",
    14: "dimple",
    15: "lip corner pulled down",
    16: "lower lip pulled down",
    17: "chin raised",
    18: "lips puckered",
    20: "lips stretched",
    22: "lips funnelled",
    23: "lips tightened",
    24: "lips pressed",
    25: "lips apart",
    26: "jaw dropped",
    27: "mouth stretched",
    28: "lips sucked in",
    38: "nostrils widened",
    39: "nostrils narrowed",
    43: "eyes closed",
    45: "blink",
    46: "wink",
}
SIDES = {"L": "left ", "R": "right "}


def in_words(units: str) -> str:
    """From "1+L12" → "inner brow raised, left lip corner pulled up"; a number that is not known stays as it is."""
    found = re.findall(r"([LR]?)(\d{1,2})", units)
    return ", ".join(f"{SIDES.get(side, '')}{UNITS.get(int(number), f'unit {number}')}" for side, number in found)
