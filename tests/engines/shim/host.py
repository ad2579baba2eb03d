"""Compiles the GPU kernels for this machine with g++, and runs them."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

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


class Library:
    """The kernels as functions. `threads`: of each block; few, for each is one of the system's."""

    def __init__(self, folder: Path, threads: int = 2):
        self._library = ctypes.CDLL(str(build(folder / "kernels.so", "-O2", "-fPIC", "-shared")))
        self.threads = threads

    def run(self, kernel: str, blocks: int, floats: int, parameters: bytes) -> None:
        getattr(self._library, f"run_{kernel}")(blocks, self.threads, floats, parameters, len(parameters))
