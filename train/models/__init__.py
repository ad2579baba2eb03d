"""The networks, by the name that `model=` takes. Each builder makes a torch module for `classes` outputs."""

from __future__ import annotations

from train.models.dual_atme import DualATME

BUILDERS = {"dual_atme": DualATME}
