"""The data sets of pictures and videos that `mer-train prepare` knows, by the name that `data=` takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from train.data.clip import Clip, LeftOut
from train.data.images import images
from train.data.loaders.casme2 import casme2
from train.data.loaders.casme3 import casme3
from train.data.loaders.ckplus import ckplus
from train.data.loaders.generic import generic
from train.data.loaders.mmew import mmew
from train.data.loaders.samm import samm
from train.data.loaders.smic import smic
from train.data.loaders.synthetic import synthetic

LOADERS: dict[str, Callable[[Path], list[Clip | LeftOut]]] = {
    "casme2": casme2,
    "samm": samm,
    "smic": smic,
    "mmew": mmew,
    "casme3": casme3,
    "ckplus": ckplus,
    "images": images,
    "generic": generic,
    "synthetic": synthetic,
}
