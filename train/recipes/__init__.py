"""Each method's switches (`Model`) and numbers of training (`Recipe`), by the name that `model=` takes.

No torch here: settings are read before anything heavy is loaded.
"""

from __future__ import annotations

from train.recipes import dual_atme, plain

RECIPES = {"dual_atme": dual_atme, "svm": plain, "verifier": plain}
