"""Where folds are worked on, by the name that `launcher=` takes.

Each is a function each(function, shared, tasks, workers, tell, gpu): it calls `function(shared, task, tell_one)` for every
task and yields (task, result) in the order in which they end. tell_one(message) may be called by the function at any
time; the message arrives here as tell(task, message): at once, or (ray) when the task has ended. Whatever ends the
caller's loop ends the work; what was yielded before is done and is never done again. gpu: whether tasks may want one.
"""

from __future__ import annotations

import os

from train.launch import cluster, inline, processes
from train.settings import TrainSettings

LAUNCHERS = {"inline": inline.each, "processes": processes.each, "ray": cluster.each}


def threads(settings: TrainSettings, alone: bool = False) -> int:
    """How many of torch's threads a network gets: one where it computes on the CPU (folds run side by side, and a seed always
    gives the same weights), its share of the cores where they only feed a GPU. alone: there are no other folds.
    """
    from train.compute import compute

    if not compute(settings.device, settings.precision).on_gpu:
        return 1
    cores = os.cpu_count() or 1
    others = {"inline": 1, "processes": settings.workers, "ray": cores}[settings.launcher]
    return cores if alone else max(1, cores // others)
