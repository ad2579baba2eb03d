"""How a network is trained, as numbers. No torch here: the settings are read before anything heavy is loaded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Recipe:
    """`configs/train.yaml` says what each value means; the defaults here are the paper's (Sec. 4.2)."""

    epochs: int = 60
    batch: int = 128
    lr: float = 1e-3
    weight_decay: float = 0.0
    similarity: float = 0.01
    gamma: float = 2.0
    dropout: float = 0.5
    mixup: float = 0.0
    shift: float = 0.0
    scale: float = 0.0
    rotate: float = 0.0
    balance: float = 0.0
