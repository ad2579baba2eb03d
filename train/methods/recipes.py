"""Each method's switches (`Model`) and numbers of training (`Recipe`), by the name that `model=` takes.

No torch here: settings are read before anything heavy is loaded.
"""

from __future__ import annotations

from train.methods.dual_atme import settings as dual_atme
from train.methods.kernel_ridge import settings as kernel_ridge
from train.methods.moext import settings as moext
from train.methods.sa_at import settings as sa_at
from train.methods.skd_tstsan import settings as skd_tstsan
from train.methods.ststnet import settings as ststnet
from train.methods.svm import settings as svm
from train.verifier import settings as plain

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
