"""What is compiled or loaded when it is first used, used once before it matters: the first event must not be late."""

from __future__ import annotations

import numpy as np

from realtime.face.alignment import Alignment, Picture
from realtime.face.light import EvenLight
from realtime.face.nobody import views
from realtime.spotting import Spotter, SpotterSettings, Verifier
from realtime.spotting.verify import CHANNELS, WINDOW


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
