"""Whether networks decide the same when their optical flow comes from another engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from rich.table import Table

from engines.flow import cpu
from engines.runtime import known
from realtime.errors import SourceError
from realtime.inputs import INPUTS, flow_map, skd_tstsan
from realtime.networks import network
from train.data import cache, prepared
from train.data.grouping import class_of, classes
from train.flow_bench import BEFORE, opencv
from train.metrics import confusion, uar, uf1

GROUPING = "three"
USERS = ((flow_map, "tvl1"), (skd_tstsan, "tvl1_many"))  # who asks for flow, and by which name
KINDS = ("flow_map", "dual_atme_map", "skd_tstsan")  # inputs that are made of it

Tvl1 = Callable[[np.ndarray, np.ndarray], np.ndarray]


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
    engines: dict[str, Tvl1] = {"opencv": lambda one, other: opencv(**BEFORE)([(one, other)])[0], "ours": cpu.tvl1}
    for done, (file, label) in enumerate(clips):
        moments = prepared.moments(file)
        for one in networks:
            found[one.name]["truth"].append(label)
        for name, tvl1 in engines.items():
            with _flow_by(_once(tvl1)):
                for one in networks:
                    found[one.name][name].append(int(np.argmax(one(INPUTS[one.manifest["takes"]](moments)))))
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


@contextmanager
def _flow_by(tvl1: Tvl1) -> Iterator[None]:
    """Inputs are made with this flow inside the block."""
    ways = {"tvl1": tvl1, "tvl1_many": lambda pairs: [tvl1(*pair) for pair in pairs]}
    before = [getattr(module, name) for module, name in USERS]
    try:
        for module, name in USERS:
            setattr(module, name, ways[name])
        yield
    finally:
        for (module, name), own in zip(USERS, before, strict=True):
            setattr(module, name, own)


def _once(tvl1: Tvl1) -> Tvl1:
    """The same, remembering: several networks ask about the same faces."""
    known_flows = {}

    def remembered(one, other):
        key = one.tobytes(), other.tobytes()
        if key not in known_flows:
            known_flows[key] = tvl1(one, other)
        return known_flows[key]

    return remembered
