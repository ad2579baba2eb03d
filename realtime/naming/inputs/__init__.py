"""From the views of a face to what a network takes in. Training calls these very functions."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import numpy as np

from engines.flow import CPU, Flow
from realtime.naming.inputs import dual_atme, flow_map, lbptop, moext, sa_at, skd_tstsan
from realtime.records import Moments


def _without_flow(make: Callable[[Moments], dict[str, np.ndarray]]):
    @wraps(make)
    def made(moments: Moments, tvl1: Flow = CPU) -> dict[str, np.ndarray]:
        return make(moments)

    return made


# By the kind that a network's manifest names: (moments, what computes flow) → {name: (1, …) float32}.
INPUTS: dict[str, Callable[..., dict[str, np.ndarray]]] = {
    "dual_atme": dual_atme.from_pictures,
    "dual_atme_map": dual_atme.from_moments,
    **{f"dual_atme_{which}": dual_atme.from_regions(which) for which in dual_atme.REGIONS[1:]},
    "flow_map": flow_map.inputs,
    "lbptop": _without_flow(lbptop.inputs),
    "moext": _without_flow(moext.inputs),
    "sa_at": _without_flow(sa_at.from_moments),
    "sa_at_apex": _without_flow(sa_at.from_moments_apex),
    "skd_tstsan": skd_tstsan.from_moments,
    "skd_tstsan_5": skd_tstsan.from_moments_5,
    "skd_tstsan_10": skd_tstsan.from_moments_10,
}
PAST_APEX = {"lbptop", "skd_tstsan", "skd_tstsan_5", "skd_tstsan_10"}  # kinds that also look at what comes after it
