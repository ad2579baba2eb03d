"""SKD-TSTSAN: its switches, and how it is trained, as numbers."""

from __future__ import annotations

from dataclasses import dataclass

from train.methods.checks import check


@dataclass
class Model:
    """`configs/model/skd_tstsan.yaml` says what each value means."""

    name: str = "skd_tstsan"
    magnify: bool = True
    eca: bool = True
    shift: bool = True
    distil: bool = True
    fields: int = 2
    amplification: float = 2.0
    dropout: float = 0.2
    magnet: str = "magnet.pth"

    def check(self) -> None:
        check(
            {
                "model.fields (2, 5 or 10)": self.fields in (2, 5, 10),
                "model.amplification": self.amplification > 0,
                "model.dropout": 0 <= self.dropout < 1,
            }
        )


@dataclass
class Recipe:
    """`configs/fit/skd_tstsan-full.yaml` says what each value means; the defaults here are the paper's (Sec. 4.2)."""

    pretrain_iterations: int = 10_000
    iterations: int = 20_000
    batch: int = 16
    lr: float = 1e-3
    decay: bool = False
    weight_decay: float = 5e-4
    gamma: float = 2.0
    distil_share: float = 0.1
    distil_features: float = 1e-6
    temperature: float = 3.0
    frozen: bool = False
    mirror: bool = False

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
