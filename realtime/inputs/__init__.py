"""From the views of a face to what a network takes in. Training calls these very functions."""

from __future__ import annotations

from realtime.inputs import dual_atme

# By the kind that a network's manifest names. Each takes `Moments` and gives {name: (1, …) float32}.
INPUTS = {
    "dual_atme_map": dual_atme.from_moments,
}
