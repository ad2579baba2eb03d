"""From the views of a face to what a network takes in. Training calls these very functions."""

from __future__ import annotations

from realtime.inputs import dual_atme, flow_map, lbptop, moext, sa_at, skd_tstsan

# By the kind that a network's manifest names. Each takes `Moments` and gives {name: (1, …) float32}.
INPUTS = {
    "dual_atme": dual_atme.from_pictures,
    "dual_atme_map": dual_atme.from_moments,
    "flow_map": flow_map.inputs,
    "lbptop": lbptop.inputs,
    "moext": moext.inputs,
    "sa_at": sa_at.from_moments,
    "sa_at_apex": sa_at.from_moments_apex,
    "skd_tstsan": skd_tstsan.from_moments,
    "skd_tstsan_5": skd_tstsan.from_moments_5,
    "skd_tstsan_10": skd_tstsan.from_moments_10,
}
