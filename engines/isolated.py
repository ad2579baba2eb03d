"""Children of this program that run one of our modules: isolated, and with no more memory than they may have.

What strangers may have written (a film, a network) is first read in one: it may crash the library that reads it.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# in the child: our packages first, from where the parent's lie; a stop is no fault to be traced
CHILD = """
import importlib, json, runpy, sys
try:
    root, path, module = sys.argv.pop(1), json.loads(sys.argv.pop(1)), sys.argv.pop(1)
    sys.path.insert(0, root)
    importlib.import_module(module.split(".")[0])
    sys.path[:] = path
    runpy.run_module(module, run_name="__main__", alter_sys=True)
except KeyboardInterrupt:
    sys.exit(130)
"""


def command(module: str, *words: str, unbuffered: bool = False) -> list[str]:
    """What starts `python -m module words…` for one of our modules, isolated (no PYTHONPATH, no `sitecustomize` of the
    working folder) and with this process's own search path, but for the folders where a person works."""
    flags = ["-I", "-u"] if unbuffered else ["-I"]
    return [sys.executable, *flags, "-c", CHILD, str(ROOT), json.dumps(path()), module, *words]


def path() -> list[str]:
    """This process's search path without the working folder and the folder of the script that runs."""
    main, working = sys.modules.get("__main__"), set()
    with suppress(OSError):  # the folder may be gone
        working.add(Path.cwd())
    script = getattr(main, "__file__", None)
    if getattr(main, "__spec__", None) is None and script:
        working.add(Path(script).resolve().parent)
    entries = [os.path.abspath(entry) for entry in map(str, sys.path) if entry]
    kept = [entry for entry in entries if Path(entry).resolve() not in working]
    return kept if str(ROOT) in kept else [*kept, str(ROOT)]


def limit_memory(more: int) -> None:
    """From now on this process may take `more` bytes beside what it has; beyond, MemoryError. Linux only."""
    if os.path.exists("/proc/self/statm"):
        import resource

        with open("/proc/self/statm", encoding="ascii") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + more, now + more))
