"""How each network is trained, by the name that `model=` takes.

A method is a module: INPUTS (a key of `realtime.naming.inputs.INPUTS`), TITLE and PREPARATION (for the manifest), and
`fit(samples, model, recipe, seed, watch, compute)`, which gives a torch module from inputs to probabilities, as it is
exported: on the CPU, wherever it was trained.
Where the inputs depend on the model's switches, `kind(model)` gives their key.
"""

from __future__ import annotations

from typing import Any

from train.methods.dual_atme import training as dual_atme
from train.methods.kernel_ridge import training as kernel_ridge
from train.methods.moext import training as moext
from train.methods.sa_at import training as sa_at
from train.methods.skd_tstsan import training as skd_tstsan
from train.methods.ststnet import training as ststnet
from train.methods.svm import lbptop
from train.methods.svm import training as svm

METHODS = {
    "skd_tstsan": skd_tstsan,
    "moext": moext,
    "dual_atme": dual_atme,
    "sa_at": sa_at,
    "kernel_ridge": kernel_ridge,
    "ststnet": ststnet,
    "svm": svm,
    "lbptop": lbptop,
}


def takes(model: Any) -> str:
    """The key of `realtime.naming.inputs.INPUTS` for the network that `model` (a `Model` of `train.methods.recipes`) describes."""
    method = METHODS[model.name]
    return method.kind(model) if hasattr(method, "kind") else method.INPUTS
