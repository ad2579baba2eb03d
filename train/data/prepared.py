"""A prepared set (`train.data.cache`) → `Samples`, by the very functions that make a network's inputs in the live loop."""

from __future__ import annotations

import ast
import hashlib
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache as once
from importlib import import_module
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track

from realtime.errors import SourceError, UsageError
from realtime.naming.inputs import INPUTS
from realtime.parallel import each
from realtime.records import Moments
from train.data import cache as store
from train.data.grouping import SAME, class_of, classes
from train.data.samples import Samples

LARGE = 2**16  # bytes of one input of one clip: from here on it is kept in fewer, where that changes next to nothing
EXACT = 5e-4  # how much half precision may change a value
FEW = 48  # clips for which no processes are started
# Inputs that look at the whole clip → which of its kept courses: of eleven frames of TIM's curve every second is one of six, exactly.
COURSES = {"lbptop": "course10", "skd_tstsan_5": "course11", "skd_tstsan_10": "course11"}


def load(
    cache: str | Path | Sequence[str | Path],
    kind: str,
    grouping: str,
    more: Sequence[str | Path] = (),
    pretrain: Sequence[str | Path] = (),
    workers: int | None = None,
    console: Console | None = None,
    apex: str = "annotated",
    still: str = "drop",
    say: Callable[[str], None] = lambda line: None,
) -> Samples:
    """The clips of one or several prepared sets (`cache`, then `more`, then `pretrain`) as inputs of `kind`, a key of `INPUTS`.

    Inputs are made once, by `workers` processes (all cores by default), and kept in CACHE/inputs/. Small arrays are float32; large
    ones are uint8 or float16 where every value stays within 5e-4.

    Args:
        apex: "annotated", or "extracted" by SA-AT's Algorithm 1 from all frames (`train.data.cut.apex_by_algorithm_1`).
        grouping: see `train.data.grouping`; clips whose label it leaves out are no samples.
        still: what happens to clips whose apex is their onset, where that apex is looked at: "drop" or "keep".
        say: takes a line for each set and reason that clips are left out.
        pretrain: sets for pre-training alone: every clip of them is a sample, see `Samples.pretraining`.
        console: shows progress.

    Raises:
        UsageError: a cache is none, a label outside the grouping, or a file damaged.
        SourceError: no clip is left.
    """
    if kind not in INPUTS:
        raise UsageError(f"unknown inputs '{kind}': expected one of {', '.join(INPUTS)}")
    caches = [Path(one) for one in ([cache] if isinstance(cache, str | Path) else cache)] + [Path(one) for one in more]
    if not caches:
        raise UsageError("no prepared set is named: give data.cache=DIR, a folder that mer-train prepare made")
    if len({one.resolve() for one in caches}) < len(caches):
        raise UsageError(f"a prepared set is named twice among {', '.join(map(str, caches))}: name it once")
    chosen = [clip for one in caches for clip in _chosen(one, kind, grouping, apex, still, say)]
    first = len(chosen)  # of those for pre-training alone
    for one in map(Path, pretrain):
        chosen += _chosen(one, kind, grouping, apex, still, say, everything=True)
    if not first:
        raise SourceError(f"no clip of {', '.join(map(str, caches))} has a label of the grouping '{grouping}': take another")
    files = [_made_file(one, row, kind, apex) for one, row, _ in chosen]
    tasks = [(one / "clips" / row.file, row.kind, file) for (one, row, _), file in zip(chosen, files, strict=True) if not file.exists()]
    made = each(_make, (kind, apex), tasks, workers=workers if len(tasks) > FEW else 1)
    for _ in track(made, f"inputs {kind}", len(tasks), console=console) if console and tasks else made:
        pass
    rows = [row for _, row, _ in chosen]
    return Samples(
        _stack(files),
        np.array([label for _, _, label in chosen], np.int64),
        np.array([f"{row.dataset}/{row.subject}" for row in rows]),
        np.array([row.dataset for row in rows]),
        np.array([row.kind for row in rows]),
        np.array([row.name for row in rows]),
        classes(grouping),
        np.array([SAME.get(row.label, row.label) for row in rows]),
        np.arange(len(rows)) >= first,
    )


def _chosen(
    cache: Path, kind: str, grouping: str, apex: str, still: str, say: Callable[[str], None], everything: bool = False
) -> list[tuple[Path, store.Row, int]]:
    """(the set, a clip, its label) of the clips that are wanted.

    everything: those, too, that are outside the grouping, with the label −1.
    """
    rows, outside, motionless, found = store.read_rows(cache), Counter[str](), 0, []
    for row in rows:
        try:
            label = class_of(grouping, row.dataset, row.name, row.label, f"clip {row.subject} {row.name} ({row.row}; {cache / 'clips.csv'})")
        except UsageError:
            if not everything:
                raise
            label = None
        if label is None and not everything:
            outside[row.label] += 1
        elif row.still and still == "drop" and _apex(kind, row.kind, apex) == "apex":
            motionless += 1
        else:
            found.append((cache, row, -1 if label is None else classes(grouping).index(label)))
    of = f"of {len(rows)} clips of {cache}"
    if outside:
        those = ", ".join(f"{number} {label}" for label, number in outside.most_common())
        say(f"{outside.total()} {of} are outside the grouping {grouping} ({those})")
    if motionless:
        say(f"{motionless} {of} are left out, their apex is their onset: data.still=keep takes them")
    return found


def moments(file: Path, apex: str = "apex", course: str | None = None) -> Moments:
    """The views of one clip.

    Args:
        apex: the name of the kept view that stands for the apex: "apex", "fifth" or "extracted".
        course: the name of the kept frames that stand for the whole clip ("course10"); None: they are not wanted.

    Raises:
        UsageError: the file is damaged, or of an older version that did not keep what is asked for.
    """
    views = _read(file)
    named = ("onset", apex, "offset", "points", *([course] if course else []))
    if missing := [name for name in named if name not in views]:
        if set(missing) <= {"extracted", course}:
            raise UsageError(f"{file.parent.parent} was prepared by an older version, without all that is asked for: run mer-train prepare again")
        raise _damaged(file, f"no {', '.join(missing)} in it")
    onset, top, offset, points = (views[name] for name in named[:4])
    view = onset.shape
    if not (
        len(view) == 3 and view[2] == 3 and top.shape == offset.shape == view and {one.dtype for one in (onset, top, offset)} == {np.dtype(np.uint8)}
    ):
        raise _damaged(file, "its views are no colour pictures of one size")
    if points.shape != (68, 2) or points.dtype.kind != "f" or not np.isfinite(points).all():
        raise _damaged(file, "its points are not 68 places")
    if course is None:
        return Moments(onset, top, offset, points)
    between = views[course]
    if between.ndim != 3 or between.shape[1:] != view[:2] or not len(between) or between.dtype != np.uint8:
        raise _damaged(file, f"its {course} are no grey pictures of that size")
    return Moments(onset, top, offset, points, [cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR) for grey in between])


@once
def digest(kind: str) -> str:
    """Changes with the code that makes the inputs of `kind`: its module and what that imports of ours, and OpenCV."""
    told = hashlib.sha256(f"{cv2.__version__} {store.FORMAT}".encode())
    for name in sorted(_ours(INPUTS[kind].__module__, set())):
        told.update(Path(sys.modules[name].__file__).read_bytes())
    return told.hexdigest()[:10]


def _ours(module: str, found: set[str]) -> set[str]:
    """`module` and the modules of engines and realtime that it imports, directly or not."""
    if module in found:
        return found
    found.add(module)
    for node in ast.walk(ast.parse(Path(import_module(module).__file__).read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in ("engines", "realtime"):
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            modules = [name for name in inner if name in sys.modules] or [node.module]
            for name in modules:
                _ours(name, found)
    return found


def _apex(kind: str, row_kind: str, apex: str) -> str:
    """The name of the kept view that stands for the apex in inputs of `kind`."""
    if row_kind == "macro" and kind == "moext":
        return "fifth"  # Sec. 3: no apex is annotated in macro-expressions
    return "extracted" if row_kind == "micro" and apex == "extracted" else "apex"


def _made_file(cache: Path, row: store.Row, kind: str, apex: str) -> Path:
    return cache / "inputs" / f"{kind}-{digest(kind)}{'' if apex == 'annotated' else f'-{apex}'}" / row.file


def _make(shared: tuple[str, str], task: tuple[Path, str, Path]) -> None:
    """Make and keep the inputs of one clip."""
    (kind, apex), (clip, row_kind, file) = shared, task
    views = moments(clip, _apex(kind, row_kind, apex), COURSES.get(kind))
    try:
        made = INPUTS[kind](views)
    except ValueError as error:
        raise UsageError(f"{clip} cannot be made into inputs of {kind}: {error}") from error
    file.parent.mkdir(parents=True, exist_ok=True)
    store.write_arrays(file, {name: _compact(array[0]) for name, array in made.items()})


def _compact(array: np.ndarray) -> np.ndarray:
    """float32 in fewer bytes where that is (nearly) the same."""
    if array.nbytes < LARGE:
        return array
    for kind, off in ((np.uint8, 0.0), (np.float16, EXACT)):
        with np.errstate(invalid="ignore", over="ignore"):
            small = array.astype(kind)
        if np.abs(small.astype(np.float32) - array).max() <= off:
            return small
    return array


def _stack(files: list[Path]) -> dict[str, np.ndarray]:
    """{name: N×…} of the files; of several types, the one that holds them all."""
    parts: dict[str, list[np.ndarray]] = {}
    first: dict[str, tuple] = {}
    for file in files:
        arrays = _read(file)
        first = first or {name: array.shape for name, array in arrays.items()}
        if first != {name: array.shape for name, array in arrays.items()}:
            raise _damaged(file, "it holds other inputs than the rest")
        for name, array in arrays.items():
            parts.setdefault(name, []).append(array)
    stacked = {}
    for name in list(parts):
        those = parts.pop(name)
        stacked[name] = np.empty((len(those), *those[0].shape), np.result_type(*{part.dtype for part in those}))
        for row in range(len(those)):
            stacked[name][row], those[row] = those[row], None  # memory goes over piece by piece
    return stacked


def _read(file: Path) -> dict[str, np.ndarray]:
    """The arrays of an .npz. Raises UsageError for a damaged one, and where there is none."""
    if not file.exists():
        raise UsageError(f"{file} is absent: delete it from clips.csv, or prepare the set again")
    try:
        if not zipfile.is_zipfile(file):
            raise ValueError("no archive")
        with np.load(file) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise _damaged(file, str(error)) from error


def _damaged(file: Path, why: str) -> UsageError:
    return UsageError(f"{file} is damaged ({why}): delete it, then prepare the set again")
