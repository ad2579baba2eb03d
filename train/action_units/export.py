"""The estimator of action units as files: ONNX, manifest and model card."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
from torch import nn

from realtime import __version__
from realtime.naming.inputs import displacement
from train.action_units.collect import OUTPUTS, Pairs
from train.export.network import compare, save_manifest, save_onnx

CARD = """\
# action_units

How far each point of a face's mesh moved from onset to apex → the probability of each action unit, the person's right and left apart.
Made by mer-live {version}, {made}. Its answers are called estimates everywhere: no FACS coder has checked it on real faces.

## What it was trained on

Synthetic faces only: {pairs} pairs of views, an onset and an apex, of {people} people, rendered from official portraits in the public
domain with one to three action units of known strength (FACS intensity A to E, most of them A to C), a quarter of them on one
side, one in ten with none. Meanwhile the head sways, lids blink, the eyes look elsewhere, the mouth may begin to speak, the light
changes; each view has noise and was filmed (H.264). The face is aligned and its flow (TV-L1) measured by the live loop's own
functions. Confidences were calibrated, and the confidence from which on a unit is told was chosen for each, on {calibration} further people.

## How good it is

`mer-bench units` measures it on 20 people that it was neither trained nor calibrated on; realtime/README.md has the table, a line a unit.
`mer-bench units --test DIR` does so on a prepared set of real people, where you have one.

## What it cannot do

- It knows the units that the generator makes ({units}), and its idea of them: smooth displacements, no furrows, no bulges.
- A confidence is one among such faces, where each unit is about as frequent as any other; on real faces it is not known.
- Units of the lids (5, 7) look like the edge of a blink; 6 like 7; 23 like 24; 25 like 26 when it is small.

## Use

{licence} No covert use. A movement of a face is not a proof of a feeling.
"""
LICENCE = "MIT, as the code: trained on synthetic pairs of portraits in the public domain."


def export(network: nn.Module, training: Pairs, others: Pairs, least: np.ndarray, out: Path) -> float:
    """Write action_units.onnx, .json and .md into `out`; returns the largest difference from torch.

    Args:
        others: those of the people that it was calibrated on.
        least: OUTPUTS float32, the confidence from which on a unit is told.
    """
    file, inputs = out / "action_units.onnx", {"moved": others.moved[:200]}
    save_onnx(network, inputs, "confidences", file)
    people, calibration = (len(set(pairs.person)) for pairs in (training, others))
    about = {
        "name": "action_units",
        "architecture": "action_units",
        "takes": "displacement",
        "version": __version__,
        "made": date.today().isoformat(),
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "classes": list(OUTPUTS),
        "inputs": [{"name": "moved", "shape": [1, 2, displacement.POINTS], "dtype": "float32"}],
        "output": {
            "name": "confidences",
            "shape": [1, len(OUTPUTS)],
            "meaning": "probability of each unit, R and L on the person's own right and left",
        },
        # a test holds these against the code: who changes them must train again
        "made_with": {name: getattr(displacement, name) for name in ("FACE", "SMOOTHING", "POINTS")},
        "training_data": {"name": "synthetic", "samples": len(training), "people": people},
        "calibration": {"people": calibration, "tell_from": [round(float(one), 2) for one in least]},
        "licence": LICENCE,
    }
    units = ", ".join(map(str, sorted({int(name.lstrip("RL")) for name in OUTPUTS})))
    facts = {"version": __version__, "made": about["made"], "pairs": len(training), "people": people, "calibration": calibration}
    save_manifest(file, about, CARD.format(**facts, units=units, licence=LICENCE))
    return compare(network, inputs, file)
