"""`mer-train`: every word on its line is a setting (Hydra override)."""

from __future__ import annotations

import click
from omegaconf import OmegaConf
from rich.console import Console

from realtime.cli.common import command, only_overrides
from realtime.errors import MissingPartError
from realtime.settings import load
from train.settings import TrainSettings

EXAMPLES = """\
  mer-train model=dual_atme data=megc2019_flow                  train on everyone, export
  mer-train model=dual_atme data=megc2019_flow protocol=loso    leave one subject out, 3 seeds
  mer-train model=svm protocol=loso seeds=[0]                   the baseline beside it
  mer-train protocol=folds fit.epochs=30 out=runs/short         try a recipe, quickly
configs/train.yaml and the groups beside it explain every setting. A measurement that was broken off goes on where it stopped."""


@command("mer-train", EXAMPLES)
@click.argument("settings", nargs=-1, metavar="[NAME=VALUE]...")
def main(settings: tuple[str, ...]) -> None:
    """Train a network, export it, or measure a recipe on people that it has not seen."""
    overrides = only_overrides(settings, "for example model=dual_atme")
    resolved = OmegaConf.to_object(load("train", overrides, TrainSettings))
    try:
        import sklearn  # noqa: F401
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingPartError(f"{error.name} is not installed: pip install 'mer-live[train]'") from error
    from train.run import run

    run(resolved, Console())
