"""The model card, written from the manifest so that the two cannot disagree."""

from __future__ import annotations

TEMPLATE = """\
# {name}

Dual-ATME (Zhou et al., Entropy 2023, 25(3), 460) for {classes}.
One file, one network, 4,833,193 parameters, run by `engines.runtime.Network`. Made by mer-live {version}, {made}.

## What it takes and gives

Two 28×28 maps of the optical flow from onset to apex, (u, v, optical strain): the full face, and a puzzle of brows and
mouth. `realtime.inputs.dual_atme` makes both from two aligned face pictures. It gives the probabilities of the classes;
the average over the face and its mirror image is inside the graph.

## What it was trained on

{samples} micro-expressions of {people} people from {sets}
({per_class}), as optical flow only: it never saw a face.
The flow maps are not part of this project and are never redistributed. They come without pictures, so the puzzle's
regions are cut from the same flow map, at places fixed in the crop, in training and in live use alike; the paper
computes the puzzle's flow from cut-out pictures.

## How good it is

{accuracy}

Leave one subject out: every person is tested by a network that never saw them, the number of epochs is fixed, and
predictions are pooled over people before the score is taken. Scores are means over seeds ± standard deviation. The
recipe was chosen by other, subject-wise splits of the same people, so a small selection bias remains. The shipped
weights are trained on all {people} people with the same recipe; no one is left to test them on.

## What it cannot do

- It knows three classes, and nothing else: given a blink, speech or a turning head, it will name one of them.
  The spotter's gates must keep those away.
- It was trained on three laboratories' recordings, 100–200 frames a second, of people who sat still before a steady
  light. Webcams, other light, other ages and skin colours than theirs are untested.
- Flow is stretched per image, so the strength of a movement is lost: a still face's noise looks like a movement.
- A micro-expression is not a feeling, and a class is not an intention. Do not decide about a person by it.

## Use

Research use only, after the licences of SMIC, CASME II and SAMM. Not for covert use. Inferring emotions of people at
work or at school is banned in the European Union (AI Act, Article 5(1)(f)).
"""


NAMES = {"all": "all", "casme2": "CASME II", "samm": "SAMM", "smic": "SMIC-HS"}


def card(manifest: dict) -> str:
    """The card's Markdown."""
    data = manifest["training_data"]
    return TEMPLATE.format(
        name=manifest["name"],
        classes=" / ".join(manifest["classes"]),
        version=manifest["version"],
        made=manifest["made"],
        samples=data["samples"],
        people=data["people"],
        sets=", ".join(NAMES.get(name, name) for name in data["sets"]),
        per_class=", ".join(f"{count} {name}" for name, count in data["per_class"].items()),
        accuracy=_accuracy(manifest["accuracy"]),
    )


def _accuracy(accuracy: dict | str) -> str:
    if isinstance(accuracy, str):
        return f"Not known: {accuracy}."
    rows = ["| people from | UF1 | UAR |", "|---|---|---|"]
    for group, score in accuracy.items():
        if isinstance(score, dict):
            cells = [f"{score[metric]:.3f} ± {score[f'{metric}_sd']:.3f}" for metric in ("uf1", "uar")]
            rows.append(f"| {NAMES.get(group, group)} | {' | '.join(cells)} |")
    return "\n".join(rows)
