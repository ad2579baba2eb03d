"""Whose code runs: that of this program and of its libraries, never that of the folder a person happens to be in.

A `json.py`, a `train/` or a `configs/` may lie among somebody's recordings, or beside their own script.
"""

from __future__ import annotations

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]  # `realtime`, `engines`, `train` and `configs` lie here side by side


def own(name: str) -> ModuleType:
    """Our top-level package `name`, from beside this one, whatever else on the search path has its name.

    Raises:
        ImportError: another package of that name was imported before.
    """
    folder, module = ROOT / name, sys.modules.get(name)
    if module is None:
        spec = spec_from_file_location(name, folder / "__init__.py", submodule_search_locations=[str(folder)])
        sys.modules[name] = module = module_from_spec(spec)
        spec.loader.exec_module(module)
    elif folder not in [Path(place).resolve() for place in getattr(module, "__path__", ())]:
        where = getattr(module, "__file__", None) or "another package"
        raise ImportError(f"mer-live's package '{name}' is hidden by {where}: rename that, or import realtime before it")
    return module


def spawning():
    """multiprocessing's "spawn" context, whose children do not look for modules in the working folder either."""
    from multiprocessing import get_context

    os.environ["PYTHONSAFEPATH"] = "1"
    places = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if not all(map(os.path.isabs, places)):
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(os.path.isabs, places))
    return get_context("spawn")
