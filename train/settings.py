"""The settings of `mer-train` and `mer-bench`, typed. The values, and what each means, stand in `configs/train.yaml` and the groups
beside it: what has a value here has it where the chosen YAML does not know the setting, and that is an empty one.

What a method has of its own, `model` and `fit`, is typed by its own `settings` (`train.methods`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from realtime.errors import UsageError
from realtime.parallel import LAUNCHERS
from realtime.settings import literal, load
from realtime.watching import LiveSettings
from train.data.grouping import GROUPINGS, classes
from train.methods import check, settings_of

# what went without saying in runs that older versions began
BEFORE = {"precision": "fp32", "still": "drop", "pretrain": [], "auxiliary": False}
BEFORE |= {"tested": "micro", "teacher": "resnet", "answer": "student"}
BEFORE |= {"puzzle_attention": False, "regions": "eyebrows_mouth", "optimizer": "adam", "weights": []}


@dataclass
class DataSettings:
    """One of `configs/data/`.

    Attributes:
        cache: folders, list of str; one may be given as it is. So may those of `more`, `pretrain` and `test`.
    """

    name: str
    path: str = ""
    root: str = ""
    cache: Any = field(default_factory=list)
    more: Any = field(default_factory=list)
    pretrain: Any = field(default_factory=list)
    grouping: str | None = None
    apex: str | None = None
    still: str | None = None
    test: Any = field(default_factory=list)

    def __post_init__(self):
        for name in ("cache", "more", "pretrain", "test"):  # one folder needs no brackets
            value = getattr(self, name)
            setattr(self, name, [str(one) for one in (value if isinstance(value, list) else [value])])
        # a number of classes stands for the set's own grouping: data=casme2 data.grouping=5 for casme2_5
        own = (f"{self.name}_{self.grouping}", {"3": "three"}.get(self.grouping or ""))
        self.grouping = next((name for name in own if name in GROUPINGS), self.grouping)


@dataclass
class ProtocolSettings:
    """One of `configs/protocol/`."""

    name: str
    inner: float
    count: int | None = None
    grouping: int | None = None
    tested: str | None = None
    leak: bool = False
    export: bool = False


@dataclass
class TrainSettings:
    """Everything that `configs/train.yaml` holds.

    Attributes:
        model: after loading, the `Model` of the method's own `settings`.
        fit: after loading, their `Recipe`.
    """

    model: Any
    data: DataSettings
    protocol: ProtocolSettings
    fit: Any
    schedule: str
    stage: str | None
    out: str | None
    seeds: list[int]
    launcher: str
    workers: int
    device: str
    precision: str
    save_every: int
    accuracy: str | None

    def __post_init__(self):
        own = settings_of(self.model["name"])
        self.model, self.fit = typed("model", own.Model, self.model), typed("fit", own.Recipe, self.fit)
        if self.out is None:
            parts = (self.model.name, self.stage, self.data.name, self.protocol.name)
            self.out = f"runs/{'-'.join(part for part in parts if part)}"
        if getattr(self.model, "puzzle", "") is None:  # Dual-ATME's puzzle is cut from pictures where there are any
            self.model.puzzle = "map" if self.data.name == "megc2019_flow" else "picture"
        if self.data.grouping is not None:
            classes(self.data.grouping)  # raises where there is none of this name
        self.model.check()
        self.fit.check()
        check(
            {
                "protocol.count": self.protocol.count is None or self.protocol.count >= 2,
                "protocol.inner": 0 <= self.protocol.inner < 1,
                f"launcher ({', '.join(LAUNCHERS[:-1])} or {LAUNCHERS[-1]})": self.launcher in LAUNCHERS,
                "stage (style, with model=sa_at)": self.stage is None or (self.stage, self.model.name) == ("style", "sa_at"),
                "protocol.tested (micro, or image with model.answer=teacher)": self.protocol.tested in (None, "micro")
                or self.protocol.tested == "image"
                and getattr(self.model, "answer", "") == "teacher",
                "data.apex (annotated or extracted)": self.data.apex in (None, "annotated", "extracted"),
                "data.still (drop or keep)": self.data.still in (None, "drop", "keep"),
                "save_every": self.save_every >= 0,
                "workers": self.workers >= 1,
                "device (auto, cpu or cuda)": self.device in ("auto", "cpu", "cuda"),
                "precision (fp32 or bf16)": self.precision in ("fp32", "bf16"),
                "seeds": len(self.seeds) >= 1 and len(set(self.seeds)) == len(self.seeds),
            }
        )

    def as_dict(self) -> dict:
        """Plain values, as they are written beside a result."""
        return OmegaConf.to_container(OmegaConf.create({key: _plain(value) for key, value in vars(self).items()}))


@dataclass
class BenchSettings(LiveSettings):
    """`mer-bench`'s: those of the stream, and which recordings it is measured on (None: those of its own)."""

    data: DataSettings | None = None


def chosen(*words: str) -> TrainSettings:
    """The settings that these words of `mer-train` choose ("model=moext", "fit.epochs=3").

    Raises:
        UsageError: a word is unknown, or its value has the wrong type or is out of range.
    """
    return OmegaConf.to_object(load("train", words, TrainSettings))


def typed(where: str, schema: type, values: dict) -> Any:
    """`values` as the dataclass `schema`.

    Raises:
        UsageError: a value has the wrong type.
    """
    try:
        return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(schema), literal(values)))
    except OmegaConfBaseException as error:
        raise UsageError(f"cannot use {where}.{getattr(error, 'full_key', '')}: {str(error).splitlines()[0]}") from error


def same(kept: Any, wanted: Any) -> bool:
    """Whether a setting that was written beside a result is the wanted one, of what is known of it today."""
    if not isinstance(kept, dict) or not isinstance(wanted, dict):
        return kept == wanted
    return {key: kept.get(key, BEFORE.get(key)) for key in wanted} == wanted


def _plain(value: Any) -> Any:
    """What the choice does not know, or what names no set, is left out of `data` and `protocol`."""
    if not hasattr(value, "__dataclass_fields__"):
        return value
    plain = OmegaConf.to_container(OmegaConf.structured(value))
    known = isinstance(value, DataSettings | ProtocolSettings)
    return {key: one for key, one in plain.items() if not (known and one in (None, []))}
