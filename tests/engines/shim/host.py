"""Compiles the GPU kernels for this machine with g++, and runs them; and pictures to run them on."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

HERE = Path(__file__).parent
KERNELS = Path(__file__).parents[3] / "engines" / "flow"


def build(out: Path, *options: str) -> Path:
    """host.cpp with the options, as `out`. Skips the test where there is no g++ for C++20."""
    if shutil.which("g++") is None:
        pytest.skip("needs g++, to compile the GPU kernels for the host")
    command = ["g++", "-std=c++20", "-pthread", "-Wall", "-Wno-unknown-pragmas", *options, "-I", HERE, "-I", KERNELS]
    done = subprocess.run([*command, "-x", "c++", HERE / "host.cpp", "-o", out], capture_output=True, text=True)
    if "unrecognized command-line option" in done.stderr or "<barrier>" in done.stderr.partition("No such file")[0]:
        pytest.skip("needs a g++ that knows C++20, to compile the GPU kernels for the host")
    assert done.returncode == 0 and not done.stderr, done.stderr
    return out


def compiled(folder: Path) -> Path:
    return build(folder / "kernels.so", "-O2", "-fPIC", "-shared")


class Library:
    """The kernels as functions, of a file of `compiled`. `threads`: of each block; few, for each is one of the system's."""

    def __init__(self, file: Path, threads: int = 2):
        self._library = ctypes.CDLL(str(file))
        self.threads = threads

    def run(self, kernel: str, blocks: int, floats: int, parameters: bytes) -> None:
        getattr(self._library, f"run_{kernel}")(blocks, self.threads, floats, parameters, len(parameters))


def pair(height, width, seed=0, channels=1, movement=2.0):
    """Two noisy uint8 pictures of a texture, the second bulging by up to `movement` pixels at two places."""
    random = np.random.default_rng(seed)
    texture = cv2.GaussianBlur(random.random((height, width, channels)).astype(np.float32), (0, 0), 2.5)
    texture = cv2.normalize(texture, None, 20, 235, cv2.NORM_MINMAX).reshape(height, width, channels)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    u = movement * np.exp(-((x - width / 2) ** 2 + (y - height * 0.6) ** 2) / (3 * width))
    v = -0.7 * movement * np.exp(-((x - width * 0.7) ** 2 + (y - height * 0.3) ** 2) / (2 * width))
    moved = cv2.remap(texture, x - u, y - v, cv2.INTER_CUBIC).reshape(height, width, channels)
    return tuple(np.clip(p + random.normal(0, 1, p.shape), 0, 255).astype(np.uint8).squeeze() for p in (texture, moved))
