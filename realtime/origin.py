"""Whose code runs: that of this program and of its libraries, never that of the folder a person happens to be in.

A `json.py`, a `train/` or a `configs/` may lie among somebody's recordings, or beside their own script.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]  # `realtime`, `engines`, `train` and `configs` lie here side by side
# in the child: our packages first, from where the parent's lie; a stop is no fault to be traced
CHILD = """
import json, runpy, sys
try:
    root, path, module = sys.argv.pop(1), json.loads(sys.argv.pop(1)), sys.argv.pop(1)
    sys.path.insert(0, root)
    from realtime.origin import own
    own(module.split(".")[0])
    sys.path[:] = path
    runpy.run_module(module, run_name="__main__", alter_sys=True)
except KeyboardInterrupt:
    sys.exit(130)
"""


def own(name: str) -> ModuleType:
    """Our top-level package `name`, from beside this one, whatever else on the search path has its name.

    Raises ImportError where another package of that name was imported before.
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


def command(module: str, *words: str, unbuffered: bool = False) -> list[str]:
    """What starts `python -m module words…` for one of our modules, isolated (no PYTHONPATH, no `sitecustomize` of the
    working folder) and with this process's own search path, but for the folders where a person works."""
    flags = ["-I", "-u"] if unbuffered else ["-I"]
    return [sys.executable, *flags, "-c", CHILD, str(ROOT), _json(path()), module, *words]


def path() -> list[str]:
    """This process's search path without the working folder and the folder of the script that runs."""
    main, working = sys.modules.get("__main__"), set()
    with suppress(OSError):  # the folder may be gone
        working.add(Path.cwd())
    if getattr(main, "__spec__", None) is None and getattr(main, "__file__", None):
        working.add(Path(main.__file__).resolve().parent)
    entries = [os.path.abspath(entry) for entry in map(str, sys.path) if entry]
    kept = [entry for entry in entries if Path(entry).resolve() not in working]
    return kept if str(ROOT) in kept else [*kept, str(ROOT)]


def spawning():
    """multiprocessing's "spawn" context, whose children do not look for modules in the working folder either."""
    from multiprocessing import get_context

    os.environ["PYTHONSAFEPATH"] = "1"
    places = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if not all(map(os.path.isabs, places)):
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(os.path.isabs, places))
    return get_context("spawn")


def _json(value: object) -> str:
    import json  # not at the top: every `import realtime` comes by here

    return json.dumps(value)
