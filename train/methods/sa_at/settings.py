"""SA-AT: its switches, and how it is trained, as numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

from realtime.errors import UsageError
from train.methods.checks import check

INPUTS = ("apex", "difference")
STYLES = ("grey", "light", "sketch")  # a test holds these against train.methods.sa_at.style_network.STYLES
SIZES = (256, 128, 64, 32)


@dataclass
class Model:
    """`configs/model/sa_at.yaml` says what each value means. style, transfer: the ablation's switches (Table 3)."""

    name: str = "sa_at"
    input: str = "difference"
    size: int = 256
    width: int = 16
    teacher_depth: int = 110
    student_depth: int = 20
    transfer: bool = True
    style: bool = True
    style_file: str | None = None
    styles: list[str] = field(default_factory=lambda: list(STYLES))
    style_width: int = 32
    style_blocks: int = 6

    def check(self) -> None:
        if self.input not in INPUTS:
            raise UsageError(f"model.input={self.input}: expected {' or '.join(INPUTS)}")
        if not self.styles or len({*self.styles}) < len(self.styles) or not {*self.styles} <= {*STYLES}:
            raise UsageError(f"model.styles={self.styles}: expected one or more of {', '.join(STYLES)}, each once")
        if self.size not in SIZES:
            raise UsageError(f"model.size={self.size}: expected one of {', '.join(map(str, SIZES))} pixels")
        for name in ("teacher_depth", "student_depth"):
            depth = getattr(self, name)
            if depth < 8 or depth % 6 != 2:
                raise UsageError(f"model.{name}={depth}: a ResNet of this type has 6n + 2 layers: 8, 14, 20, …, 110")
        check(
            {
                "model.width": self.width >= 1,
                "model.style_width": self.style_width >= 1,
                "model.style_blocks": self.style_blocks >= 0,
            }
        )


@dataclass
class Recipe:
    """`configs/fit/sa_at-full.yaml` says what each value means; batches and rates are the paper's (Sec. 3.2)."""

    teacher_epochs: int = 60
    teacher_batch: int = 64
    teacher_lr: float = 1e-4
    epochs: int = 60
    batch: int = 16
    lr: float = 1e-4
    weight_decay: float = 0.01
    beta: float = 1.0
    balance: float = 0.0
    shift: float = 0.03
    scale: float = 0.08
    rotate: float = 0.08
    mixup: float = 0.0
    chunk: int = 16
    recompute: bool = True
    style_iterations: int = 20000
    style_batch: int = 1
    style_lr: float = 2e-4
    cycle: float = 10.0

    def check(self) -> None:
        check(
            {
                "fit.teacher_epochs": self.teacher_epochs >= 1,
                "fit.teacher_batch": self.teacher_batch >= 2,
                "fit.teacher_lr": self.teacher_lr > 0,
                "fit.epochs": self.epochs >= 1,
                "fit.batch": self.batch >= 2,
                "fit.lr": self.lr > 0,
                "fit.weight_decay": self.weight_decay >= 0,
                "fit.beta": self.beta >= 0,
                "fit.balance": self.balance >= 0,
                "fit.mixup": self.mixup >= 0,
                "fit.chunk": self.chunk >= 2,
                "fit.style_iterations": self.style_iterations >= 1,
                "fit.style_batch": self.style_batch >= 1,
                "fit.style_lr": self.style_lr > 0,
                "fit.cycle": self.cycle >= 0,
            }
        )
