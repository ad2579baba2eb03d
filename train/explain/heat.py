"""`python -m train.explain.heat NETWORK < moments.npz > heat.npz`: Grad-CAM for a program that has no PyTorch in itself.

In: the fields of `records.Moments` as arrays. Out: heat, H×W float32 in [0, 1] over the face crop, and its title.
"""

from __future__ import annotations

import io
import sys

import numpy as np

from realtime.errors import ModelError
from realtime.naming.inputs import INPUTS
from realtime.networks import network
from realtime.records import Moments
from train.explain.gradcam import gradcam, place
from train.explain.run import has
from train.explain.weights import torch_network
from train.methods import METHODS


def heat(name: str, moments: Moments) -> tuple[str, np.ndarray]:
    """(title, heat) of the class that the network finds likeliest. Raises ModelError where none of its layers shows the face."""
    shipped = network(name, "cpu")
    inputs = INPUTS[shipped.manifest["takes"]](moments)
    made = torch_network(shipped, inputs)
    target = int(np.argmax(shipped(inputs)))
    within = "network." if "calibration" in shipped.manifest else ""
    for title, (layer, picture) in METHODS[shipped.manifest["architecture"]].LAYERS.items():
        layer = place(layer, within)
        if picture == "face" and not layer.startswith("input:") and has(made, layer):
            return f"Grad-CAM: {title}", gradcam(made, inputs, layer, target)
    raise ModelError(f"no layer of {name} shows the face as it is")


def main() -> None:
    with np.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False) as given:
        moments = Moments(**{name: given[name] for name in given.files})
    title, found = heat(sys.argv[1], moments)
    file = io.BytesIO()
    np.savez(file, heat=found, title=np.array(title))
    sys.stdout.buffer.write(file.getvalue())


if __name__ == "__main__":
    main()
