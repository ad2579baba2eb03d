"""A method's settings, as the files in configs/ have them, less what a test changes."""

from dataclasses import replace
from functools import partial

from train.settings import chosen


def settings_of(name, schedule="full"):
    """(Model, Recipe), to be called with what is other: Model(width=0.25)."""
    settings = chosen(f"model={name}", f"schedule={schedule}")
    return partial(replace, settings.model), partial(replace, settings.fit)
