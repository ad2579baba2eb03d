"""MEGC2019 as 28×28 optical flow: SMIC-HS, CASME II and SAMM together, three classes, no faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from realtime.errors import UsageError
from realtime.naming.inputs import dual_atme, flow_map
from train.data.samples import Samples

# What can be made of a flow map alone: the kinds of `realtime.naming.inputs.INPUTS`
KINDS = {"dual_atme_map": dual_atme.from_map, "flow_map": flow_map.from_map}
SOURCE = (
    "These flow maps are not part of the project: pack those of github.com/wangzhifengharrison/HTNet (no licence is stated), or "
    "ask the owners of CASME II, SAMM and SMIC for the recordings (licensed for research), prepare each and give data=composite; "
    "train/README.md says how"
)
CLASSES = ("negative", "positive", "surprise")


def load_flow(path: str | Path, takes: str = "dual_atme_map") -> Samples:
    """The maps of `read` as inputs of the kind `takes`, one of KINDS.

    Raises:
        UsageError: as `read`.
    """
    x, label, person, dataset = read(path)
    inputs = [KINDS[takes](flow) for flow in x]
    stack = {name: np.concatenate([one[name] for one in inputs]) for name in inputs[0]}
    kind = np.full(len(label), "micro")
    return Samples(stack, label.astype(np.int64), person, dataset, kind, person, CLASSES)


def read(path: str | Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """`flow_28x28.npz` → (N×28×28×3 uint8 maps, labels as places in CLASSES, people, data sets).

    Subject numbers repeat between the three sets, so a person is "dataset/subject".

    Raises:
        UsageError: the file is missing or is something else.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            x, label, subject, dataset = (file[key] for key in ("x", "label", "subject", "dataset"))
    except FileNotFoundError as error:
        raise UsageError(f"no data at {path}: set data.path=FILE, or MER_DATA to the folder of megc2019/. {SOURCE}") from error
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(f"{path} is not the MEGC2019 flow archive (x, label, subject, dataset): {error}") from error
    if x.ndim != 4 or x.shape[1:] != (28, 28, 3):
        raise UsageError(f"{path} holds maps of shape {x.shape[1:]}, not (28, 28, 3): set data.path to flow_28x28.npz")
    person = np.array([f"{d}/{s}" for d, s in zip(dataset, subject, strict=True)])
    return x, label, person, dataset
