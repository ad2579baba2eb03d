"""Brightness is no movement: what flickers is evened out, what does not is left as it is."""

import numpy as np
import pytest

from realtime.face.light import EvenLight, evened

FPS = 50
FACE = np.clip(np.random.default_rng(1).normal(120, 30, (28, 28)), 20, 230).repeat(8, 0).repeat(8, 1)  # 224×224


def seen(light: EvenLight, change, seconds: float = 2.0) -> tuple[list[np.ndarray], list[bool]]:
    """The pictures after `change(t)` → 224×224 levels has gone through `light`, and which of them were touched."""
    pictures, touched = [], []
    for t in np.arange(0, seconds, 1 / FPS):
        grey = np.clip(np.round(change(t)), 0, 255).astype(np.uint8)
        back = light(grey, t)
        pictures.append(evened(grey, back))
        touched.append(back is not None)
    return pictures, touched


@pytest.mark.parametrize(
    "change",
    [
        lambda t: FACE + 15 * np.sin(2 * np.pi * 10 * t),
        lambda t: FACE * (1 + 0.1 * np.sin(2 * np.pi * 10 * t)),
        lambda t: FACE * (1 + 0.08 * np.sin(2 * np.pi * (10 * t + np.arange(224) / 300)))[:, None],
    ],
    ids=["added", "multiplied", "bands"],
)
def test_a_flickering_light_is_evened_out(change):
    light = EvenLight()
    pictures, _ = seen(light, change)
    late = np.float32(pictures[FPS:])
    raw = np.float32([np.clip(change(t), 0, 255) for t in np.arange(1, 2, 1 / FPS)])
    assert late.std(axis=0).mean() < 0.15 * raw.std(axis=0).mean()
    assert light.hertz == pytest.approx(10, abs=1)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: FACE,
        lambda t: FACE + (10 if t > 1 else 0),  # a lamp is switched on
        lambda t: FACE + np.pad(np.full((60, 90), 40 * np.sin(2 * np.pi * 4 * t)), ((150, 14), (67, 67))),  # a mouth that speaks
    ],
    ids=["steady", "brighter from then on", "a mouth"],
)
def test_what_is_no_flicker_is_left_as_it_is(change):
    light = EvenLight()
    _, touched = seen(light, change)
    assert not any(touched)
    assert light.hertz is None
