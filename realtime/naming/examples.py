"""Real inputs for every network: the movements of the bundled demo clip, as the stream itself sees them.

What an engine is checked, measured and calibrated on must look like what it will be asked about. A machine without what
finds faces in a film (`make gpu-bundle`) reads them from a file that `save` wrote elsewhere, named by MER_EXAMPLES.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import numpy as np

from engines.runtime import Network
from realtime.errors import ModelError, UsageError
from realtime.face.tracker import FaceSettings, FaceTracker
from realtime.naming.inputs import INPUTS, displacement
from realtime.naming.recognizer import moments_of
from realtime.records import FaceView, Keyframes, evenly
from realtime.sources import open_source
from realtime.sources.demo import DEMO_CLIP
from realtime.spotting import Spotter, SpotterSettings, Verifier

MOST = 40
PLAIN = [part.name for part in fields(FaceView) if part.name != "measured"]  # what `save` keeps of a view


def inputs(network: Network, most: int = MOST) -> dict[str, np.ndarray]:
    """{input: (N, …) float32}, N ≤ `most`: the network's inputs for the clip's five expressions, each with several apexes.

    For the verifier, windows of the whole clip.

    Raises:
        ModelError: a network that takes something unknown.
    """
    found, windows = _watched()
    if "window" in network.shapes:
        return {"window": np.stack(evenly(windows, most))}
    kind = network.manifest.get("takes")
    if kind == "displacement":
        made = [displacement.inputs(one.onset, one.apex) for keyframes in found for one in _variants(keyframes, -(-most // len(found)))]
        return {"moved": np.concatenate([one["moved"] for one in made])[:most]}
    if kind not in INPUTS:
        raise ModelError(f"the network {network.name} takes '{kind}': expected one of {', '.join(INPUTS)}")
    each = -(-most // len(found))
    several = [INPUTS[kind](moments_of(one)) for keyframes in found for one in _variants(keyframes, each)][:most]
    return {name: np.concatenate([one[name] for one in several]) for name in several[0]}


def movements() -> list[Keyframes]:
    """The clip's five micro-expressions, as the spotter finds them."""
    return list(_watched()[0])


def save(file: Path) -> None:
    """Keep what this module knows as plain arrays (.npz), about 10 MB."""
    found, windows = _watched()
    arrays: dict[str, Any] = {"windows": np.stack(evenly(windows, MOST))}
    for number, one in enumerate(found):
        views = (one.onset, one.apex, one.offset, *one.between)
        arrays |= {f"{number}/{name}": np.stack([getattr(view, name) for view in views]) for name in PLAIN}
        arrays[f"{number}/known"] = np.array([one.peak, one.threshold, one.confidence])
    np.savez_compressed(file, movements=len(found), **arrays)


def _kept(file: Path) -> tuple[list[Keyframes], list[np.ndarray]]:
    """What `save` wrote. Raises UsageError."""
    try:
        with np.load(file) as kept:
            return [_keyframes(kept, number) for number in range(int(kept["movements"]))], list(kept["windows"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UsageError(f"MER_EXAMPLES={file} cannot be read ({type(error).__name__}: {error}): make it again, or unset it") from error


def _keyframes(kept, number: int) -> Keyframes:
    columns = [kept[f"{number}/{name}"] for name in PLAIN]
    rows: Iterator[list[Any]] = (
        [tuple(x.tolist()) if x.shape == (4,) else x if x.ndim else x.item() for x in row] for row in zip(*columns, strict=True)
    )
    views = [FaceView(*row) for row in rows]
    peak, threshold, confidence = kept[f"{number}/known"].tolist()
    onset, apex, offset, *between = views
    return Keyframes(onset, apex, offset, peak, threshold, confidence=confidence, between=tuple(between))


def _variants(keyframes: Keyframes, most: int) -> list[Keyframes]:
    """The movement itself, then the same with other moments between onset and offset for its apex."""
    between = [view for view in keyframes.between[1:-1] if view.pts != keyframes.apex.pts]
    return [keyframes, *(replace(keyframes, apex=view) for view in evenly(between, most - 1))]


@lru_cache(maxsize=1)
def _watched() -> tuple[list[Keyframes], list[np.ndarray]]:
    """The clip's micro-expressions, and every window that the verifier was asked about."""
    if kept := os.environ.get("MER_EXAMPLES"):
        return _kept(Path(kept))
    settings, windows = SpotterSettings(), []
    verify = Verifier(settings.verifier, "cpu")

    def remember(window: np.ndarray):
        windows.append(window)
        return verify(window)

    spotter, found = Spotter(settings, cast(Verifier, remember)), []
    track = FaceTracker(FaceSettings())
    try:
        with open_source(DEMO_CLIP) as source:
            for frame in source:
                readings = [spotter(view) for view in track(frame)] or [spotter.lost()]
                found += [reading.keyframes for reading in readings if reading.keyframes]
    finally:
        track.close()
    return [keyframes for keyframes in found if keyframes.kind == "micro"], windows
