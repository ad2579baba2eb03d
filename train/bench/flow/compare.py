"""OpenCV's TV-L1 and ours side by side, in time, in agreement, against known movements, and in what networks decide."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from rich.table import Table

from engines.flow import CPU, Flow, Pair, cpu
from engines.zoo import known
from realtime.cli.terminal import percentiles
from realtime.errors import MissingPartError, SourceError
from realtime.naming.inputs import INPUTS
from realtime.networks import network
from train.bench.flow.pairs import Faces
from train.data import cache, prepared
from train.data.grouping import class_of, classes
from train.measure.metrics import confusion, uar, uf1

SIDES = (128, 224)
REPEATS = 3
BATCH = 64
BEFORE = {"nscales": 3, "warps": 2, "medianFiltering": 3}  # what this program asked of OpenCV until it had its own
GROUPING = "three"
KINDS = ("flow_map", "dual_atme_map", "skd_tstsan")  # inputs that are made of it
DEFAULT, AS_BEFORE = "OpenCV, its defaults", "OpenCV, as before"

Many = Callable[[Sequence[Pair]], list[np.ndarray]]


@dataclass
class Row:
    """What one flow came to.

    Attributes:
        taken: {side: milliseconds a pair, one number for each run}.
        flows: of the recorded pairs at 128.
        missed: mean endpoint distance to the truth of each rendered pair, pixels.
    """

    taken: dict[int, list[float]] = field(default_factory=dict)
    flows: list[np.ndarray] = field(default_factory=list)
    missed: list[float] = field(default_factory=list)


def lacks_opencv() -> str | None:
    """One line: why OpenCV has no TV-L1 here, which came without its contrib modules; None where it has."""
    # `cv2.optflow` exists without the function where another OpenCV wheel was unpacked over the contrib one
    if hasattr(getattr(cv2, "optflow", None), "DualTVL1OpticalFlow_create"):
        return None
    return (
        f"OpenCV {cv2.__version__} has no TV-L1 flow to compare with: remove every opencv-python* package, then install opencv-contrib-python again"
    )


def opencv(**settings) -> Many:
    """OpenCV's TV-L1.

    Raises:
        MissingPartError: it has none.
    """
    if lacking := lacks_opencv():
        raise MissingPartError(lacking)
    make = cv2.optflow.DualTVL1OpticalFlow_create
    return lambda pairs: [make(**settings).calc(one, other, None) for one, other in pairs]


def measure(recorded: list[Faces], rendered: list[Faces], done: Callable[[], None] = lambda: None) -> dict[str, Row]:
    """{engine: what was measured}, OpenCV's first where it has this flow. `done` is called `steps(…)` times. OpenCV is held to
    one thread meanwhile."""
    engines: dict[str, Many] = {}
    if lacks_opencv() is None:
        engines = {DEFAULT: opencv(), AS_BEFORE: opencv(**BEFORE)}
    engines["ours, one core"] = lambda pairs: [cpu.tvl1(*pair) for pair in pairs]
    batched: dict[str, Many] = {f"ours, {BATCH} at once": cpu.tvl1_many}
    if Flow("auto").on_gpu:
        from engines.flow import cuda

        engines["ours, GPU"] = cuda.tvl1_many
        batched[f"ours, GPU, {BATCH} at once"] = cuda.tvl1_many
    rows = {name: Row() for name in engines | batched}
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        for side in SIDES:
            pairs = [faces.pair(side) for faces in recorded]
            for many in engines.values():
                many(pairs[:1])  # whatever is compiled or allocated first
            for pair in pairs:
                for name, many in engines.items():  # side by side: what else this machine does meets all alike
                    repeats = 1 if name.startswith("OpenCV") else REPEATS
                    flow = [_timed(many, [pair], rows[name].taken.setdefault(side, [])) for _ in range(repeats)][0]
                    rows[name].flows += flow if side == SIDES[0] else []
                done()
            for name, many in batched.items():
                several = [pairs[k % len(pairs)] for k in range(BATCH)]
                many(several)
                flows = [_timed(many, several, rows[name].taken.setdefault(side, [])) for _ in range(REPEATS)][0]
                rows[name].flows += flows[: len(pairs)] if side == SIDES[0] else []
        for faces in rendered:
            truth, known = faces.truth(SIDES[0])
            for name, many in engines.items():
                away = np.linalg.norm(many([faces.pair(SIDES[0])])[0] - truth, axis=2)
                rows[name].missed.append(float(away[known].mean()))
            done()
    finally:
        cv2.setNumThreads(threads)
    return rows


def steps(recorded: list[Faces], rendered: list[Faces]) -> int:
    """How often `measure` says that it got on."""
    return len(SIDES) * len(recorded) + len(rendered)


def table(rows: dict[str, Row]) -> Table:
    """Milliseconds a pair at each size, how often that goes into the first row's, and mean endpoint distances in pixels."""
    first, beside = next(iter(rows.items()))
    made = Table(box=None, header_style="dim", pad_edge=False)
    made.add_column("TV-L1, ms a pair\n", no_wrap=True)
    for side in SIDES:
        for above, below in ((f"{side}²", "p50"), ("", "p95"), ("", "faster")):
            made.add_column(f"{above}\n{below}", justify="right", no_wrap=True)
    for name in (f"to {'OpenCV' if first == DEFAULT else first}\nmean, px", "\nworst", "to truth\nmean, px"):
        made.add_column(name, justify="right", no_wrap=True)
    theirs = {side: percentiles(beside.taken[side], 50)[0] for side in SIDES}
    for name, row in rows.items():
        times = []
        for side in SIDES:
            half, most = percentiles(row.taken[side], 50, 95)
            times += [f"{half:.2f}", f"{most:.2f}", "–" if name == first else f"{theirs[side] / half:.0f}×"]
        both = zip(row.flows, beside.flows, strict=True)
        away = [float(np.linalg.norm(ours - theirs, axis=2).mean()) for ours, theirs in both]
        apart = ["–", "–"] if name == first else [f"{np.mean(away):.4f}", f"{max(away):.4f}"]
        made.add_row(name, *times, *apart, f"{np.mean(row.missed):.4f}" if row.missed else "–")
    return made


def decide(folder: Path, tick: Callable[[int, int], None]) -> dict[str, dict[str, np.ndarray]]:
    """Whether networks decide the same with either flow: {network: {"truth", "opencv", "ours": a class for each clip, int64}}.

    Of a prepared set's micro-expressions, for every shipped network of three classes that takes flow. tick(done, of): clips.

    Raises:
        SourceError: there are no clips.
    """
    three = classes(GROUPING)
    networks = [one for one in map(network, known()) if one.manifest.get("takes") in KINDS and one.classes == three]
    clips = [
        (folder / "clips" / row.file, three.index(label))
        for row in cache.read_rows(folder)
        if row.kind == "micro" and not row.still and (label := class_of(GROUPING, row.dataset, row.name, row.label, row.row)) is not None
    ]
    if not clips:
        raise SourceError(f"no micro-expression of {folder} has a label of the grouping '{GROUPING}': take another set")
    found: dict[str, dict[str, list[int]]] = {one.name: {"truth": [], "opencv": [], "ours": []} for one in networks}
    engines: dict[str, Many] = {"opencv": opencv(**BEFORE), "ours": CPU.many}
    for done, (file, true) in enumerate(clips):
        moments = prepared.moments(file)
        for one in networks:
            found[one.name]["truth"].append(true)
        for name, many in engines.items():
            tvl1 = _Once(many)
            for one in networks:
                found[one.name][name].append(int(np.argmax(one(INPUTS[one.manifest["takes"]](moments, tvl1)))))
        tick(done + 1, len(clips))
    return {name: {which: np.array(those) for which, those in one.items()} for name, one in found.items()}


def table_of_decisions(decided: dict[str, dict[str, np.ndarray]]) -> Table:
    """UF1 and UAR with either flow, and how many decisions differ. decided: of `decide`, N labels each."""
    made = Table(box=None, header_style="dim", pad_edge=False)
    made.add_column("network")
    for name in ("UF1, OpenCV's flow", "ours", "UAR, OpenCV's flow", "ours", "decisions that differ"):
        made.add_column(name, justify="right")
    for name, one in decided.items():
        either = [confusion(one["truth"], one[which], len(classes(GROUPING))) for which in ("opencv", "ours")]
        figures = [f"{figure(matrix):.3f}" for figure in (uf1, uar) for matrix in either]
        made.add_row(name, *figures, f"{(one['opencv'] != one['ours']).sum()} of {len(one['truth'])}")
    return made


class _Once:
    """Stands for a `Flow`, and remembers: several networks ask about the same faces."""

    def __init__(self, many: Many):
        self._many = many
        self._known: dict = {}

    def __call__(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return self.many([(one, other)])[0]

    def many(self, pairs: list[Pair]) -> list[np.ndarray]:
        return [self._flow(*pair) for pair in pairs]

    def _flow(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        key = one.tobytes(), other.tobytes()
        if key not in self._known:
            self._known[key] = self._many([(one, other)])[0]
        return self._known[key]


def _timed(many: Many, pairs: list[Pair], taken: list[float]) -> list[np.ndarray]:
    begun = time.perf_counter()
    flows = many(pairs)
    taken.append((time.perf_counter() - begun) * 1e3 / len(pairs))
    return flows
