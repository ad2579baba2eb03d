"""The data sets of pictures and videos that `mer-train prepare` knows, by the name that `data=` takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from train.data.annotations import Clip, LeftOut
from train.data.loaders.generic import generic, synthetic
from train.data.loaders.recent import dfme, fourdme
from train.data.loaders.tables import casme2, casme3, mmew, samm
from train.data.loaders.untabled import ckplus, images, smic

LOADERS: dict[str, Callable[[Path], list[Clip | LeftOut]]] = {
    "casme2": casme2,
    "samm": samm,
    "smic": smic,
    "mmew": mmew,
    "casme3": casme3,
    "dfme": dfme,
    "4dme": fourdme,
    "ckplus": ckplus,
    "images": images,
    "generic": generic,
    "synthetic": synthetic,
}
