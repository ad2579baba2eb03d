"""`mer-bench gpu-bundle`: what a bare machine with a GPU and no network needs for `mer-bench gpu`, in parts that can be carried.

mer-gpu/project is the project as it lies here, wheels/ what the machine lacks, examples.npz the demo clip's movements.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path
from typing import BinaryIO

from packaging.requirements import Requirement

from realtime.errors import MissingPartError, UsageError
from realtime.origin import ROOT
from train.bench.gpu.steps import state
from train.run_folder import commit

PART = 55_000_000  # bytes of a part at most
NAME = "mer-gpu.tar"  # not compressed: wheels and weights are already
# What `mer-bench gpu` does without: films, pages, curves and exports are not what it is about.
LEFT_OUT = "av mediapipe scikit-learn scipy tensorboard onnxscript playwright axe-playwright-python".split()
BUILDING = ["setuptools>=77", "wheel", "pybind11"]  # the project and pycuda are installed from their sources
PYCUDA_NEEDS = ["pytools", "siphash24", "mako"]
PURE = ["antlr4-python3-runtime==4.9.*"]  # has no wheel; omegaconf's
GLIBC = range(28, 4, -1)  # manylinux_2_28 and what is older
UNPACK = f"cat {NAME}.* | tar -xf -\npython3 -P mer-gpu/project/train/bench/gpu/unpacked.py"


class Parts(io.RawIOBase):
    """A file that goes on in the next part where one is full: NAME.00, NAME.01, …"""

    def __init__(self, folder: Path, most: int = PART):
        self.files: list[Path] = []
        self._folder, self._most, self._left = folder, most, 0
        self._open: BinaryIO | None = None

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        data = memoryview(data)
        written = len(data)
        while data:
            if not self._left:
                self.close()
                self.files.append(self._folder / f"{NAME}.{len(self.files):02}")
                self._open, self._left = self.files[-1].open("wb"), self._most
            self._open.write(data[: self._left])
            data, self._left = data[self._left :], max(0, self._left - len(data))
        return written

    def close(self) -> None:
        if self._open:
            self._open.close()


def requirements(has: set[str], more: list[str]) -> list[str]:
    """The project's own requirements that the machine lacks, and `more`. onnxruntime-gpu takes onnxruntime's place."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    named = {Requirement(text).name: text for text in (*project["dependencies"], *extras["train"], *extras["test"])}
    away = has | {*LEFT_OUT} | ({"onnxruntime"} if "onnxruntime-gpu" in {Requirement(one).name for one in more} else set())
    return [text for name, text in named.items() if name not in away] + more


def pack(target: Path, python: str, has: set[str], more: list[str]) -> list[Path]:
    """Write the parts and a README into `target`; returns the parts.

    Raises:
        MissingPartError: pip gets no package.
    """
    from realtime.naming import examples

    target.mkdir(parents=True, exist_ok=True)
    for old in target.glob(f"{NAME}.*"):
        old.unlink()
    wanted = requirements(has, more)
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder)
        wheels(made / "wheels", [*wanted, *BUILDING, *PYCUDA_NEEDS], python, has)
        (made / "requirements.txt").write_text("\n".join([*wanted, *PYCUDA_NEEDS]) + "\n")
        (made / "commit.txt").write_text(state() + "\n")
        (made / "README.md").write_text(readme(python, has, wanted))
        examples.save(made / "examples.npz")
        parts = Parts(target)
        with parts, tarfile.open(fileobj=parts, mode="w|") as tar:
            for name in ("README.md", "commit.txt", "requirements.txt", "examples.npz", "wheels"):
                tar.add(made / name, f"mer-gpu/{name}")
            for name in tracked():
                tar.add(ROOT / name, f"mer-gpu/project/{name}")
        (target / "README.md").write_text(readme(python, has, wanted))
    return parts.files


def wheels(folder: Path, wanted: list[str], python: str, has: set[str]) -> None:
    """Everything that `wanted` needs in turn, for that Python on Linux x86-64, but for what is there already."""
    folder.mkdir()
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    _call([*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), *PURE])
    _call([*pip, "download", "--no-deps", "--no-binary", "pycuda", "--dest", str(folder), "pycuda>=2025.1"])
    platforms = [f"--platform=manylinux_2_{minor}_x86_64" for minor in GLIBC]
    only = ["--only-binary", ":all:", "--implementation", "cp", "--python-version", python]
    olds = ["--platform=manylinux2014_x86_64", "--platform=linux_x86_64"]
    _call([*pip, "download", "--find-links", str(folder), "--dest", str(folder), *only, *platforms, *olds, *wanted])
    for file in folder.iterdir():
        if normal(file.name.split("-")[0]) in has:
            file.unlink()


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def tracked() -> list[str]:
    """The project's files, as they are now.

    Raises:
        UsageError: outside a checkout.
    """
    done = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"], capture_output=True, text=True)
    if done.returncode or commit() is None:
        raise UsageError("the bundle is packed in a checkout of the project, which this is not")
    return [name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def readme(python: str, has: set[str], wanted: list[str]) -> str:
    return (
        f"# mer-live for a machine with a GPU and no network\n\n{state()}; Python {python}, Linux x86-64. Put all parts into one "
        f"folder and type\n\n    {UNPACK.replace(chr(10), chr(10) + '    ')}\n\nIt needs there: an NVIDIA driver for CUDA 13, the CUDA "
        f"toolkit and a C++ compiler (pycuda is compiled), pip, and {', '.join(sorted(has)) or 'nothing more'}. It brings "
        f"{', '.join(Requirement(one).name for one in wanted)}. What follows `unpacked.py` goes to `mer-bench gpu`: `--out FILE` for "
        "the report.\n"
    )


def _call(words: list[str]) -> None:
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        said = re.findall(r"error: (.+)", done.stderr, re.IGNORECASE) or done.stderr.split("\n")
        raise MissingPartError(f"the bundle cannot be packed, pip says: {said[-1]}")
