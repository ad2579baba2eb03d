"""A method's settings, as the files in configs/ have them, less what a test changes."""

from dataclasses import replace
from functools import partial

from train.settings import chosen

# small enough for a CPU; every way through a method's training: (model, recipe)
WAYS = {
    "skd_tstsan": ("skd_tstsan", {}, {"pretrain_iterations": 1, "iterations": 2, "batch": 2, "decay": True}),
    "skd_tstsan, frozen": ("skd_tstsan", {}, {"pretrain_iterations": 0, "iterations": 2, "batch": 2, "frozen": True, "mirror": True}),
    "skd_tstsan, mirrored": ("skd_tstsan", {"shift": False}, {"pretrain_iterations": 0, "iterations": 2, "batch": 2, "mirror": True}),
    "moext": ("moext", {"width": 1 / 32, "size": 56, "stages": 2}, {"copies": 1, "batch": 2, "views": 4, "light": 0.2, "decay": True}),
    "moext, folded": ("moext", {"width": 1 / 32, "size": 112, "fold": 2, "stages": 2}, {"copies": 1, "batch": 2, "recompute": False}),
    "dual_atme, pictures": ("dual_atme", {"puzzle": "picture"}, {"batch": 3, "mixup": 0.4, "shift": 3.0, "balance": 1.0}),
    "dual_atme, map": ("dual_atme", {"puzzle": "map"}, {"batch": 3, "rotate": 0.1}),
    "sa_at": (
        "sa_at",
        {"size": 32, "teacher_depth": 8, "student_depth": 8, "style_width": 2, "style_blocks": 1},
        {"teacher_batch": 2, "batch": 2, "mixup": 0.2, "balance": 1.0, "style_iterations": 2},
    ),
    "sa_at, apex": ("sa_at", {"input": "apex", "size": 32, "style": False, "student_depth": 8, "transfer": False}, {"batch": 2}),
    "ststnet": ("ststnet", {}, {"batch": 3, "decay": True, "mirror": True}),
    "kernel_ridge": ("kernel_ridge", {"waves": 64}, {}),
    "kernel_ridge, exact": ("kernel_ridge", {"waves": 0}, {}),
}


def settings_of(name, schedule="full"):
    """(Model, Recipe), to be called with what is other: Model(width=0.25)."""
    settings = chosen(f"model={name}", f"schedule={schedule}")
    return partial(replace, settings.model), partial(replace, settings.fit)


def way(name, magnet, count=4):
    """(samples, model, recipe) of a way."""
    method, switches, numbers = WAYS[name]
    settings = chosen(f"model={method}")
    epochs = {key: 1 for key in ("epochs", "pretrain_epochs", "teacher_epochs") if hasattr(settings.fit, key)}
    model = replace(settings.model, **switches)
    if hasattr(model, "magnet"):
        model.magnet = magnet
    from train.bench.gpu import training

    return training.made(method, count), model, replace(settings.fit, **(epochs | numbers))
