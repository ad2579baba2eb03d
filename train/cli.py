"""`mer-train`: every word on its line is a setting (Hydra override)."""

from __future__ import annotations

import click

from realtime.cli.common import command, only_overrides
from realtime.cli.console import Console
from realtime.errors import MissingPartError, UsageError
from train.settings import chosen

EXAMPLES = """\
  mer-train data=megc2019_flow                                  train on everyone, export (model=kernel_ridge)
  mer-train model=dual_atme data=megc2019_flow protocol=loso    leave one subject out, 3 seeds
  mer-train model=svm protocol=loso seeds=[0]                   the baseline beside it
  mer-train model=dual_atme protocol=folds fit.epochs=30        try a recipe, quickly
  mer-train prepare data=casme2 data.root=FOLDER                crop, align and keep a data set once
  mer-train model=skd_tstsan data=casme2 data.grouping=casme2_5 protocol=loso schedule=cpu
  mer-train explain clip.mp4 event=2 network=skd_tstsan         where the network looked
  mer-train model=verifier data=portraits data.path=FOLDER      the spotter's verifier, from 107 portraits or more
  mer-train model=action_units data=portraits data.path=FOLDER    the estimator of action units, from 110 portraits
No data set comes with the project: train/README.md says where megc2019_flow, portraits and the others are to be had.
configs/train.yaml and the groups beside it explain every setting. A measurement that was broken off goes on where it stopped."""


@command("mer-train", EXAMPLES)
@click.argument("settings", nargs=-1, metavar="[prepare | explain EVENT] [NAME=VALUE]...")
def main(settings: tuple[str, ...]) -> None:
    """Train a network, export it, or measure a recipe on people that it has not seen."""
    console = Console()
    if settings[:1] == ("explain",):
        _needs_trainer()
        from train.explain.run import explain

        if len(settings) < 2:
            raise UsageError("explain what? give a recording, or SESSION/EVENT as mer-log shows them")
        explain(settings[1], only_overrides(settings[2:], "for example event=2"), console)
        return
    preparing = settings[:1] == ("prepare",)
    overrides = only_overrides(settings[preparing:], "for example model=dual_atme")
    resolved = chosen(*overrides)
    if preparing:
        from train.data.prepare import from_settings

        from_settings(resolved, console)
        return
    _needs_trainer()
    from train.run import run

    run(resolved, console)


def _needs_trainer() -> None:
    try:
        import sklearn  # noqa: F401 - whether it is there
        import torch  # noqa: F401 - as that
    except ModuleNotFoundError as error:
        raise MissingPartError(f"{error.name} is not installed: pip install 'mer-live[train]'") from error
