"""Inputs of SKD-TSTSAN, MoExt and SA-AT made by the GPU's kernels, compiled for the host: those of the CPU."""

import numpy as np
import pytest
from gpu import needs_cuda
from shim.fake_cuda import H200
from shim.host import pair
from test_cuda_kernels import BOXES

from engines.flow import cuda
from realtime import warm
from realtime.naming.inputs import INPUTS, face, moext, sa_at, skd_tstsan
from realtime.naming.inputs.on_gpu import ON_GPU
from realtime.naming.recognizer import moments_of
from realtime.records import Keyframes, Moments

STACK = skd_tstsan.FACE, skd_tstsan.SIDE, skd_tstsan.GRID


def movements():
    """(onset, apex, offset view, box) of each kind of box."""
    pairs = [(*pair(224, 224, seed, channels=3), pair(224, 224, seed, channels=3, movement=0.5)[1]) for seed in range(len(BOXES))]
    return [(*views, box) for views, box in zip(pairs, BOXES.values(), strict=True)]


def on_cpu(item, monkeypatch):
    onset, apex, offset, box = item
    monkeypatch.setattr(skd_tstsan, "crop_box", lambda points: box)
    return skd_tstsan.from_moments(Moments(onset, apex, offset, None))["stack"][0]


def test_stacks_are_those_of_realtime_and_stay_on_the_gpu(start, monkeypatch):
    gpu = start(**H200)
    blank = np.full((224, 224, 3), 77, np.uint8)
    items = [*movements()[:4], (blank, blank, blank, (10, 20, 190, 200))]
    stacks = cuda.stacks(items, *STACK)
    assert gpu.copies == ["up", "up"] and [name for name, *_ in gpu.launched] == ["grey_faces", "tvl1_near", "stack_faces"]
    for item, found in zip(items, stacks.numpy(), strict=True):
        wanted = on_cpu(item, monkeypatch)
        off = np.abs(found - wanted)  # of values within 0 … 1
        assert off[:34].max() < 1e-5 and off[34:].mean() < 5e-3
    assert (found == 0.5).all()  # what has one value throughout
    assert cuda.stacks([], *STACK).numpy().shape == (0, 38, 48, 48)


def test_more_movements_than_one_launch_takes_are_shared_out(start, monkeypatch):
    gpu, items = start(**H200), movements()[:3]
    together = cuda.stacks(items, *STACK).numpy()
    monkeypatch.setattr("engines.flow.lanes.Kernels.batch", lambda *_: 2)
    assert np.array_equal(cuda.stacks(items, *STACK).numpy(), together)
    assert [grid for name, grid, _, _ in gpu.launched if name == "stack_faces"] == [(3 * 38,), (38,), (38,), (38,)]


@pytest.mark.parametrize("size", [moext.SIZE, sa_at.SIZE])
def test_colour_pictures_are_those_of_realtime_to_the_bit(start, size):
    start(**H200)
    views = [(apex, box) for _, apex, _, box in movements()]
    found = cuda.colours(views, size).numpy()
    for (view, box), picture in zip(views, found, strict=True):
        assert np.array_equal(picture, coloured(view, box, size))
    assert cuda.colours([], size).numpy().shape == (0, 3, size, size)


def coloured(view, box, size):
    import cv2

    return face.as_batch(cv2.cvtColor(cv2.resize(face.crop(view, box), (size, size)), cv2.COLOR_BGR2RGB))[0]


@pytest.mark.parametrize("kind", ["skd_tstsan", "moext", "sa_at", "sa_at_apex"])
def test_each_kind_is_made_there_under_the_names_that_it_has_here(start, kind):
    start(**H200)
    seen = warm.views()
    several = [moments_of(Keyframes(*seen[at : at + 3], 1.0, 1.0)) for at in (0, 1)]
    made = ON_GPU[kind].many([ON_GPU[kind].one(one) for one in several])
    expected = [INPUTS[kind](one) for one in several]
    assert set(made) == set(expected[0])
    for name, array in made.items():
        wanted = np.concatenate([one[name] for one in expected])
        assert array.shape == wanted.shape and np.abs(array.numpy() - wanted).mean() < 5e-3


@needs_cuda
def test_a_real_gpu_makes_the_inputs_of_realtime(monkeypatch):
    items = movements()
    for item, found in zip(items, cuda.stacks(items, *STACK).numpy(), strict=True):
        off = np.abs(found - on_cpu(item, monkeypatch))
        assert off[:34].max() < 1e-4 and off[34:].mean() < 0.02  # textures: iterations that stop a step apart
    views = [(apex, box) for _, apex, _, box in items]
    for (view, box), picture in zip(views, cuda.colours(views, sa_at.SIZE).numpy(), strict=True):
        assert np.array_equal(picture, coloured(view, box, sa_at.SIZE))
