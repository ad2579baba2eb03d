"""Builds the GPU kernels ahead of time: `python -P -m engines.flow.fatbin`, with CUDA's nvcc on the PATH.

Out come `kernels.fatbin`, machine code for each of ARCHITECTURES and PTX for GPUs that come after them, and
`kernels.json`, which says what it is made of. Both are committed; a test holds them against the sources. So is
`kernels.npz`, what the kernels must compute (`realtime.naming.inputs.answers` writes it), under the same manifest.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from engines.errors import EngineError

HERE = Path(__file__).parent
FATBIN, ANSWERS, MANIFEST = (HERE / f"kernels.{kind}" for kind in ("fatbin", "npz", "json"))
UNIT = "kernels.cu"
SOURCES = (UNIT, "common.cuh", "strips.cuh", "pictures.cuh", "tvl1.cu", "maps.cu", "stacks.cu")
ARCHITECTURES = ("sm_75", "sm_80", "sm_86", "sm_89", "sm_90", "sm_120")
PTX = "compute_90"
# Division and root to within a bit or two, which the flow does not notice, for a fraction of the instructions.
# No line numbers: they would carry the builder's folders into the file.
OPTIONS = ("-O3", "-std=c++17", "-ftz=true", "-prec-div=false", "-prec-sqrt=false", "-Xfatbin", "-compress-all")

MEND = "install mer-live again, or build them: python -P -m engines.flow.fatbin"


def sources_sha256() -> str:
    """Of the names, the texts and the options that the kernels are compiled from."""
    digest = hashlib.sha256(" ".join((*OPTIONS, *ARCHITECTURES, PTX)).encode())
    for name in SOURCES:
        digest.update(f"\0{name}\0".encode() + (HERE / name).read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def build(target: Path, architectures: tuple[str, ...] = ARCHITECTURES, ptx: str | None = PTX) -> str:
    """Writes the fatbin to `target`; returns what ptxas reports of each kernel.

    Raises:
        EngineError: there is no nvcc, or it does not compile them.
    """
    nvcc = shutil.which("nvcc")
    if nvcc is None:
        raise EngineError("nvcc is not on the PATH: install the CUDA toolkit, 13.0 or newer")
    codes = [f"-gencode=arch=compute_{name[3:]},code={name}" for name in architectures]
    if ptx:
        codes.append(f"-gencode=arch={ptx},code={ptx}")
    command = [nvcc, "-fatbin", "-t", "0", *OPTIONS, "-Xptxas", "-v", *codes, "-o", str(target), UNIT]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True)
    if done.returncode:
        raise EngineError(f"nvcc does not compile the kernels: {' '.join(done.stderr.split())[:300]}")
    return done.stderr


def version() -> str:
    """nvcc's, as "13.0.88"."""
    text = subprocess.run(["nvcc", "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"V([\d.]+)", text)
    return found[1] if found else "unknown"


def load() -> bytes:
    """The committed kernels, checked against their manifest and that against the sources.

    Raises:
        EngineError: they are damaged, or made from other sources.
    """
    code, manifest = read(FATBIN, "fatbin_sha256"), _manifest()
    if manifest.get("sources_sha256") != sources_sha256():
        raise EngineError(f"{FATBIN.name} was built for another version of this program: {MEND}")
    return code


def read(file: Path, key: str) -> bytes:
    """A file beside this one, checked against its SHA-256 in the manifest.

    Raises:
        EngineError: it is missing or damaged.
    """
    expected = _manifest().get(key)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise _unreadable(error) from error
    if hashlib.sha256(content).hexdigest() != expected:
        raise EngineError(f"{file.name} is not the file that {MANIFEST.name} describes: {MEND}")
    return content


def record(file: Path, content: bytes, **facts) -> None:
    """Write a file of which the manifest tells, and the manifest with these facts about it, the others as they were."""
    known = _manifest() if MANIFEST.exists() else {}
    for path, data in ((file, content), (MANIFEST, json.dumps({**known, **facts}, indent=2).encode() + b"\n")):
        spare = path.with_suffix(".new")
        spare.write_bytes(data)
        os.replace(spare, path)


def _manifest() -> dict:
    try:
        return dict(json.loads(MANIFEST.read_text("utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> EngineError:
    return EngineError(f"the GPU kernels cannot be read ({type(error).__name__}: {error}): {MEND}")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / FATBIN.name
        print(build(made))
        code = made.read_bytes()
    record(
        FATBIN,
        code,
        fatbin_sha256=hashlib.sha256(code).hexdigest(),
        sources_sha256=sources_sha256(),
        sources=SOURCES,
        nvcc=version(),
        architectures=ARCHITECTURES,
        ptx=PTX,
    )
    print(f"{FATBIN.name}: {len(code)} bytes for {', '.join(ARCHITECTURES)} and {PTX}")


if __name__ == "__main__":
    try:
        main()
    except EngineError as error:
        sys.exit(str(error))
