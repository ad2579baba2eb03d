"""How each network is trained, by the name that `model=` takes.

A method is a module: INPUTS (a key of `realtime.inputs.INPUTS`), TITLE and PREPARATION (for the manifest), and
`fit(samples, model, recipe, seed, watch)`, which gives a torch module from inputs to probabilities, as it is exported.
"""

from __future__ import annotations

from train.methods import dual_atme, svm

METHODS = {"dual_atme": dual_atme, "svm": svm}
