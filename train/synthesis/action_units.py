"""Action units as smooth displacements of a face: which mesh point is carried where, in outer-eye distances.

Strength 1 is the strongest that people show (FACS intensity E); a micro-expression is 0.1 to 0.3 of it. Sides are the
person's own, as in FACS: the right half of the face is on the picture's left.
"""

from __future__ import annotations

from dataclasses import dataclass

SKIN, ABOVE, BELOW = "skin", "above", "below"  # ABOVE and BELOW: the pull stops at the opening between the lips


@dataclass(frozen=True)
class Pull:
    """A mesh point and how a full-strength action unit carries it.

    right, left: index into MediaPipe's 478 on the person's right and left side (equal for a point on the midline).
    outward, down: displacement away from the nose and towards the chin; only their ratios within a unit count.
    reach: standard deviations (across, down) of the Gaussian that spreads the pull over the skin.
    layer: SKIN, or ABOVE/BELOW for a pull on the upper or lower lip that leaves the other lip alone.
    """

    right: int
    left: int
    outward: float
    down: float
    reach: tuple[float, float]
    layer: str = SKIN


@dataclass(frozen=True)
class Unit:
    """name: FACS's. extent: the largest displacement at strength 1, in outer-eye distances.

    lids: (upper lid, lower lid) at strength 1, as shares of the eye's opening, positive = closing.
    separable: whether FACS scores its left and right side apart.
    """

    name: str
    extent: float
    pulls: tuple[Pull, ...] = ()
    lids: tuple[float, float] = (0.0, 0.0)
    separable: bool = True


BROW, CHEEK, LIP = (0.12, 0.11), (0.15, 0.13), (0.10, 0.07)

# FACS names and directions (Ekman, Friesen & Hager 2002)
ACTION_UNITS: dict[int, Unit] = {
    1: Unit("inner brow raiser", 0.085, (Pull(55, 285, 0, -1, BROW), Pull(107, 336, 0, -0.6, BROW))),
    2: Unit("outer brow raiser", 0.080, (Pull(70, 300, 0, -1, BROW), Pull(105, 334, 0, -0.6, BROW))),
    4: Unit("brow lowerer", 0.065, (Pull(55, 285, -0.8, 1, BROW), Pull(105, 334, -0.2, 0.7, BROW))),
    5: Unit("upper lid raiser", 0.03, lids=(-0.35, 0.0)),
    6: Unit(
        "cheek raiser",
        0.060,
        (Pull(50, 280, 0, -1, CHEEK), Pull(117, 346, -0.1, -0.8, CHEEK), Pull(226, 446, -0.5, 0.1, (0.08, 0.10))),
        lids=(0.03, 0.20),
    ),
    7: Unit("lid tightener", 0.03, lids=(0.10, 0.30)),
    9: Unit(
        "nose wrinkler",
        0.060,
        (
            Pull(129, 358, 0, -1, (0.09, 0.10)),
            Pull(122, 351, 0, -0.5, (0.08, 0.08)),
            Pull(55, 285, -0.2, 0.6, (0.10, 0.09)),
            Pull(37, 267, 0, -0.3, LIP, ABOVE),
        ),
    ),
    10: Unit(
        "upper lip raiser",
        0.065,
        (
            Pull(39, 269, 0, -1, LIP, ABOVE),
            Pull(92, 322, 0, -0.7, (0.09, 0.09), ABOVE),
            Pull(206, 426, 0, -0.4, LIP),
            Pull(181, 405, 0, -0.35, LIP, BELOW),
        ),
    ),
    12: Unit("lip corner puller", 0.120, (Pull(61, 291, 1, -0.7, (0.12, 0.11)), Pull(205, 425, 0.2, -0.35, CHEEK))),
    14: Unit("dimpler", 0.040, (Pull(61, 291, 1, -0.15, (0.06, 0.06)), Pull(212, 432, -0.4, -0.2, (0.07, 0.08)))),
    15: Unit("lip corner depressor", 0.075, (Pull(61, 291, 0.15, 1, (0.09, 0.09)),)),
    17: Unit(
        "chin raiser",
        0.065,
        (
            Pull(199, 199, 0, -1, (0.12, 0.10)),
            Pull(17, 17, 0, -0.8, (0.12, 0.07), BELOW),
            Pull(0, 0, 0, -0.2, LIP, ABOVE),
        ),
        separable=False,
    ),
    18: Unit("lip pucker", 0.070, (Pull(61, 291, -1, 0, (0.09, 0.10)), Pull(37, 267, -0.3, 0, LIP)), separable=False),
    20: Unit("lip stretcher", 0.080, (Pull(61, 291, 1, 0.25, (0.10, 0.10)),)),
    23: Unit(
        "lip tightener",
        0.025,
        (
            Pull(37, 267, 0, 1, LIP, ABOVE),
            Pull(84, 314, 0, -1, LIP, BELOW),
            Pull(61, 291, -0.6, 0, (0.06, 0.06)),
        ),
        separable=False,
    ),
    24: Unit(
        "lip presser",
        0.032,
        (Pull(37, 267, 0, 0.9, LIP, ABOVE), Pull(84, 314, 0, -1, LIP, BELOW), Pull(199, 199, 0, -0.5, LIP)),
        separable=False,
    ),
    25: Unit("lips part", 0.045, (Pull(17, 17, 0, 1, (0.13, 0.09), BELOW), Pull(0, 0, 0, -0.35, LIP, ABOVE)), separable=False),
    26: Unit(
        "jaw drop",
        0.110,
        (
            Pull(17, 17, 0, 1, (0.20, 0.13), BELOW),
            Pull(199, 199, 0, 0.7, (0.18, 0.12), BELOW),
            Pull(61, 291, -0.1, 0.35, (0.08, 0.09)),
        ),
        separable=False,
    ),
    # no part of any expression
    30: Unit(
        "jaw sideways",
        0.080,
        (Pull(199, 199, -1, 0, (0.22, 0.14), BELOW), Pull(17, 17, -0.8, 0, (0.16, 0.10), BELOW)),
        separable=False,
    ),
    36: Unit("tongue bulge", 0.060, (Pull(212, 432, 1, -0.1, (0.09, 0.09)), Pull(216, 436, 0.5, -0.3, (0.08, 0.08)))),
}

SIDES = ("right", "left")


def bases() -> list[tuple[int, str]]:
    """The fields that a face is moved by: (unit, side) with side "right", "left", or "both" where FACS has no sides."""
    return [(unit, side) for unit, what in ACTION_UNITS.items() for side in (SIDES if what.separable else ("both",))]
