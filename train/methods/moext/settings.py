"""MoExt: its switches, and how it is trained, as numbers."""

from __future__ import annotations

from dataclasses import dataclass

from train.methods.checks import check

GRID = 7  # cells a side on which maps become vectors
SIZES = (224, 112, 56)


@dataclass
class Model:
    """`configs/model/moext.yaml` says what each value means; the defaults here are the paper's."""

    name: str = "moext"
    width: float = 1.0
    size: int = 224
    fold: int = 1
    stages: int = 4
    pool: str = "max"
    pretrain: bool = True
    macro: bool = True
    contrastive: bool = True
    motion_extractor: bool = True

    def check(self) -> None:
        check(
            {
                "model.width (1/32 to 2)": 1 / 32 <= self.width <= 2,
                f"model.size (one of {', '.join(map(str, SIZES))})": self.size in SIZES,
                "model.fold (1 or 2)": self.fold in (1, 2),
                "model.stages (1 to 4)": 1 <= self.stages <= 4,
                "model.pool (max or mean)": self.pool in ("max", "mean"),
            }
        )
        # at least 7×7 cells must be left where the maps become vectors
        check({"model.stages (too many for model.size)": self.size >> self.stages >= GRID})


@dataclass
class Recipe:
    """`configs/fit/moext-full.yaml` says what each value means; the defaults here are the paper's (Sec. 4.1.2)."""

    pretrain_epochs: int = 30
    epochs: int = 30
    batch: int = 20
    copies: int = 10
    lr: float = 1e-4
    pretrain_lr: float = 1e-4
    decay: bool = False
    weight_decay: float = 1e-4
    dropout: float = 0.0
    rotate: float = 10.0
    shift: float = 0.0
    scale: float = 0.0
    light: float = 0.0
    views: int = 3
    margin: float = 0.3
    shape_texture: float = 0.5
    onset_apex: float = 1.0
    mirror: bool = False
    recompute: bool = True

    def check(self) -> None:
        check(
            {
                "fit.pretrain_epochs": self.pretrain_epochs >= 1,
                "fit.epochs": self.epochs >= 1,
                "fit.batch": self.batch >= 2,
                "fit.copies": self.copies >= 1,
                "fit.lr, fit.pretrain_lr": self.lr > 0 and self.pretrain_lr > 0,
                "fit.dropout": 0 <= self.dropout < 1,
                "fit.views (2 to 4)": 2 <= self.views <= 4,
                "fit.margin": 0 < self.margin < 2,
                "fit.shape_texture (0 to 1)": 0 <= self.shape_texture <= 1,
                "fit.onset_apex (0 to 1)": 0 <= self.onset_apex <= 1,
                "fit.rotate, fit.shift": min(self.rotate, self.shift) >= 0,
                "fit.scale, fit.light (below 1)": 0 <= self.scale < 1 and 0 <= self.light < 1,
            }
        )
