"""Eyes and mouth: where the skin parts and something else shows — an eyeball, teeth, the dark of the mouth.

Three layers meet in an opening: the skin above, the skin below, and what lies behind. Each moves on its own; the
skins' soft edges are cut along the lids and the lips, so that nothing is stretched across them.
"""

from __future__ import annotations

import cv2
import numpy as np

from train.synthesis.action_units import ABOVE, BELOW
from train.synthesis.face import Face
from train.synthesis.fields import Fields

MARGIN = {"mouth": (0.14, 0.17), "right": (0.07, 0.10), "left": (0.07, 0.10)}  # u and v around the opening
SOFT = 1.2  # pixels over which an edge fades
FINE = 2  # texture pixels per picture pixel
BORDER = 16  # pixels of texture around the box, for what moves in


class Opening:
    """One opening of one face, drawn into `box` of the picture.

    texture: the portrait at FINE times the picture's size.
    """

    def __init__(self, name: str, face: Face, fields: Fields, texture: np.ndarray):
        self.name = name
        ends = face.corners(name)
        u = np.linspace(*ends, 20)
        top, bottom = face.opening(name, u)
        self._face, self.gap = face, float((bottom - top).max())
        mu, mv = MARGIN[name]
        across, down = (ends[0] - mu, ends[1] + mu), (top.min() - mv, bottom.max() + mv)
        corners = np.array([(x, y) for x in across for y in down])
        middle = (face.landmarks[263, :2] + face.landmarks[33, :2]) / 2
        place = corners @ face.axes * face.scale + middle
        height, width = face.shape
        left, upper = np.maximum(np.floor(place.min(axis=0)).astype(int), 0)
        right, lower = np.minimum(np.ceil(place.max(axis=0)).astype(int), [width, height])
        self.box = slice(upper, lower), slice(left, right)
        self.origin = np.array([left, upper], np.float32)
        y, x = np.mgrid[upper:lower, left:right].astype(np.float32)
        grid = np.stack([x, y], axis=-1)
        above, below = fields(grid, ABOVE), fields(grid, BELOW)
        # K×h×w×4: the skin above (x, y), the skin below (x, y)
        self.fields = np.ascontiguousarray(np.concatenate([above, below], axis=-1))
        self.active = [bool(np.abs(field).max() > 1e-3) for field in self.fields]
        self._cut_textures(texture, (left, upper, right, lower))
        self._alpha = self._feather(grid.shape[:2])
        self._gaze = self._gaze_share(grid)

    def draw(self, picture: np.ndarray, place: np.ndarray, moved: np.ndarray, gaze: np.ndarray) -> None:
        """Draw the opening over `picture` (H×W×3 uint8), in place.

        place: h×w×2, the head's backward map within the box, pixels. moved: h×w×4, the two skins' fields there, not yet
        carried by the head. gaze: (x, y) of the eyeball, pixels.
        """
        at = place - self.origin
        moved = cv2.remap(moved, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        above, below = (self._look(skin, at - d) for skin, d in zip(self._skins, (moved[..., :2], moved[..., 2:])))
        behind = self._look(self._behind, at - self._gaze[..., None] * gaze.astype(np.float32))
        colour = above.astype(np.float32) + below
        total = colour[..., 3:]
        weight = np.float32(1) / np.maximum(total, np.float32(255))
        mixed = colour[..., :3] * (weight * np.float32(255)) + behind * np.maximum(1 - total * weight, np.float32(0))
        under = picture[self.box]
        under[:] = np.rint(under + (mixed - under) * self._alpha)

    def _look(self, texture: np.ndarray, at: np.ndarray) -> np.ndarray:
        fine = (at + np.float32(BORDER + 0.5)) * np.float32(FINE) - np.float32(0.5)
        return cv2.remap(texture, fine, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    def _cut_textures(self, texture: np.ndarray, box) -> None:
        left, upper, right, lower = (int(value) for value in box)
        edges = (np.array([left, upper, right, lower]) + BORDER * np.array([-1, -1, 1, 1])) * FINE
        columns = np.clip(np.arange(edges[0], edges[2]), 0, texture.shape[1] - 1)
        rows = np.clip(np.arange(edges[1], edges[3]), 0, texture.shape[0] - 1)
        cut = texture[rows][:, columns]
        x = (np.arange(edges[0], edges[2]) + 0.5) / FINE - 0.5
        y = (np.arange(edges[1], edges[3]) + 0.5) / FINE - 0.5
        x, y = np.meshgrid(x, y)
        at = self._face.to_face(np.stack([x, y], axis=-1))
        u, v = at[..., 0], at[..., 1]
        top, bottom = self._face.opening(self.name, u)
        pixel = 1 / self._face.scale
        above = np.clip((top - v) / (SOFT * pixel) + 0.5, 0, 1)
        below = np.clip((v - bottom) / (SOFT * pixel) + 0.5, 0, 1)
        self._skins = [_premultiplied(cut, share) for share in (above, below)]
        # continued from well inside, but kept wherever the skins leave it to be seen at rest
        seen = (v > top + pixel) & (v < bottom - pixel)
        kept = np.clip((1 - above - below) * 2.5 - 0.7, 0, 1)
        self._behind = self._fill(cut, seen, kept, v, bottom)

    def _fill(self, cut, seen, kept, v, bottom) -> np.ndarray:
        """What lies behind the skin: what the portrait shows of it, continued beyond the edges."""
        # continued at half size: it is a guess anyway, and inpainting is slow
        small, known = cut[::FINE, ::FINE], np.ascontiguousarray(seen[::FINE, ::FINE])
        dark = np.percentile(cut[..., :3].reshape(-1, 3), 8, axis=0) * 0.45
        if known.sum() < 12:
            continued = np.broadcast_to(dark, cut.shape)
        else:
            continued = cv2.inpaint(np.ascontiguousarray(small), (~known).astype(np.uint8), 3, cv2.INPAINT_TELEA)
            continued = cv2.resize(continued, cut.shape[1::-1], interpolation=cv2.INTER_LINEAR).astype(float)
            if self.name == "mouth":  # teeth go on upwards; below them it is dark
                deep = np.clip((v - bottom) / 0.03 + 0.5, 0, 1)[..., None]
                continued = continued + (dark - continued) * deep
        return np.rint(cut * kept[..., None] + continued * (1 - kept[..., None])).astype(np.uint8)

    def _feather(self, shape: tuple[int, int]) -> np.ndarray:
        """1 in the box, falling to 0 at its edge."""
        y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
        edge = np.minimum(np.minimum(x, shape[1] - 1 - x), np.minimum(y, shape[0] - 1 - y))
        return np.clip(edge / 6, 0, 1)[..., None]

    def _gaze_share(self, grid: np.ndarray) -> np.ndarray:
        """How far the eyeball's picture goes with the gaze: wholly at the iris, not at the corners of the eye."""
        if self.name == "mouth":
            return np.zeros(grid.shape[:2], np.float32)
        centre = self._face.landmarks[468 if self.name == "right" else 473, :2]
        reach = 0.085 * self._face.scale
        return np.exp(-0.5 * (((grid - centre) / reach) ** 2).sum(axis=-1) ** 2).astype(np.float32)


def _premultiplied(colour: np.ndarray, share: np.ndarray) -> np.ndarray:
    layers = np.dstack([colour * share[..., None], 255 * share])
    return np.rint(layers).astype(np.uint8)
