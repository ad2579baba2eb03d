"""Real inputs for every network: the movements of the bundled demo clip, as the stream itself sees them.

What an engine is checked, measured and calibrated on must look like what it will be asked about.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from importlib.resources import files

import numpy as np

from engines.runtime import Network
from realtime.errors import ModelError
from realtime.faces import FaceSettings, FaceTracker
from realtime.inputs import INPUTS
from realtime.recognition import moments_of
from realtime.records import Keyframes, evenly
from realtime.sources import open_source
from realtime.spotting import Spotter, SpotterSettings, Verifier

MOST = 40


def inputs(network: Network, most: int = MOST) -> dict[str, np.ndarray]:
    """{input: (N, …) float32}, N ≤ `most`: the network's inputs for the clip's five expressions, each with several apexes.

    For the verifier, windows of the whole clip. Raises ModelError for a network that takes something unknown.
    """
    found, windows = _watched()
    if "window" in network.shapes:
        return {"window": np.stack(evenly(windows, most))}
    kind = network.manifest.get("takes")
    if kind not in INPUTS:
        raise ModelError(f"the network {network.name} takes '{kind}': expected one of {', '.join(INPUTS)}")
    each = -(-most // len(found))
    several = [INPUTS[kind](moments_of(one)) for keyframes in found for one in _variants(keyframes, each)][:most]
    return {name: np.concatenate([one[name] for one in several]) for name in several[0]}


def movements() -> list[Keyframes]:
    """The clip's five micro-expressions, as the spotter finds them."""
    return list(_watched()[0])


def _variants(keyframes: Keyframes, most: int) -> list[Keyframes]:
    """The movement itself, then the same with other moments between onset and offset for its apex."""
    between = [view for view in keyframes.between[1:-1] if view.pts != keyframes.apex.pts]
    return [keyframes, *(replace(keyframes, apex=view) for view in evenly(between, most - 1))]


@lru_cache(maxsize=1)
def _watched() -> tuple[list[Keyframes], list[np.ndarray]]:
    """The clip's micro-expressions, and every window that the verifier was asked about."""
    settings, windows = SpotterSettings(), []
    verify = Verifier(settings.verifier, "onnx")

    def remember(window: np.ndarray):
        windows.append(window)
        return verify(window)

    spotter, found = Spotter(settings, remember), []
    track = FaceTracker(FaceSettings())
    try:
        with open_source(str(files("realtime").joinpath("assets/demo.mp4"))) as source:
            for frame in source:
                readings = [spotter(view) for view in track(frame)] or [spotter.lost()]
                found += [reading.keyframes for reading in readings if reading.keyframes]
    finally:
        track.close()
    return [keyframes for keyframes in found if keyframes.kind == "micro"], windows
