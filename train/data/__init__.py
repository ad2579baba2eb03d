"""The data sets that networks are trained on, by the name that `data=` takes."""

# no annotations from the future here: the name would hide the module `train.data.annotations`
from collections.abc import Callable
from typing import TYPE_CHECKING

from realtime.errors import UsageError
from train.data.loaders.megc2019 import KINDS, load_flow
from train.data.samples import Samples

if TYPE_CHECKING:
    from train.settings import DataSettings


def load(settings: "DataSettings", takes: str, say: Callable[[str], None] = lambda line: None) -> Samples:
    """The samples that `settings` name, as inputs of the kind `takes` (a key of `realtime.naming.inputs.INPUTS`).

    Args:
        say: takes a line for each set and reason that clips are left out.
    """
    if settings.name == "megc2019_flow":
        if takes not in KINDS:
            wanted = "it goes with model=dual_atme (model.puzzle=map), kernel_ridge, svm or ststnet"
            raise UsageError(f"data=megc2019_flow holds flow maps, no pictures: {wanted}")
        return load_flow(settings.path, takes)
    from train.data import prepared

    return prepared.load(
        settings.cache, takes, settings.grouping, settings.more, settings.pretrain, apex=settings.apex, still=settings.still, say=say
    )
