"""The data sets that networks are trained on, by the name that `data=` takes."""

from __future__ import annotations

from train.data.megc2019 import load_flow

LOADERS = {"megc2019_flow": load_flow}
