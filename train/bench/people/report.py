"""What the ladder came to: figures of each rung and of the nested choice, and the table of them."""

from __future__ import annotations

import numpy as np

from train.bench.people.nested import Predicted
from train.data.samples import Samples
from train.measure.metrics import drawn, ece, interval, scores, uf1

NOT_SETS = ("all", "sd", "interval", "gain", "ece", "rendered")


def summary(found: list[Predicted], real: Samples) -> dict:
    """{rung and "nested": {"all" and each set: {"uf1", "uar": mean over seeds}, "sd", "interval", "gain", "ece"}, "chosen": shares}."""
    by_name = {rung: [one.rungs[rung] for one in found] for rung in found[0].rungs}
    by_name |= {"nested": [one.nested for one in found], "nested, calibrated": [one.calibrated for one in found]}
    label, classes, result = real.label, len(real.classes), {}
    for name, each in by_name.items():
        predicted = [p.argmax(1) for p in each]
        tables = [scores(label, p, real.dataset, classes) for p in predicted]
        row: dict = {group: {m: float(np.mean([t[group][m] for t in tables])) for m in ("uf1", "uar", "accuracy")} for group in tables[0]}
        row["sd"] = {m: float(np.std([t["all"][m] for t in tables])) for m in ("uf1", "uar")}
        row["interval"] = interval(label, predicted, real.person, classes)
        row["gain"] = _gain(real, by_name[next(iter(by_name))], each)
        row["ece"] = float(np.mean([ece(p, label) for p in each]))
        result[name] = row
    chosen = np.concatenate([one.chosen for one in found])
    result["chosen"] = {str(rung): float((chosen == rung).mean()) for rung in np.unique(chosen)}
    return result


def _gain(real: Samples, first: list[np.ndarray], other: list[np.ndarray]) -> list[float]:
    """[low, high]: 95 % bootstrap interval over people of how much higher the UF1 of `other` is, the same people drawn for both."""
    both = (uf1(drawn(real.label, [p.argmax(1) for p in each], real.person, len(real.classes))).mean(0) for each in (first, other))
    before, after = both
    return [float(x) for x in np.quantile(after - before, (0.025, 0.975))]


def markdown(result: dict, held_out: str) -> str:
    """The ladder as a table."""
    sets = [group for group in next(iter(result.values())) if group not in NOT_SETS]
    heads = [f"UF1 / UAR, each {held_out} unseen", "all", "UF1 beside the first's", *sets, "ECE", "rendered people"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for name, row in result.items():
        if name in ("chosen", "lost"):
            continue
        (low, high), (lowest, highest), sd = row["interval"]["uf1"], row["interval"]["uar"], row["sd"]
        both = f"{row['all']['uf1']:.3f} ± {sd['uf1']:.3f} [{low:.2f}, {high:.2f}] / {row['all']['uar']:.3f} [{lowest:.2f}, {highest:.2f}]"
        others = [f"{row[group]['uf1']:.3f} / {row[group]['uar']:.3f}" for group in sets]
        made = f"{row['rendered']:.3f}" if "rendered" in row else ""
        gain = f"{row['all']['uf1'] - result[next(iter(result))]['all']['uf1']:+.3f} [{row['gain'][0]:+.2f}, {row['gain'][1]:+.2f}]"
        lines.append(f"| {name} | {both} | {gain} | {' | '.join(others)} | {row['ece']:.3f} | {made} |")
    shares = ", ".join(f"{rung} {share:.0%}" for rung, share in sorted(result["chosen"].items(), key=lambda one: -one[1]))
    lines += ["", f"Chosen for the nested answer: {shares}.", "", "| rendered people, the shipped recipe given | UF1 |", "|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {value:.3f} |" for name, value in result["lost"].items()), ""])
