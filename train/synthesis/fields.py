"""The displacement fields of one face: action units, lids and throat, as pixels by place.

All fields are *backward*: the skin now seen at x was at x − d(x). A face has two skins at each opening: the one above
it and the one below. They part at the lips and the lids, and are one beyond the corners.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from realtime.face.geometry import to_68
from realtime.naming.inputs.face import crop_box
from train.synthesis.action_units import ABOVE, ACTION_UNITS, BELOW, SIDES, SKIN, Pull, bases
from train.synthesis.face import EYES, Face, smoothstep
from train.synthesis.real_motion import PAD, Movement

RIM = 0.24  # outer-eye distances over which a pull fades towards the face's rim
GUARD = 0.15  # the same towards the lids' edge: brows and cheeks hardly drag the eye's opening
DRAGGED = 0.12  # what is left of a pull at the lids' edge
HEM = 0.16  # outer-eye distances about the face's rim over which a real movement ends
MIDDLE = 0.3  # over which its right half passes into its left one
LOWER_LID = 0.35  # how far the lower lid can rise, share of the eye's opening

Basis = tuple[object, str]
# what a face can do besides action units: each lid (1 = the eye shut by it alone), and the throat in swallowing
LIDS: list[Basis] = [("upper lid", "right"), ("upper lid", "left"), ("lower lid", "right"), ("lower lid", "left")]
THROAT: Basis = ("throat", "both")
BASES: list[Basis] = [b for b in bases() if ACTION_UNITS[b[0]].pulls] + LIDS + [THROAT]


class Fields:
    """`fields(points, layer)` → the fields of all `bases` at strength 1 at these places: BASES, then the real movements'
    halves.

    points: …×2 pixels. layer: SKIN (everywhere, torn inside the openings), or ABOVE/BELOW: the skin above the mouth
    and the eyes continued downwards, the skin below continued upwards. Returns len(bases)×…×2 float32, pixels (x, y).
    """

    def __init__(self, face: Face, movements: Iterable[Movement] = ()):
        self.face, self._movements = face, tuple(movements)
        self.bases: list[Basis] = BASES + [(m, side) for m in self._movements for side in SIDES]
        self._gain = {}
        y, x = np.mgrid[0 : face.shape[0] : 4, 0 : face.shape[1] : 4].astype(np.float32)
        coarse = np.stack([x, y], axis=-1)
        raw = self._raw(coarse, SKIN)
        for basis in BASES:
            if basis[0] in ACTION_UNITS:
                peak = float(np.linalg.norm(raw[basis], axis=-1).max())
                self._gain[basis] = ACTION_UNITS[basis[0]].extent / max(peak, 1e-6)
        for m in self._movements:  # its halves keep their proportion
            peak = float(np.linalg.norm(sum(raw[m, side] for side in SIDES), axis=-1).max())
            self._gain |= dict.fromkeys([(m, side) for side in SIDES], m.extent / max(peak, 1e-6))

    def __call__(self, points: np.ndarray, layer: str = SKIN) -> np.ndarray:
        raw = self._raw(points, layer)
        fields = np.stack([raw[basis] * self._gain.get(basis, 1.0) for basis in self.bases])
        return (fields @ self.face.axes * self.face.scale).astype(np.float32)

    def _raw(self, points: np.ndarray, layer: str) -> dict[Basis, np.ndarray]:
        """The same in face axes (u, v), before the units are brought to their extents."""
        face, at = self.face, self.face.to_face(points)
        u, v = at[..., 0], at[..., 1]
        window = smoothstep(face.inside_at(points) / RIM) * self._away_from_lids(u, v)
        across = self._beside_mouth(u)
        middle = sum(face.opening("mouth", u)) / 2
        below_mouth = {ABOVE: 0.0, BELOW: 1.0}.get(layer, (v > middle).astype(float))
        share = {SKIN: 1.0, ABOVE: 1 - below_mouth * (1 - across), BELOW: below_mouth + (1 - below_mouth) * across}
        found = {}
        for basis in BASES:
            if basis[0] not in ACTION_UNITS:
                continue
            unit, side = basis
            field = np.zeros(at.shape)
            for pull in ACTION_UNITS[unit].pulls:
                for half in SIDES if side == "both" else (side,):
                    if half == "left" and pull.right == pull.left:
                        continue  # a midline point is pulled once
                    spread = self._spread(pull, half, u, v) * share[pull.layer]
                    field += spread[..., None] * _direction(pull, half)
            found[basis] = field * window[..., None]
        for name in EYES:
            upper, lower = self._lids(name, u, v, layer)
            found["upper lid", name] = np.stack([np.zeros_like(u), upper], axis=-1)
            found["lower lid", name] = np.stack([np.zeros_like(u), lower], axis=-1)
        found[THROAT] = self._throat(u, v)
        return found | self._real(points, u)

    def _spread(self, pull: Pull, side: str, u, v) -> np.ndarray:
        cu, cv = self.face.mesh[pull.right if side == "right" else pull.left]
        return np.exp(-0.5 * (((u - cu) / pull.reach[0]) ** 2 + ((v - cv) / pull.reach[1]) ** 2))

    def _beside_mouth(self, u) -> np.ndarray:
        """0 in the middle of the mouth, 1 at its corners and beyond, where the lips are one skin."""
        right, left = self.face.corners("mouth")
        t = np.abs(2 * u - right - left) / (left - right)
        return smoothstep((t - 0.5) / 0.5)

    def _away_from_lids(self, u, v) -> np.ndarray:
        guard = np.ones_like(u)
        for name in EYES:
            right, left = self.face.corners(name)
            top, bottom = self.face.opening(name, u)
            beside = np.maximum(np.maximum(right - u, u - left), 0)
            beyond = np.maximum(np.maximum(top - v, v - bottom), 0)
            guard *= DRAGGED + (1 - DRAGGED) * smoothstep(np.hypot(beside, beyond) / GUARD)
        return guard

    def _lids(self, name: str, u, v, layer: str) -> tuple[np.ndarray, np.ndarray]:
        """Vertical fields of the upper lid (down to the lower lid's edge) and of the lower lid (up by LOWER_LID).

        The skin between brow and lid is drawn out like a blind: it gives most at the brow, and the lid's edge with its
        lashes comes down as it is.
        """
        top, bottom = self.face.opening(name, u)
        opening = bottom - top
        brow = self.face.brow(name, u)
        brow = np.minimum(brow + 0.35 * (top - brow), top - 0.03)  # the fold under it, not its hair
        drawn = np.maximum(bottom - brow, 1e-3)
        power = np.clip(0.9 * drawn / np.maximum(opening, 1e-3), 1.0, 2.2)
        upper = opening * (1 - np.clip((bottom - v) / drawn, 0, 1) ** power)
        cheek = bottom + 0.15
        lower = -LOWER_LID * opening * (1 - np.clip((v - top) / (cheek - top), 0, 1) ** 2)
        # continued across the opening, but not to the mouth or the forehead
        upper *= smoothstep(1 - (v - bottom - 0.06) / 0.06)
        lower *= smoothstep(1 - (top - v - 0.06) / 0.06)
        if layer == ABOVE:
            return upper, np.zeros_like(upper)
        if layer == BELOW:
            return np.zeros_like(lower), lower
        is_below = v > (top + bottom) / 2
        return np.where(is_below, 0, upper), np.where(is_below, lower, 0)

    def _real(self, points: np.ndarray, u: np.ndarray) -> dict[Basis, np.ndarray]:
        """The real movements, laid where their maps have them: over the crop of the face that flow maps are made of."""
        face, found = self.face, {}
        if not self._movements:
            return found
        left, top, right, bottom = crop_box(to_68(face.landmarks[:, :2]))
        cell = np.array([right - left, bottom - top], np.float32) / 28
        at = ((points - (left, top) + 0.5) / cell - 0.5 + PAD).astype(np.float32)
        window = smoothstep(face.inside_at(points) / HEM + 0.5)
        of_right = smoothstep(0.5 - u / MIDDLE)
        share = {"right": window * of_right, "left": window * (1 - of_right)}
        for m in self._movements:
            sampled = cv2.remap(m.field, at[..., 0], at[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT)
            field = (sampled.reshape(at.shape) * cell) @ face.axes.T / face.scale
            found |= {(m, side): field * share[side][..., None] for side in SIDES}
        return found

    def _throat(self, u, v) -> np.ndarray:
        """The larynx under the chin, upwards: outside the face, nothing on it."""
        chin = self.face.mesh[152]
        lump = np.exp(-0.5 * (((u - chin[0]) / 0.14) ** 2 + ((v - chin[1] - 0.30) / 0.10) ** 2))
        away = smoothstep((v - chin[1] - 0.02) / 0.2)
        return np.stack([np.zeros_like(u), -0.04 * lump * away], axis=-1)


def _direction(pull: Pull, side: str) -> np.ndarray:
    return np.array([-pull.outward if side == "right" else pull.outward, pull.down])
