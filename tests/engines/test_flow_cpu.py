"""TV-L1 on the CPU against OpenCV's, against the truth, and on pictures that nobody meant it for."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from moved_faces import distance, moved

from engines.flow import cpu

FACES = [("brows", 0.4), ("smile", 1.0), ("wince", 2.0), ("smile", 3.0)]
# run in a process of its own, where `engines` lies elsewhere: the flow of two pictures, as bits
ELSEWHERE = """
import resource, sys, zlib, numpy as np
sys.path.insert(0, sys.argv[1])
if "full" in sys.argv:
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
from engines.flow import cpu, loops
random = np.random.default_rng(0)
print(loops.__file__, zlib.crc32(cpu.tvl1(*random.integers(0, 256, (2, 40, 50), dtype=np.uint8)).tobytes()))
"""


@pytest.fixture(scope="module")
def opencv():
    """OpenCV's TV-L1 as it is without any setting."""
    optflow = getattr(cv2, "optflow", None)
    if not hasattr(optflow, "DualTVL1OpticalFlow_create"):
        pytest.skip("this OpenCV has no contrib modules")
    return lambda one, other: optflow.DualTVL1OpticalFlow_create().calc(one, other, None)


@pytest.mark.parametrize("pull, size", FACES)
def test_it_agrees_with_opencv_and_is_as_near_to_the_truth(opencv, pull, size):
    face, after, truth = moved(pull, size)
    ours, theirs = cpu.tvl1(face, after), opencv(face, after)
    assert distance(ours, theirs) < 0.05
    assert distance(ours, truth) < distance(theirs, truth) + 0.01
    assert distance(ours, truth) < 0.5 * distance(0 * truth, truth)


def test_larger_faces_agree_too(opencv):
    face, after, truth = moved("smile", 2.0, 224)
    assert distance(cpu.tvl1(face, after), opencv(face, after)) < 0.05


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 3), (15, 17), (16, 16), (31, 200), (129, 127)])
def test_pictures_of_any_size_have_a_flow(shape):
    random = np.random.default_rng(0)
    one, other = random.integers(0, 256, (2, *shape), dtype=np.uint8)
    found = cpu.tvl1(one, other)
    assert found.shape == (*shape, 2) and np.isfinite(found).all()
    assert np.abs(cpu.tvl1(one, one)).max() < 1e-3


@pytest.mark.parametrize("shape", [(23, 57), (47, 33), (100, 81)])
def test_odd_sizes_agree_with_opencv(opencv, shape):
    smooth = cv2.GaussianBlur(np.random.default_rng(1).random((120, 120)).astype(np.float32), (0, 0), 3)
    large = cv2.normalize(smooth, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    by = np.float32([[1, 0, 0.6], [0, 1, -0.3]])
    after = cv2.warpAffine(large, by, (120, 120), borderMode=cv2.BORDER_REFLECT)
    one, other = (np.ascontiguousarray(picture[: shape[0], : shape[1]]) for picture in (large, after))
    inside = np.s_[4:-4, 4:-4]
    assert distance(cpu.tvl1(one, other)[inside], opencv(one, other)[inside]) < 0.05
    assert np.abs(np.median(cpu.tvl1(one, other)[inside], axis=(0, 1)) - (0.6, -0.3)).max() < 0.1


@pytest.mark.parametrize("before, after", [(0, 0), (0, 255), (255, 10)])
def test_pictures_of_one_value_do_not_move(before, after):
    found = cpu.tvl1(np.full((40, 52), before, np.uint8), np.full((40, 52), after, np.uint8))
    assert np.array_equal(found, np.zeros((40, 52, 2), np.float32))


def test_what_was_computed_before_leaves_no_trace():
    pairs = [moved(pull, size)[:2] for pull, size in FACES]
    first = [cpu.tvl1(*pair) for pair in pairs]
    cpu.tvl1(*moved("smile", 2.0, 224)[:2])
    cpu.tvl1(*np.random.default_rng(0).integers(0, 256, (2, 128, 128), dtype=np.uint8))
    assert all(np.array_equal(cpu.tvl1(*pair), found) for pair, found in zip(reversed(pairs), reversed(first), strict=True))


def test_threads_do_not_disturb_each_other():
    pairs = [moved(pull, size)[:2] for pull, size in FACES] * 6
    alone = [cpu.tvl1(*pair) for pair in pairs]
    with ThreadPoolExecutor(4) as threads:
        batches = list(threads.map(cpu.tvl1_many, [pairs] * 4))
    assert all(np.array_equal(found, known) for batch in batches for found, known in zip(batch, alone, strict=True))


def elsewhere(folder, *words, **environment):
    command = [sys.executable, "-c", ELSEWHERE, str(folder), *words]
    known = {"PATH": os.environ["PATH"], "PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1", **environment}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=known, cwd=folder)


@pytest.fixture
def copied(tmp_path):
    """A folder with `engines` in it and nothing compiled."""
    pytest.importorskip("resource")  # POSIX only
    shutil.copytree(Path(cpu.__file__).parents[1], tmp_path / "engines", ignore=shutil.ignore_patterns("zoo", "__pycache__"))
    return tmp_path


def test_compiled_anew_at_once_or_read_back_the_bits_are_the_same(copied):
    """Two processes compile side by side into one cache, a third reads it: nothing breaks, nothing changes."""
    processes = [elsewhere(copied, NUMBA_CACHE_DIR=str(copied / "cache")) for _ in range(2)]
    answers = [process.communicate() for process in processes]
    answers.append(elsewhere(copied, NUMBA_CACHE_DIR=str(copied / "cache")).communicate())
    assert len({out for out, _ in answers}) == 1 and answers[0][0].startswith(str(copied)), answers
    assert list((copied / "cache").rglob("*.nbc"))


def test_without_room_for_the_compiled_code_it_still_runs(copied):
    """Once nowhere to write, once a full disk."""
    (copied / "file").touch()  # no folder can be made below a file, not even by root
    nowhere = str(copied / "file/cache")
    full = elsewhere(copied, "full", NUMBA_CACHE_DIR=str(copied / "cache"))
    answers = [full.communicate()]
    (copied / "engines/flow/__pycache__").touch()
    barred = elsewhere(copied, HOME=nowhere, XDG_CACHE_HOME=nowhere)
    answers.append(barred.communicate())
    assert all(out.startswith(str(copied)) for out, _ in answers), answers
    assert not list((copied / "cache").rglob("*.nbc"))
