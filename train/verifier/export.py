"""The verifier as files: ONNX, manifest and model card."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
from torch import nn

from realtime import __version__
from realtime.spotting import movement, verify
from train.export.network import compare, save_manifest, save_onnx
from train.synthesis.real_motion import movements

CARD = """\
# verifier

The spotter's verifier: the last {seconds:.1f} seconds of how each part of a face moved → what has just ended
({classes}), and, for a micro-expression, when it began, peaked and ended. Made by mer-live {version}, {made}.

## What it was trained on

Synthetic clips only: {clips} clips of {people} people, made by `mer-synth` from official portraits in the public domain.
{movements}
It learnt what a micro-expression is from clips, some crowded with them, and from recorded series with further ones laid over; then what is none from
clips without any (blinks, speech, macro-expressions, gaze, light); the weights of before and after are averaged.
It never saw a picture of a real micro-expression. Its confidence was calibrated on {calibration} further people.

## How good it is

`mer-bench spotting` measures it on people and seeds that it was not trained on; realtime/README.md has the table.

## What it cannot do

- It knows the movements that the generator makes, and its timing, which follows published annotation tables. How well that carries
  over to real faces was measured by others on a few real clips alone (realtime/README.md has it): no recording with real, annotated
  micro-expressions may be shipped or was at hand.
- It looks at one face that is followed without a break for at least {half:.1f} seconds.

## Use

{licence} No covert use. A micro-expression is a movement of a face, not a proof of a feeling.
"""

REAL = """\
Half of its micro-expressions move as {people} real people did: {maps} onset→apex flow maps of MEGC2019 (SMIC-HS, CASME II, SAMM), their sizes
drawn anew, put on the portraits; the other half are scripted action units. They return by 0 to 100 % at their offset, some lie on
an expression that is there already, some have a blink inside. The people of the maps that the benchmark shows are not among them."""
UNITS = "All of its movements are scripted action units: the flow maps of real people (MEGC2019) were not at hand."
RESEARCH = """\
Research use only. It learnt from flow maps of SMIC-HS, CASME II and SAMM, whose licences allow research; the maps themselves are \
not part of this project and must not be redistributed."""
OPEN = "MIT, as the code: trained on synthetic clips of portraits in the public domain."


def export(
    network: nn.Module, windows: np.ndarray, clips: int, people: int, micro: int, calibration: int, sigmoid: tuple[float, float], out: Path
) -> float:
    """Write verifier.onnx, .json and .md into `out`; returns the largest difference from torch over `windows`.

    windows: N×CHANNELS×WINDOW float32. micro: how many training moments end a micro-expression.
    calibration: people it was calibrated on, with this sigmoid (slope, shift).
    """
    file, inputs = out / "verifier.onnx", {"window": windows}
    real = movements(training=True)
    movers = len({movement.person for movement in real})
    save_onnx(network, inputs, "answer", file)
    about = {
        "name": "verifier",
        "architecture": "verifier",
        "version": __version__,
        "made": date.today().isoformat(),
        "classes": list(verify.CLASSES),
        "inputs": [{"name": "window", "shape": [1, verify.CHANNELS, verify.WINDOW], "dtype": "float32"}],
        "output": {
            "name": "answer",
            "shape": [1, len(verify.CLASSES) + len(verify.TIMES)],
            "meaning": "probabilities of the classes, then seconds since onset, apex and offset",
        },
        # a test holds these against the code: who changes them must train again
        "made_with": {"RATE": verify.RATE, "WINDOW": verify.WINDOW, "PARTS": list(movement.PARTS)},
        "training_data": {
            "name": "synthetic",
            "clips": clips,
            "people": people,
            "micro_moments": micro,
            "real_movements": len(real),
            "real_people": movers,
        },
        "calibration": {"people": calibration, "slope": sigmoid[0], "shift": sigmoid[1]},
        "licence": RESEARCH if real else OPEN,
    }
    text = CARD.format(
        seconds=verify.WINDOW / verify.RATE,
        half=verify.WINDOW / verify.RATE / 2,
        classes=", ".join(verify.CLASSES),
        version=__version__,
        made=about["made"],
        clips=clips,
        people=people,
        calibration=calibration,
        movements=REAL.format(people=movers, maps=len(real)) if real else UNITS,
        licence="Research use." if not real else RESEARCH,
    )
    save_manifest(file, about, text)
    return compare(network, inputs, file)
