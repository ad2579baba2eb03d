"""The model card, written from the manifest so that the two cannot disagree."""

from __future__ import annotations

TEMPLATE = """\
# {name}

{title} for {classes}.
One file, one network, {parameters:,} parameters, run by `engines.runtime.Network`. Made by mer-live {version}, {made}.

## What it takes and gives

{inputs}, or N such at once. Made from aligned pictures of one face by `realtime.naming.inputs.INPUTS["{takes}"]`:
{normalisation}.
It gives the probabilities of the classes.

## What it was trained on

{samples} micro-expressions of {people} people from {sets} ({per_class}), schedule `{schedule}`.
{about_data}
{reduced}
## How good it is

{accuracy}

{calibration}

## What it cannot do

- It knows {count} classes, and nothing else: given a blink, speech or a turning head, it will name one of them.
  The spotter's gates must keep those away.
- {limits}
- A micro-expression is not a feeling, and a class is not an intention. Do not decide about a person by it.

## Use

{licence}
Not for covert use. Inferring emotions of people at work or at school is banned in the European Union (AI Act,
Article 5(1)(f)).
"""

NAMES = {"all": "all", "casme2": "CASME II", "samm": "SAMM", "smic": "SMIC-HS", "synthetic": "synthetic faces"}

ABOUT = {
    "megc2019_flow": """\
As optical flow only: it never saw a face. The flow maps are not part of this project and are never redistributed. They
come without pictures, so a puzzle (Dual-ATME) is cut from the same flow map, at places fixed in the crop, in training
and in live use alike; the paper computes the puzzle's flow from cut-out pictures. The recipe was chosen by other,
subject-wise splits of the same people, so a small selection bias remains. The shipped weights are trained on all of
them with the same recipe; no one is left to test them on.""",
    "synthetic": """\
Expressions drawn on public-domain portraits by `mer-synth`: exact truth, real faces, but no real micro-expression.
What it reaches on real people is not known.""",
}
LIMITS = {
    "megc2019_flow": """\
It was trained on three laboratories' recordings, 100–200 frames a second, of people who sat still before a steady
  light. Webcams, other light, other ages and skin colours than theirs are untested.
- Flow is stretched per image, so the strength of a movement is lost: a still face's noise looks like a movement.""",
    "synthetic": "It has never seen a real micro-expression: train it on a data set that you have a licence for.",
}


def card(manifest: dict) -> str:
    """The card's Markdown."""
    data = manifest["training_data"]
    return TEMPLATE.format(
        name=manifest["name"],
        title=manifest["title"],
        classes=" / ".join(manifest["classes"]),
        count=len(manifest["classes"]),
        parameters=manifest["parameters"],
        version=manifest["version"],
        made=manifest["made"],
        inputs=", ".join(f"`{one['name']}` {'×'.join(map(str, one['shape']))}" for one in manifest["inputs"]),
        takes=manifest["takes"],
        normalisation=manifest["normalisation"],
        samples=data["samples"],
        people=data["people"],
        sets=", ".join(NAMES.get(name, name) for name in data["sets"]),
        per_class=", ".join(f"{count} {name}" for name, count in data["per_class"].items()),
        schedule=manifest["training"]["schedule"],
        reduced=_reduced(manifest.get("reduced", {})),
        about_data=ABOUT.get(data["name"], ""),
        accuracy=_accuracy(manifest["accuracy"]),
        calibration=_calibration(manifest.get("calibration")),
        limits=LIMITS.get(data["name"], "It is as narrow as the recordings that it was trained on."),
        licence=manifest["licence"],
    )


def _reduced(found: dict[str, str]) -> str:
    """What is not as in the paper, a paragraph, if anything."""
    what = {"network": "A reduced network", "training": "A reduced training"}
    lines = [f"- **{what[key]}**, {words}." for key, words in found.items()]
    return "\n".join(["\nNot as in the paper, whose values stand in brackets:\n", *lines, ""]) if lines else ""


def _accuracy(accuracy: dict | str) -> str:
    if isinstance(accuracy, str):
        return f"Not known: {accuracy}."
    rows = ["| people from | UF1 | UAR |", "|---|---|---|"]
    many = len(accuracy["seeds"]) > 1
    for group, score in accuracy.items():
        if isinstance(score, dict):
            cells = [f"{score[m]:.3f}" + (f" ± {score[f'{m}_sd']:.3f}" if many else "") for m in ("uf1", "uar")]
            rows.append(f"| {NAMES.get(group, group)} | {' | '.join(cells)} |")
    how = f"Measured by: {accuracy['protocol']}. Nobody is tested by a network that has seen them; no epoch is chosen on them."
    return "\n".join([how, "", *rows])


def _calibration(found: dict | None) -> str:
    if not found:
        return "Its probabilities are not calibrated."
    calibrated = (
        f"Its probabilities are calibrated (temperature {found['temperature']:.2f}) on {found['samples']} predictions of people "
        f"unseen in training: expected calibration error {found['ece_before']:.3f} before, {found['ece_after']:.3f} after."
    )
    if not found["abstain_below"]:
        return f'{calibrated}\nIt never says "unsure": {found["right_of_all"]:.0%} of all those predictions are right.'
    return (
        f'{calibrated}\nBelow a probability of {found["abstain_below"]:.2f} the live loop says "unsure": {found["withheld"]:.0%} '
        f"of those predictions; of the others {found['right_of_kept']:.0%} were right, of all {found['right_of_all']:.0%}."
    )
