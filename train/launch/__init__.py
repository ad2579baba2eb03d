"""Where folds are worked on, by the name that `launcher=` takes.

Each is a function each(function, shared, tasks, workers, tell): it calls `function(shared, task, tell_one)` for every
task and yields (task, result) in the order in which they end. tell_one(message) may be called by the function at any
time; the message arrives here as tell(task, message): at once, or (ray) when the task has ended. Whatever ends the
caller's loop ends the work; what was yielded before is done and is never done again.
"""

from __future__ import annotations

from train.launch import cluster, inline, processes

LAUNCHERS = {"inline": inline.each, "processes": processes.each, "ray": cluster.each}
