"""SKD-TSTSAN: its switches, and how it is trained, as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from realtime.errors import UsageError
from train.methods import check


@dataclass
class Model:
    """`configs/model/skd_tstsan.yaml` holds the values and says what each means."""

    name: str
    magnify: bool
    eca: bool
    shift: bool
    distil: bool
    fields: int
    amplification: float
    dropout: float
    magnet: str
    auxiliary: bool = False

    def check(self) -> None:
        check(
            {
                "model.fields (2, 5 or 10)": self.fields in (2, 5, 10),
                "model.amplification": self.amplification > 0,
                "model.dropout": 0 <= self.dropout < 1,
            }
        )

    def check_files(self) -> None:
        """Where something is to be trained.

        Raises:
            UsageError: the weights that the magnification starts from are not there.
        """
        if self.magnify:
            need_magnet(Path(self.magnet))


def need_magnet(file: Path) -> None:
    """Raises UsageError where the weights that the magnification starts from are not there."""
    if not file.is_file():
        raise UsageError(
            f"no file {file}: put magnet.pth there (in the SKD-TSTSAN repository on GitHub, MIT licence), "
            "name it by model.magnet=…, or train without by model.magnify=false"
        )


@dataclass
class Recipe:
    """`configs/fit/skd_tstsan-full.yaml` holds the values and says what each means."""

    pretrain_iterations: int
    iterations: int
    batch: int
    lr: float
    decay: bool
    weight_decay: float
    gamma: float
    evened: bool
    distil_share: float
    distil_features: float
    temperature: float
    frozen: bool
    mirror: bool

    def check(self) -> None:
        check(
            {
                "fit.pretrain_iterations": self.pretrain_iterations >= 0,
                "fit.iterations": self.iterations >= 1,
                "fit.batch": self.batch >= 2,
                "fit.lr": self.lr > 0,
                "fit.weight_decay": self.weight_decay >= 0,
                "fit.gamma": self.gamma >= 0,
                "fit.distil_share": 0 <= self.distil_share <= 1,
                "fit.distil_features": self.distil_features >= 0,
                "fit.temperature": self.temperature > 0,
            }
        )
