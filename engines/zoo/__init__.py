"""The networks that ship, each three files: `<name>.onnx`, its manifest `<name>.json`, and a model card `<name>.md`.

A manifest is read as what it is, a file that anybody may have written: every field that the program uses is checked by type and
range here, so that nothing further on has to.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from engines.errors import EngineError

ZOO = Path(__file__).parent


def known() -> list[str]:
    """Their names, sorted."""
    return sorted(path.stem for path in ZOO.glob("*.onnx"))


def file_of(name: str | Path) -> Path:
    """The file of a network, by its name or by the path of an .onnx file.

    Raises:
        EngineError: there is none.
    """
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


def reduced(manifest: dict) -> str:
    """What of a network is smaller than in its paper, as "reduced network and training"; "" where nothing is."""
    return f"reduced {' and '.join(manifest['reduced'])}" if manifest.get("reduced") else ""


MOST_BYTES = 2**20
MOST_CLASSES, MOST_INPUTS, MOST_SIDES, MOST_VALUES = 100, 16, 6, 2**24  # values of one sample: 64 MiB
LONGEST = 200  # letters of a name


def read_manifest(path: Path, model: Path) -> dict:
    """The manifest of the network file `model`.

    Raises:
        EngineError: it is missing or says nonsense.
    """
    if not path.is_file():
        raise EngineError(f"{model} has no manifest: {path.name} was expected beside it; export it with mer-train")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"it has {path.stat().st_size} bytes, {MOST_BYTES} at most are expected")
        manifest = json.loads(path.read_bytes().decode("utf-8"), parse_constant=_no_number)
        _need(isinstance(manifest, dict), "it holds no {…}")
        for key, check in FIELDS.items():
            _need(key in manifest, f"it lacks '{key}'")
            check(manifest[key])
        for key, check in OPTIONAL.items():
            if key in manifest:
                check(manifest[key])
    except (OSError, ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else " ".join(str(error).split())[:LONGEST]
        raise EngineError(f"{path} is not a manifest ({reason}): restore it, or export the network again") from error
    return manifest


def _need(condition: bool, what: str) -> None:
    if not condition:
        raise ValueError(what)


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST and value.isprintable()


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9 and math.isfinite(value)


def _word(key: str) -> Callable[[object], None]:
    return lambda value: _need(_is_name(value), f"'{key}' is no name of 1 to {LONGEST} printable letters")


def _classes(value: Any) -> None:
    ok = isinstance(value, list) and 1 <= len(value) <= MOST_CLASSES and all(map(_is_name, value))
    _need(ok, f"'classes' is no list of 1 to {MOST_CLASSES} names")
    _need(len(set(value)) == len(value), "'classes' names a class twice")


def _inputs(value: Any) -> None:
    _need(isinstance(value, list) and 1 <= len(value) <= MOST_INPUTS, f"'inputs' is no list of 1 to {MOST_INPUTS}")
    for one in value:
        _need(isinstance(one, dict) and _is_name(one.get("name")), "one of 'inputs' has no name")
        _need(one.get("dtype", "float32") == "float32", f"the input {one['name']} is not float32")
        _shape(one.get("shape"), f"the input {one['name']}")
    _need(len({one["name"] for one in value}) == len(value), "'inputs' names an input twice")


def _output(value: Any) -> None:
    _need(isinstance(value, dict) and _is_name(value.get("name")), "'output' has no name")
    if "shape" in value:
        _shape(value["shape"], "the output")


def _shape(value: Any, what: str) -> None:
    sides = isinstance(value, list) and 1 <= len(value) <= MOST_SIDES and all(type(side) is int and side >= 1 for side in value)
    _need(sides and value[0] == 1 and math.prod(value) <= MOST_VALUES, f"{what} has no shape such as [1, 3, 28, 28]")


def _sha256(value: Any) -> None:
    ok = isinstance(value, str) and len(value) == 64 and set(value) <= set("0123456789abcdef")
    _need(ok, "'sha256' is no SHA-256 of 64 hexadecimal digits")


def _calibration(value: Any) -> None:
    _need(isinstance(value, dict), "'calibration' is no {…}")
    for key in ("temperature", "slope", "shift", "abstain_below"):
        _need(key not in value or _is_number(value[key]), f"'calibration.{key}' is no number")
    least = value.get("tell_from", [])  # of each class, the confidence from which on it is told
    _need(
        isinstance(least, list) and all(_is_number(one) and 0 <= one <= 1 for one in least), "'calibration.tell_from' is no list of numbers of 0 to 1"
    )
    # above 1 it names nothing: who only wants the moments may have it so
    _need(0 <= value.get("abstain_below", 0) < 2, "'calibration.abstain_below' is not between 0 and 1")


def _reduced(value: Any) -> None:
    ok = isinstance(value, dict) and len(value) <= MOST_INPUTS and all(_is_name(key) and isinstance(words, str) for key, words in value.items())
    _need(ok, "'reduced' does not name what is not as in the paper")


def _macro(value: object) -> None:
    _need(isinstance(value, bool), "'macro' is neither true nor false")


FIELDS = {"name": _word("name"), "classes": _classes, "inputs": _inputs, "output": _output, "sha256": _sha256}
OPTIONAL = {"takes": _word("takes"), "architecture": _word("architecture"), "calibration": _calibration, "macro": _macro, "reduced": _reduced}
