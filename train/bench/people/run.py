"""The ladder climbed once: maps rendered, decoders trained, everybody predicted without themselves, and what that came to."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch

from realtime.errors import UsageError
from train.bench.people import decoder, ladder
from train.bench.people.lost import lost
from train.bench.people.nested import Predicted, inner, nested
from train.bench.people.rendered import EACH, UNKNOWN, Maps, rendered, trained_on
from train.bench.people.report import summary
from train.data.loaders import megc2019
from train.data.samples import Samples
from train.measure.metrics import confusion, uf1
from train.methods.kernel_ridge.settings import Recipe
from train.synthesis import people
from train.synthesis.real_motion import HELD_OUT_FROM

RECIPE = Recipe(ridge=1.0, width=1.0)  # the shipped one's: nothing is tuned here
LEAST = 2  # portraits to test on
Done = Callable[[str, int, int], None]  # (what, how many are done, of how many)


def climb(
    file: Path, portraits: Path, out: Path, held_out: str, seeds: list[int], number: int = EACH, processes: int = 1, done: Done = print
) -> dict:
    """Results by rung and of the nested choice; kept in out/results-HELD_OUT.json. held_out: "person" or "dataset".

    Raises:
        MerError: the maps or the portraits are not there, or the portraits are too few to hold some out.
    """
    real = megc2019.load_flow(file, "flow_map")
    if (number_of := len(people.portraits(portraits))) < HELD_OUT_FROM + LEAST:
        raise UsageError(f"{portraits} holds {number_of} portraits: {HELD_OUT_FROM + LEAST} or more are needed, the last of them to test on")
    out.mkdir(parents=True, exist_ok=True)
    maps = _maps(out / f"rendered-{number}.npz", portraits, number, processes, done)
    learns = trained_on(maps, portraits)
    tested = maps[~learns & (maps.label != UNKNOWN)]
    found, made, without = [], [], []
    for seed in seeds:
        views = _views(maps[learns], out, seed, done)
        made.append(_in_groups(views, tested, seed))
        without.append(lost(tested, faces(tested.stretched), _looks(tested), RECIPE, seed))
        found.append(_without_them(views, real, held_out, seed, done))
    result = summary(found, real)
    for rung in ladder.RUNGS:
        result[rung]["rendered"] = float(np.mean([each[rung] for each in made]))
    result["lost"] = {name: float(np.mean([each[name] for each in without])) for name in without[0]}
    (out / f"results-{held_out}.json").write_text(json.dumps(result, indent=1))
    parts = {f"{seed}-{rung}": p for seed, one in zip(seeds, found, strict=True) for rung, p in one.rungs.items()}
    for part in ("chosen", "nested", "calibrated"):
        parts |= {f"{seed}-{part}": getattr(one, part) for seed, one in zip(seeds, found, strict=True)}
    np.savez(out / f"predictions-{held_out}.npz", **parts)  # type: ignore[arg-type]  # savez has an option of its own
    return result


def _without_them(views: dict[str, ladder.View], real: Samples, held_out: str, seed: int, done: Done) -> Predicted:
    seen, groups = torch.from_numpy(real.inputs["full_face"]), getattr(real, held_out)
    count, of = itertools.count(1), len(np.unique(groups))
    both = {name: ladder.sides(view, seen) for name, view in views.items()}
    return nested(
        both, ladder.RUNGS, real.label, real.person, groups, RECIPE, seed, lambda: done(f"seed {seed}, each {held_out} unseen", next(count), of)
    )


def faces(stretched: np.ndarray) -> torch.Tensor:
    """N×28×28×3 in [0, 255] → (N, 3, 28, 28), as networks take them."""
    return torch.from_numpy(np.concatenate([megc2019.KINDS["flow_map"](one)["full_face"] for one in stretched]))


def _looks(maps: Maps) -> list[torch.Tensor]:
    return [faces(maps.looks[:, look]) for look in range(maps.looks.shape[1])]


def _maps(file: Path, portraits: Path, number: int, processes: int, done: Done) -> Maps:
    if not file.exists():
        count, of = itertools.count(1), len(people.portraits(portraits))
        made = rendered(portraits, number, processes=processes, done=lambda: done("portraits rendered", next(count), of))
        partial = file.with_name(f".{file.name}")
        np.savez(partial, **{f.name: getattr(made, f.name) for f in fields(Maps)})
        partial.replace(file)
    with np.load(file) as kept:
        return Maps(**{f.name: kept[f.name] for f in fields(Maps)})


def _views(maps: Maps, out: Path, seed: int, done: Done) -> dict[str, ladder.View]:
    """All views of `ladder`, those that learn taught by these maps."""
    seen, truth = faces(maps.stretched), torch.from_numpy(maps.expression).permute(0, 3, 1, 2)
    file, network = out / f"decoder-{len(truth)}-{seed}.pt", decoder.Decoder()
    if not file.exists():
        done(f"decoder {seed}", 0, 1)
        every = [seen, *_looks(maps)]
        partial = file.with_name(f".{file.name}")
        torch.save(decoder.trained(torch.cat(every), truth.repeat(len(every), 1, 1, 1), seed).state_dict(), partial)
        partial.replace(file)
        done(f"decoder {seed}", 1, 1)
    network.load_state_dict(torch.load(file, weights_only=True))
    return ladder.VIEWS | ladder.learnt(seen, truth, network.eval())


def _in_groups(views: dict[str, ladder.View], maps: Maps, seed: int) -> dict[str, float]:
    """{rung: UF1} of rendered people that nothing has learnt from, in groups of them."""
    both = {name: ladder.sides(view, faces(maps.stretched)) for name, view in views.items()}
    found = inner(both, ladder.RUNGS, maps.label, maps.person, np.full(len(maps.label), True), RECIPE, np.random.default_rng(seed))
    return {rung: float(uf1(confusion(maps.label, p.argmax(1), p.shape[1]))) for rung, p in found.items()}
