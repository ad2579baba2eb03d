"""The networks that ship, each three files: `<name>.onnx`, its manifest `<name>.json`, and a model card `<name>.md`."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path

from engines.errors import EngineError

ZOO = Path(__file__).parent


def known() -> list[str]:
    """Their names, sorted."""
    return sorted(path.stem for path in ZOO.glob("*.onnx"))


def file_of(name: str | Path) -> Path:
    """The file of a network, by its name or by the path of an .onnx file. Raises EngineError where there is none."""
    if str(name).endswith(".onnx"):
        path = Path(name)
        if not os.path.isfile(path):  # unlike Path, it takes any name
            raise EngineError(f"no network file at {path}: give a file that exists, or one of {', '.join(known())}")
        return path
    if str(name) not in known():
        near = get_close_matches(str(name), known(), n=1, cutoff=0.4)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise EngineError(f"unknown network '{name}': {hint}known ones are {', '.join(known()) or '(none)'}")
    return ZOO / f"{name}.onnx"
