"""Portrait + plan + time → frame.

    draw = Renderer(portrait, landmarks, plan)
    for index, t in enumerate(plan.times):
        picture = draw.frame(index)

All movement is a sum of fields that are computed once per person: the skin's at a quarter of the resolution, those
at the eyes and the mouth (`openings`) in full. A frame costs one remap and three small ones.
"""

from __future__ import annotations

import cv2
import numpy as np

from train.synthesis.action_units import ACTION_UNITS
from train.synthesis.camera import Sensor
from train.synthesis.face import OVAL, Face, smoothstep
from train.synthesis.fields import LIDS, THROAT, Fields
from train.synthesis.openings import FINE, Opening
from train.synthesis.schedule import Plan, State

SIZE = (480, 480)  # width, height
STEP = 4  # pixels between the coarse grid's points
EYES_AT = 0.42  # height of the face's middle in the picture, share
BLURRED = 0.7  # pixels: a movement larger than this while the shutter is open is averaged over sub-frames


class Renderer:
    """portrait: H×W×3 uint8 BGR. landmarks: 478×3, pixels of the portrait (z in the same scale, smaller = nearer).

    size: (width, height) of the frames. framing: 2×3, portrait pixels → frame pixels; by default the face stands in
    the middle, `plan.camera.face_px` wide or as near to that as the portrait's edges allow.
    """

    def __init__(
        self,
        portrait: np.ndarray,
        landmarks: np.ndarray,
        plan: Plan,
        size: tuple[int, int] = SIZE,
        framing: np.ndarray | None = None,
    ):
        self.plan, self.size = plan, size
        framing = frame_face(portrait.shape, landmarks, plan.camera.face_px, size) if framing is None else framing
        zoom = float(np.linalg.norm(framing[:, 0]))
        flat = landmarks[:, :2] @ framing[:, :2].T + framing[:, 2]
        self.face = Face(np.column_stack([flat, landmarks[:, 2] * zoom]).astype(np.float32), (size[1], size[0]))
        fine = framing * FINE
        fine[:, 2] += (FINE - 1) / 2
        self._texture = cv2.warpAffine(portrait, fine, (size[0] * FINE, size[1] * FINE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        # one cell more on each side, so that enlarging the coarse map invents nothing at the picture's edge
        columns, rows = (np.arange(-1, n // STEP + 1) * STEP + (STEP - 1) / 2 for n in size)
        self._grid = np.stack(np.meshgrid(columns, rows), axis=-1).astype(np.float32)
        fields = Fields(self.face, plan.movements)
        self._skin = fields(self._grid)  # K×h×w×2
        self._ways = self._head_ways()  # 6×h×w×2
        self._openings = [Opening(name, self.face, fields, self._texture) for name in ("right", "left", "mouth")]
        self._order = {basis: k for k, basis in enumerate(fields.bases)}
        self._colour = self._skin_colour(portrait, landmarks)
        self._sensor = Sensor(plan.camera, (size[1], size[0]), plan.seed)

    def frame(self, index: int) -> np.ndarray:
        """What the camera records at `plan.times[index]`: height×width×3 uint8 BGR."""
        t = float(self.plan.times[index])
        state = self.plan.at(t)
        picture = self._exposed(t, state)
        return self._sensor(picture, index, t, state.gain)

    def clean(self, t: float) -> np.ndarray:
        """The scene at `t` without the camera's doing (no blur, noise, flicker): height×width×3 uint8 BGR."""
        return self.draw(self.plan.at(t))

    def draw(self, state: State) -> np.ndarray:
        """The face in this state: height×width×3 uint8 BGR."""
        amounts = self.amounts(state)
        place = self._grid - np.tensordot(state.head.astype(np.float32), self._ways, 1)
        moved = _sum(self._skin, amounts)
        # the face carries its fields along when the head moves
        at = (place - self._grid[0, 0]) / STEP
        moved = cv2.remap(moved, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        source = self._enlarged((place - moved) * np.float32(FINE) + np.float32((FINE - 1) / 2))
        picture = cv2.remap(self._texture, source, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        place = self._enlarged(place)
        for opening in self._openings:
            skins = _sum(opening.fields, [(k, a) for k, a in amounts if opening.active[k]])
            opening.draw(picture, place[opening.box], skins, state.gaze * self.face.scale)
        for patch in state.covers:
            patch.paint(picture, self.face, state.head[:2] * self.face.scale, self._colour)
        return picture

    def displacement(self, state: State, points: np.ndarray) -> np.ndarray:
        """H×W×2 pixels at these places (H×W×2), the head's own way left out: the skin seen at x was at x − d(x)."""
        at = ((points - self._grid[0, 0]) / STEP).astype(np.float32)
        return cv2.remap(_sum(self._skin, self.amounts(state)), at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

    def amounts(self, state: State) -> list[tuple[int, float]]:
        """The state as strengths of the fields: (place in `Fields.bases`, strength), those that are not 0."""
        strengths = np.zeros(len(self._order))
        lids = state.lids.copy()
        for (unit, side), strength in state.units.items():
            if (unit, side) in self._order:
                strengths[self._order[unit, side]] += strength
            upper, lower = ACTION_UNITS.get(unit, unit).lids
            for place, name in enumerate(("right", "left")):
                if side in (name, "both"):
                    lids[place] += strength * upper
                    lids[place + 2] += strength * lower
        for basis, closing in zip(LIDS, lids):
            strengths[self._order[basis]] = np.clip(closing, -0.4, 1.0)
        strengths[self._order[THROAT]] = state.throat
        return [(int(k), float(strengths[k])) for k in np.flatnonzero(np.abs(strengths) > 1e-4)]

    def _exposed(self, t: float, state: State) -> np.ndarray:
        """The scene as the open shutter sees it, from `t` on: averaged while something moves fast."""
        shutter = self.plan.camera.shutter / self.plan.fps
        if shutter <= 0:
            return self.draw(state)
        later = self.plan.at(t + shutter)
        way = self._way(state, later)
        if way < BLURRED:
            return self.draw(state)
        count = 2 if way < 2 * BLURRED else 3
        moments = [state] + [self.plan.at(t + shutter * i / (count - 1)) for i in range(1, count - 1)] + [later]
        total = np.zeros((self.size[1], self.size[0], 3), np.uint16)
        for moment in moments:
            total = cv2.add(total, self.draw(moment), dtype=cv2.CV_16U)
        return cv2.convertScaleAbs(total, alpha=1 / count)

    def _way(self, one: State, other: State) -> float:
        """Roughly the largest displacement between two states, pixels."""
        turn = np.abs(other.head - one.head) * [1, 1, 0.012, 0.008, 0.008, 0.7]
        lids = np.abs(other.lids - one.lids)[:2].max() * self._openings[0].gap
        units = [
            abs(other.units.get(key, 0.0) - one.units.get(key, 0.0)) * ACTION_UNITS.get(key[0], key[0]).extent
            for key in one.units.keys() | other.units.keys()
        ]
        gaze = np.abs(other.gaze - one.gaze).max()
        return float(max(turn.sum(), lids, gaze, *units, 0.0)) * self.face.scale

    def _enlarged(self, coarse: np.ndarray) -> np.ndarray:
        """A coarse map → one value per pixel: height×width×channels."""
        height, width = coarse.shape[:2]
        full = cv2.resize(coarse, (width * STEP, height * STEP), interpolation=cv2.INTER_LINEAR)
        return full[STEP : STEP + self.size[1], STEP : STEP + self.size[0]]

    @staticmethod
    def _skin_colour(portrait: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """BGR of both cheeks."""
        x, y = np.clip(landmarks[[50, 280, 205, 425], :2].round().astype(int), 0, np.array(portrait.shape[1::-1]) - 1).T
        return np.median(portrait[y, x], axis=0)

    def _head_ways(self) -> np.ndarray:
        """The fields of the head's six ways to move (see `State.head`), at rest in the background and the shoulders."""
        face, grid = self.face, self._grid
        centre = face.landmarks[OVAL, :2].mean(axis=0)
        beyond = np.maximum(-face.inside_at(grid) - 0.30, 0)  # hair and ears go with the face
        share = np.exp(-((beyond / 0.75) ** 2))[..., None]
        arm = grid - centre
        near = self._nearness()[..., None]
        ones = np.ones_like(near)
        ways = [
            np.concatenate([ones, 0 * ones], axis=-1) * face.scale,
            np.concatenate([0 * ones, ones], axis=-1) * face.scale,
            np.stack([-arm[..., 1], arm[..., 0]], axis=-1) * np.pi / 180,
            np.concatenate([near, 0 * near], axis=-1) * np.pi / 180,
            np.concatenate([0 * near, near], axis=-1) * np.pi / 180,
            arm,
        ]
        return (np.stack(ways) * share).astype(np.float32)

    def _nearness(self) -> np.ndarray:
        """How much nearer to the camera than the face's rim each grid point is, pixels, smoothed: parallax's lever."""
        face = self.face
        points, depth = face.landmarks[:468, :2], face.landmarks[:468, 2]
        near = depth[OVAL].mean() - depth
        reach = 0.09 * face.scale
        square = ((self._grid[:, :, None, :] - points) ** 2).sum(axis=-1)
        weight = np.exp(-square / (2 * reach**2)) + 1e-9
        return (weight @ near / weight.sum(axis=-1)) * smoothstep(face.inside_at(self._grid) / 0.3 + 0.3)


def frame_face(shape, landmarks: np.ndarray, face_px: float, size: tuple[int, int] = SIZE) -> np.ndarray:
    """The 2×3 scaling and shift from portrait to frame: the face `face_px` wide in the middle, a little high.

    The portrait (`shape`: height, width) fills the frame: a face that is too wide for that comes out wider.
    """
    wide = float(np.linalg.norm(landmarks[454, :2] - landmarks[234, :2]))
    zoom = max(face_px / wide, size[0] / shape[1], size[1] / shape[0])
    centre = landmarks[OVAL, :2].mean(axis=0) * zoom
    shift = np.array([size[0] / 2, size[1] * EYES_AT]) - centre
    room = np.array([size[0] - shape[1] * zoom, size[1] - shape[0] * zoom])
    return np.column_stack([np.eye(2) * zoom, np.clip(shift, np.minimum(room, 0), 0)])


def _sum(fields: np.ndarray, amounts: list[tuple[int, float]]) -> np.ndarray:
    """The strengths' sum of fields (K×…) as one field."""
    total = np.zeros(fields.shape[1:], np.float32)
    for k, strength in amounts:
        cv2.scaleAdd(fields[k], strength, total, total)
    return total
