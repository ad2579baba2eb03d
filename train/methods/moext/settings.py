"""MoExt: its switches, and how it is trained, as numbers."""

from __future__ import annotations

from dataclasses import dataclass

from train.methods import check

GRID = 7  # cells a side on which maps become vectors
SIZES = (224, 112, 56)


@dataclass
class Model:
    """`configs/model/moext.yaml` holds the values and says what each means."""

    name: str
    width: float
    size: int
    fold: int
    stages: int
    pool: str
    pretrain: bool
    macro: bool
    contrastive: bool
    motion_extractor: bool

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
    """`configs/fit/moext-full.yaml` holds the values and says what each means."""

    pretrain_epochs: int
    epochs: int
    batch: int
    copies: int
    lr: float
    pretrain_lr: float
    decay: bool
    weight_decay: float
    dropout: float
    rotate: float
    shift: float
    scale: float
    light: float
    views: int
    margin: float
    shape_texture: float
    onset_apex: float
    mirror: bool
    recompute: bool

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
