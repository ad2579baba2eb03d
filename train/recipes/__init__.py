"""Each method's switches (`Model`) and numbers of training (`Recipe`), by the name that `model=` takes.

No torch here: settings are read before anything heavy is loaded.
"""

from __future__ import annotations

from train.recipes import dual_atme, kernel_ridge, moext, plain, sa_at, skd_tstsan, ststnet, svm

RECIPES = {
    "skd_tstsan": skd_tstsan,
    "moext": moext,
    "dual_atme": dual_atme,
    "sa_at": sa_at,
    "kernel_ridge": kernel_ridge,
    "ststnet": ststnet,
    "svm": svm,
    "lbptop": svm,
    "verifier": plain,
}
