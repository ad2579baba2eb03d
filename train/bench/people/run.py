"""The ladder climbed once: maps rendered, decoders trained, everybody predicted without themselves, and what that came to."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch

from train.bench.people import decoder, ladder
from train.bench.people.nested import Predicted, nested
from train.bench.people.rendered import EACH, UNKNOWN, Maps, rendered, trained_on
from train.data.loaders import megc2019
from train.measure.metrics import ece, interval, scores
from train.methods.kernel_ridge.settings import Recipe

RECIPE = Recipe(ridge=1.0, width=1.0)  # the shipped one's: nothing is tuned here
Done = Callable[[str, int, int], None]  # (what, how many are done, of how many)


def climb(
    file: Path, portraits: Path, out: Path, held_out: str, seeds: list[int], number: int = EACH, processes: int = 1, done: Done = print
) -> dict:
    """Results by rung and of the nested choice; kept in out/results-HELD_OUT.json. held_out: "person" or "dataset"."""
    out.mkdir(parents=True, exist_ok=True)
    maps = _maps(out / f"rendered-{number}.npz", portraits, number, processes, done)
    learns = trained_on(maps, portraits)
    stretched, label, person, dataset = megc2019.read(file)
    real, seen = faces(stretched), faces(maps.stretched)
    tested = np.flatnonzero(~learns & (maps.label != UNKNOWN))
    groups = {"person": person, "dataset": dataset}[held_out]
    found, made = [], []
    for seed in seeds:
        views = _views(maps[learns], seen[learns], out, seed, done)
        ways = {name: ladder.sides(view, seen[tested]) for name, view in views.items()}
        made.append(_crossed(ways, maps.label[tested], maps.person[tested], seed))
        ways = {name: ladder.sides(view, real) for name, view in views.items()}
        count, of = [0], len(np.unique(groups))

        def tell(seed=seed, count=count, of=of):
            count[0] += 1
            done(f"seed {seed}, {held_out} held out", count[0], of)

        found.append(nested(ways, ladder.RUNGS, label, person, groups, RECIPE, seed, tell))
    result = summary(found, label, person, dataset)
    for rung in ladder.RUNGS:
        result[rung]["rendered"] = float(np.mean([each[rung] for each in made]))
    (out / f"results-{held_out}.json").write_text(json.dumps(result, indent=1))
    np.savez(
        out / f"predictions-{held_out}.npz",
        **{f"{seed}-{rung}": p for seed, one in zip(seeds, found, strict=True) for rung, p in one.rungs.items()},
        **{f"{seed}-{part}": getattr(one, part) for seed, one in zip(seeds, found, strict=True) for part in ("chosen", "nested", "calibrated")},
    )
    return result


def faces(stretched: np.ndarray) -> torch.Tensor:
    """N×28×28×3 in [0, 255] → (N, 3, 28, 28), as networks take them."""
    return torch.from_numpy(np.concatenate([megc2019.KINDS["flow_map"](one)["full_face"] for one in stretched]))


def summary(found: list[Predicted], label: np.ndarray, person: np.ndarray, dataset: np.ndarray) -> dict:
    """{rung and "nested": {"all" and each set: {"uf1", "uar": mean over seeds}, "sd", "interval", "ece"}, "chosen": shares}."""
    by_name = {rung: [one.rungs[rung] for one in found] for rung in found[0].rungs}
    by_name |= {"nested": [one.nested for one in found], "nested, calibrated": [one.calibrated for one in found]}
    classes, result = len(megc2019.CLASSES), {}
    for name, each in by_name.items():
        predicted = [p.argmax(1) for p in each]
        tables = [scores(label, p, dataset, classes) for p in predicted]
        row: dict = {group: {m: float(np.mean([t[group][m] for t in tables])) for m in ("uf1", "uar", "accuracy")} for group in tables[0]}
        row["sd"] = {m: float(np.std([t["all"][m] for t in tables])) for m in ("uf1", "uar")}
        row["interval"] = interval(label, predicted, person, classes)
        row["ece"] = float(np.mean([ece(p, label) for p in each]))
        result[name] = row
    chosen = np.concatenate([one.chosen for one in found])
    result["chosen"] = {str(rung): float((chosen == rung).mean()) for rung in np.unique(chosen)}
    return result


def markdown(result: dict, held_out: str) -> str:
    """The ladder as a table."""
    sets = [group for group in next(iter(result.values())) if group not in ("all", "sd", "interval", "ece", "rendered")]
    lines = [f"| UF1 / UAR, each {held_out} unseen | all | {' | '.join(sets)} | ECE | rendered people |", "|---" * (len(sets) + 4) + "|"]
    for name, row in result.items():
        if name == "chosen":
            continue
        (low, high), (lowest, highest), sd = row["interval"]["uf1"], row["interval"]["uar"], row["sd"]
        both = f"{row['all']['uf1']:.3f} ± {sd['uf1']:.3f} [{low:.2f}, {high:.2f}] / {row['all']['uar']:.3f} [{lowest:.2f}, {highest:.2f}]"
        others = [f"{row[group]['uf1']:.3f} / {row[group]['uar']:.3f}" for group in sets]
        made = f"{row['rendered']:.3f}" if "rendered" in row else ""
        lines.append(f"| {name} | {both} | {' | '.join(others)} | {row['ece']:.3f} | {made} |")
    shares = ", ".join(f"{rung} {share:.0%}" for rung, share in sorted(result["chosen"].items(), key=lambda one: -one[1]))
    return "\n".join([*lines, "", f"Chosen for the nested answer: {shares}.", ""])


def _maps(file: Path, portraits: Path, number: int, processes: int, done: Done) -> Maps:
    if not file.exists():
        count = [0]

        def tell():
            count[0] += 1
            done("portraits rendered", count[0], 0)

        made = rendered(portraits, number, processes=processes, done=tell)
        np.savez(file, **{f.name: getattr(made, f.name) for f in fields(Maps)})
    with np.load(file) as kept:
        return Maps(**{f.name: kept[f.name] for f in fields(Maps)})


def _views(maps: Maps, seen: torch.Tensor, out: Path, seed: int, done: Done) -> dict[str, ladder.View]:
    """All views of `ladder`, those that learn taught by these maps."""
    truth = torch.from_numpy(maps.expression).permute(0, 3, 1, 2)
    file, network = out / f"decoder-{len(truth)}-{seed}.pt", decoder.Decoder()
    if not file.exists():
        done(f"decoder {seed}", 0, 1)
        others = [faces(maps.looks[:, look]) for look in range(maps.looks.shape[1])]
        torch.save(decoder.trained(torch.cat([seen, *others]), truth.repeat(1 + len(others), 1, 1, 1), seed).state_dict(), file)
    network.load_state_dict(torch.load(file, weights_only=True))
    return ladder.VIEWS | ladder.learnt(seen, truth, network.eval())


def _crossed(views: dict, label: np.ndarray, person: np.ndarray, seed: int) -> dict[str, float]:
    """{rung: UF1} of rendered people that nothing has learnt from, in groups of them."""
    from train.bench.people.nested import inner
    from train.measure.metrics import confusion, uf1

    found = inner(views, ladder.RUNGS, label, person, np.full(len(label), True), RECIPE, np.random.default_rng(seed))
    return {rung: float(uf1(confusion(label, p.argmax(1), p.shape[1]))) for rung, p in found.items()}
