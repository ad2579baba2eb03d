"""How each network is trained, by the name that `model=` takes.

A method's training is a module: INPUTS (a key of `realtime.naming.inputs.INPUTS`), TITLE and PREPARATION (for the manifest), and
`fit(samples, model, recipe, seed, watch, compute)`, which gives a torch module from inputs to probabilities, as it is exported:
on the CPU, wherever it was trained. Where the inputs depend on the model's switches, `kind(model)` gives their key.
Its settings are another, without torch, for they are read before anything heavy is loaded: `Model`, its switches, and `Recipe`,
its numbers of training.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

from realtime.errors import UsageError

MODULES = {
    "skd_tstsan": ("train.methods.skd_tstsan.training", "train.methods.skd_tstsan.settings"),
    "moext": ("train.methods.moext.training", "train.methods.moext.settings"),
    "dual_atme": ("train.methods.dual_atme.training", "train.methods.dual_atme.settings"),
    "sa_at": ("train.methods.sa_at.training", "train.methods.sa_at.settings"),
    "kernel_ridge": ("train.methods.kernel_ridge.training", "train.methods.kernel_ridge.settings"),
    "ststnet": ("train.methods.ststnet.training", "train.methods.ststnet.settings"),
    "svm": ("train.methods.svm.training", "train.methods.svm.settings"),
    "lbptop": ("train.methods.svm.lbptop", "train.methods.svm.settings"),
    "action_units": ("train.action_units.training", "train.action_units.settings"),  # as is the next one
    "verifier": ("train.verifier.training", "train.verifier.settings"),  # trained in a way of its own
}


@dataclass
class NoSwitches:
    """The `Model` of a method that has nothing to choose but its recipe."""

    name: str

    def check(self) -> None:
        pass


def method(name: str) -> ModuleType:
    """The module that trains it."""
    return import_module(MODULES[name][0])


def settings_of(name: str) -> ModuleType:
    """The module with its `Model` and `Recipe`."""
    return import_module(MODULES[name][1])


def takes(model: Any) -> str:
    """The key of `realtime.naming.inputs.INPUTS` for the network that `model`, a `Model` of its method, describes."""
    own = method(model.name)
    return own.kind(model) if hasattr(own, "kind") else own.INPUTS


def learns(model: Any) -> tuple[str, ...]:
    """The kinds of samples ("micro", "macro", "image") whose classes the network that answers has learnt."""
    own = method(model.name)
    return own.learns(model) if hasattr(own, "learns") else ("micro",)


def check(right: dict[str, bool]) -> None:
    """One line for a value out of range.

    Args:
        right: what is checked, in the words of the message, and whether it is right.

    Raises:
        UsageError: names the first that is not right.
    """
    for name, is_right in right.items():
        if not is_right:
            raise UsageError(f"{name} is out of range: the files in configs/ say what each setting means")
