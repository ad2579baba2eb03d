"""What is compiled or loaded when it is first used, used once before it matters: the first event must not be late.

It is used on a face of nobody, good enough for that and for nothing else.
"""

from __future__ import annotations

import numpy as np

from realtime.face.alignment import Alignment, Picture
from realtime.face.geometry import ALIGNED, EYE_LINE, LANDMARKS_68, OUTER_EYES, STABLE_IDS, TEMPLATE
from realtime.face.light import EvenLight
from realtime.records import FaceView
from realtime.spotting import Spotter, SpotterSettings, Verifier
from realtime.spotting.verify import CHANNELS, WINDOW

# of the 68-point scheme, in outer-eye distances from the point between the outer eye corners: (points, middle, radii)
_PLACES = (
    (range(17), (0.0, 0.6), (0.8, 0.9)),  # jaw
    (range(17, 22), (-0.35, -0.25), (0.2, 0.05)),  # brows
    (range(22, 27), (0.35, -0.25), (0.2, 0.05)),
    (range(27, 31), (0.0, 0.2), (0.0, 0.2)),  # nose
    (range(31, 36), (0.0, 0.5), (0.15, 0.08)),  # nostrils
    (range(36, 42), (-0.35, 0.0), (0.15, 0.06)),  # eyes
    (range(42, 48), (0.35, 0.0), (0.15, 0.06)),
    (range(48, 68), (0.0, 0.85), (0.3, 0.12)),  # lips
)


def mesh() -> np.ndarray:
    """Landmarks, 478×2 float32 aligned pixels."""
    points = np.tile(np.float32(EYE_LINE), (478, 1))
    for group, middle, radii in _PLACES:
        half = group[0] in (0, 31)  # from the left to the right, below; else all around
        turn = np.linspace(0, -np.pi if half else 2 * np.pi, len(group), endpoint=half)[:, None]
        around = np.array(middle) - np.hstack([np.cos(turn), np.sin(turn)]) * radii  # from the left, over the top
        points[LANDMARKS_68[list(group)]] = around * OUTER_EYES + EYE_LINE
    points[STABLE_IDS] = TEMPLATE
    return points


def views(count: int = 4) -> list[FaceView]:
    """A texture that slides on by a pixel from view to view, 5 ms apart."""
    texture = np.random.default_rng(0).integers(0, 256, (ALIGNED // 4, ALIGNED // 4, 3), np.uint8).repeat(4, 0).repeat(4, 1)
    pictures = [np.ascontiguousarray(np.roll(texture, index, axis=1)) for index in range(count)]
    return [FaceView(0, 0, index, 0.005 * index, 0.0, pixels, mesh(), (0, 0, ALIGNED, ALIGNED), 0.0, 0.3) for index, pixels in enumerate(pictures)]


def warm_stream(settings: SpotterSettings, verifier: Verifier | None) -> None:
    """Alignment and spotter, which every frame goes through."""
    spotter = Spotter(settings, verifier, None if verifier else lambda: None)
    picture = Picture()
    for view in views():
        alignment = Alignment(picture.show(view.pixels), view.landmarks, view.pts, EvenLight())
        alignment.follow(picture, view.pts)
        alignment.in_image(view.landmarks)
        spotter(view)
    if verifier is not None:
        verifier(np.zeros((CHANNELS, WINDOW), np.float32))
