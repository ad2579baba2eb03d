"""Which TensorRT is installed here: TensorRT (10, 11, …) or TensorRT for RTX, under any of the names they go by."""

from __future__ import annotations

import functools
import importlib
import logging
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

# the import name, and whose library it is; the plain wheels of the last have the bindings only
NAMES = {"tensorrt": "tensorrt", "tensorrt_rtx": "tensorrt_rtx", "tensorrt_rtx_bindings": "tensorrt_rtx"}
TITLES = {"tensorrt": "TensorRT", "tensorrt_rtx": "TensorRT for RTX"}
INSTALL = "pip install 'mer-live[gpu]' (TensorRT) or 'mer-live[rtx]' (TensorRT for RTX, builds without a GPU too)"


@dataclass(frozen=True)
class Library:
    """One TensorRT.

    Attributes:
        name: "tensorrt" or "tensorrt_rtx".
        version: as it says, "1.7.1.116".
        module: its bindings.
    """

    name: str
    version: str
    module: ModuleType = field(compare=False, repr=False)

    @property
    def title(self) -> str:
        """As people call it, with its version: "TensorRT for RTX 1.7.1.116"."""
        return f"{TITLES[self.name]} {self.version}"

    @property
    def logger(self):
        """Its logger for this process: everything goes to Python's logging, nothing to the terminal.

        One a process: TensorRT keeps the first it was given, and whatever it makes may outlive who made it.
        """
        return _logger(self.module)


def find() -> Library | None:
    """The TensorRT to use, None where none is installed (`why_not` then says what to install). Not looked up twice."""
    found = _look()
    return found if isinstance(found, Library) else None


def why_not() -> str:
    """One line: why `find` gave None, and what to do; empty where it gave one."""
    found = _look()
    return found if isinstance(found, str) else ""


@functools.cache
def installed() -> tuple[Library, ...]:
    """All that are installed, in the order of preference, one of each kind."""
    found = {each.name: each for each in map(_load, reversed(NAMES)) if isinstance(each, Library)}
    return tuple(found[name] for name in TITLES if name in found)


@functools.cache
def _look() -> Library | str:
    broken = []
    for name in NAMES:
        found = _load(name)
        if isinstance(found, Library):
            return found
        broken += [found] if found else []
    if broken:
        return f"TensorRT is installed but does not load ({'; '.join(broken)}): {INSTALL}".replace("\n", " ")
    return f"TensorRT is not installed: {INSTALL}"


@functools.cache
def _load(name: str) -> Library | str:
    """The library of that import name; else why it does not load, empty where it is not there."""
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        return "" if error.name == name else f"{name}: {error}"
    except Exception as error:  # a library that does not load raises OSError, RuntimeError, ImportError, …
        return f"{name}: {error}"
    # a folder that was left behind imports as an empty package
    return Library(NAMES[name], str(module.__version__), module) if hasattr(module, "Builder") else ""


@functools.cache
def _logger(module: ModuleType):
    log = logging.getLogger("engines.tensorrt")
    levels = {  # its warnings are hints to whoever tunes engines: for users they are noise
        module.ILogger.Severity.INTERNAL_ERROR: logging.INFO,
        module.ILogger.Severity.ERROR: logging.INFO,
        module.ILogger.Severity.WARNING: logging.DEBUG,
    }

    base: Any = module.ILogger

    class ToPython(base):
        """Passes on what is said. errors: those since somebody cleared the list, for the text of an EngineError."""

        def __init__(self):
            base.__init__(self)
            self.errors: list[str] = []

        def log(self, severity, text):
            if severity <= module.ILogger.Severity.ERROR:
                self.errors.append(" ".join(text.split()))
            if severity in levels:
                log.log(levels[severity], "%s", text)

    return ToPython()
