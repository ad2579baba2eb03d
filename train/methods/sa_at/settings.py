"""SA-AT: its switches, and how it is trained, as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from realtime.errors import UsageError
from train.methods import check

INPUTS = ("apex", "difference")
STYLES = ("grey", "light", "sketch")  # a test holds these against train.methods.sa_at.style_network.STYLES
SIZES = (256, 128, 64, 32)
TEACHERS = ("resnet", "alexnet", "vgg16")


@dataclass
class Model:
    """`configs/model/sa_at.yaml` holds the values and says what each means."""

    name: str
    input: str
    size: int
    width: int
    teacher_depth: int
    student_depth: int
    transfer: bool
    style: bool
    style_file: str | None
    styles: list[str]
    style_width: int
    style_blocks: int
    teacher: str = ""  # of a network that is older than the setting, as the next
    answer: str = ""

    def __post_init__(self):
        self.teacher, self.answer = self.teacher or TEACHERS[0], self.answer or "student"

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
        if self.teacher not in TEACHERS or self.answer not in ("student", "teacher"):
            raise UsageError(f"model.teacher={self.teacher} model.answer={self.answer}: expected {', '.join(TEACHERS)}; student or teacher")
        check(
            {
                "model.teacher (alexnet and vgg16 have no attention to transfer: with model.answer=teacher alone)": self.teacher == "resnet"
                or self.answer == "teacher",
                "model.width": self.width >= 1,
                "model.style_width": self.style_width >= 1,
                "model.style_blocks": self.style_blocks >= 0,
            }
        )

    def check_files(self) -> None:
        """Where something is to be trained (a network that was exported is described by these settings, too, wherever the file went).

        Raises:
            UsageError: the file or folder is not there.
        """
        if self.style and self.style_file is not None and not Path(self.style_file).exists():
            raise UsageError(f"model.style_file={self.style_file}: no such file or folder; stage=style writes one")


@dataclass
class Recipe:
    """`configs/fit/sa_at-full.yaml` holds the values and says what each means."""

    teacher_epochs: int
    teacher_batch: int
    teacher_lr: float
    epochs: int
    batch: int
    lr: float
    decay: bool
    weight_decay: float
    beta: float
    balance: float
    shift: float
    scale: float
    rotate: float
    mixup: float
    mirror: bool
    chunk: int
    recompute: bool
    style_iterations: int
    style_batch: int
    style_lr: float
    cycle: float

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
