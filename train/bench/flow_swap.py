"""Whether networks decide the same when their optical flow comes from another engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.table import Table

from engines.flow import CPU, Pair
from engines.zoo import known
from realtime.errors import SourceError
from realtime.naming.inputs import INPUTS
from realtime.networks import network
from train.bench.flow import BEFORE, Many, opencv
from train.data import cache, prepared
from train.data.grouping import class_of, classes
from train.measure.metrics import confusion, uar, uf1

GROUPING = "three"
KINDS = ("flow_map", "dual_atme_map", "skd_tstsan")  # inputs that are made of it


def decide(folder: Path, tick: Callable[[int, int], None]) -> dict[str, dict[str, np.ndarray]]:
    """{network: {"truth", "opencv", "ours": a class for each clip}}, of the prepared set's micro-expressions.

    For every shipped network of three classes that takes flow. tick(done, of): clips. Raises SourceError without clips.
    """
    three = classes(GROUPING)
    networks = [one for one in map(network, known()) if one.manifest.get("takes") in KINDS and one.classes == three]
    clips = [
        (folder / "clips" / row.file, three.index(label))
        for row in cache.read_rows(folder)
        if row.kind == "micro" and (label := class_of(GROUPING, row.dataset, row.name, row.label, row.row)) is not None
    ]
    if not clips:
        raise SourceError(f"no micro-expression of {folder} has a label of the grouping '{GROUPING}': take another set")
    found = {one.name: {"truth": [], "opencv": [], "ours": []} for one in networks}
    engines: dict[str, Many] = {"opencv": opencv(**BEFORE), "ours": CPU.many}
    for done, (file, label) in enumerate(clips):
        moments = prepared.moments(file)
        for one in networks:
            found[one.name]["truth"].append(label)
        for name, many in engines.items():
            tvl1 = _Once(many)
            for one in networks:
                found[one.name][name].append(int(np.argmax(one(INPUTS[one.manifest["takes"]](moments, tvl1)))))
        tick(done + 1, len(clips))
    return {name: {which: np.array(those) for which, those in one.items()} for name, one in found.items()}


def table(decided: dict[str, dict[str, np.ndarray]]) -> Table:
    """UF1 and UAR with either flow, and how many decisions differ."""
    made = Table(box=None, header_style="dim", pad_edge=False)
    made.add_column("network")
    for name in ("UF1, OpenCV's flow", "ours", "UAR, OpenCV's flow", "ours", "decisions that differ"):
        made.add_column(name, justify="right")
    for name, one in decided.items():
        either = [confusion(one["truth"], one[which], len(classes(GROUPING))) for which in ("opencv", "ours")]
        figures = [f"{measure(matrix):.3f}" for measure in (uf1, uar) for matrix in either]
        made.add_row(name, *figures, f"{(one['opencv'] != one['ours']).sum()} of {len(one['truth'])}")
    return made


class _Once:
    """Stands for a `Flow`, and remembers: several networks ask about the same faces."""

    def __init__(self, many: Many):
        self._many, self._known = many, {}

    def __call__(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return self.many([(one, other)])[0]

    def many(self, pairs: list[Pair]) -> list[np.ndarray]:
        return [self._flow(*pair) for pair in pairs]

    def _flow(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        key = one.tobytes(), other.tobytes()
        if key not in self._known:
            self._known[key] = self._many([(one, other)])[0]
        return self._known[key]
