"""What comes before a face and is no part of it: flashing glasses, a wisp of hair, a hand. Soft ellipses, no more."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from train.synthesis.course import ramp
from train.synthesis.face import Face


@dataclass(frozen=True)
class Patch:
    """place, radii: face axes (see `Face`). angle: degrees. grey: 0 to 255, or None for the colour of the skin.

    strength: 0 to 1. soft: sigma of its edge, outer-eye distances.
    """

    place: tuple[float, float]
    radii: tuple[float, float]
    angle: float
    grey: float | None
    strength: float
    soft: float

    def paint(self, picture: np.ndarray, face: Face, shift: np.ndarray, skin: np.ndarray) -> None:
        """Over H×W×3 uint8, in place. shift: the head's, pixels. skin: its colour, 3."""
        middle = (face.landmarks[263, :2] + face.landmarks[33, :2]) / 2
        centre = np.array(self.place) @ face.axes * face.scale + middle + shift
        radii, sigma = np.array(self.radii) * face.scale, max(self.soft * face.scale, 0.5)
        reach = radii.max() + 3 * sigma
        left, top = np.maximum(np.floor(centre - reach).astype(int), 0)
        right, bottom = np.minimum(np.ceil(centre + reach).astype(int), picture.shape[1::-1])
        if right <= left or bottom <= top:
            return
        mask = np.zeros((bottom - top, right - left), np.uint8)
        at = [int(round(x * 16)) for x in centre - (left, top)]
        cv2.ellipse(mask, at, [int(round(r * 16)) for r in radii], self.angle, 0, 360, 255, -1, cv2.LINE_AA, 4)
        mask = cv2.GaussianBlur(mask, (0, 0), sigma)
        alpha = mask[..., None].astype(np.float32) * np.float32(self.strength / 255)
        under = picture[top:bottom, left:right]
        colour = skin if self.grey is None else np.full(3, self.grey)
        under[:] = np.rint(under + (colour.astype(np.float32) - under) * alpha)


@dataclass(frozen=True)
class Flash:
    """A light in the glasses, `hertz` times a second brighter and darker."""

    start: float
    length: float
    place: tuple[float, float]
    hertz: float
    strength: float

    kind = "flash"
    end = property(lambda self: self.start + self.length)

    def intervals(self) -> list[tuple[float, float]]:
        return [(self.start, self.end)]

    def add(self, state, t: float) -> None:
        since, left = t - self.start, self.end - t
        strength = self.strength * ramp(min(since, left) / 0.04) * (0.6 + 0.4 * math.cos(2 * math.pi * self.hertz * since))
        for side in (-1, 1):
            place = (self.place[0] + side * 0.33, self.place[1])
            state.covers.append(Patch(place, (0.08, 0.04), 20.0, 255, strength, 0.02))


@dataclass(frozen=True)
class Wisp:
    """A strand of hair on the forehead, there all the time. sways: (start, length, degrees) of each swing."""

    root: tuple[float, float]
    length: float
    sways: tuple[tuple[float, float, float], ...]

    kind = "hair"
    start = -math.inf
    end = math.inf

    def intervals(self) -> list[tuple[float, float]]:
        return [(start, start + length) for start, length, _ in self.sways]

    def add(self, state, t: float) -> None:
        swings = [
            degrees * ramp((t - start) / (0.3 * length)) * ramp((start + length - t) / (0.5 * length)) * math.cos(9 * (t - start))
            for start, length, degrees in self.sways
        ]
        angle = math.radians(90 + sum(swings))
        middle = [r + 0.5 * self.length * c for r, c in zip(self.root, (math.cos(angle), math.sin(angle)), strict=True)]
        for aside in (-0.02, 0.0, 0.025):
            place = (middle[0] + aside, middle[1] - abs(aside))
            state.covers.append(Patch(place, (self.length / 2, 0.006), math.degrees(angle), 35, 0.75, 0.004))


@dataclass(frozen=True)
class Hand:
    """A hand comes from below to `place`, rests there for `rest` seconds, and goes. way: seconds to come, and to go."""

    start: float
    way: float
    rest: float
    place: tuple[float, float]

    kind = "hand"
    end = property(lambda self: self.start + 2 * self.way + self.rest)

    def intervals(self) -> list[tuple[float, float]]:
        return [(self.start, self.end)]

    def add(self, state, t: float) -> None:
        there = ramp((t - self.start) / self.way) * ramp((self.end - t) / self.way)
        side = math.copysign(1.0, self.place[0])
        x = self.place[0] + side * 0.5 * (1 - there)
        y = self.place[1] + 1.8 * (1 - there)
        state.covers.append(Patch((x + side * 0.12, y + 0.35), (0.30, 0.42), 15 * side, None, 1.0, 0.02))
        for finger in range(4):
            place = (x + side * 0.11 * (finger - 1), y - 0.03 * (finger % 3))
            state.covers.append(Patch(place, (0.055, 0.26), 10 * side, None, 0.9, 0.015))
