"""Networks for the stream: the runtime's own, with its faults as errors that a command can show."""

from __future__ import annotations

import threading
import weakref

from engines.errors import EngineError
from engines.runtime import Network
from engines.zoo import known
from realtime.errors import ModelError

# streams that ask for the same network of the zoo share it: one copy of the weights, and on a GPU one batch
_shared: weakref.WeakValueDictionary[tuple[str, str], Network] = weakref.WeakValueDictionary()
_guard = threading.Lock()
OTHERS = ("action_units", "verifier")  # of the zoo, those that do not say which expression a movement is


def naming() -> list[str]:
    """The networks of the zoo that name a movement, sorted."""
    return [name for name in known() if name not in OTHERS]


def network(name: str, engine: str = "auto") -> Network:
    """A network that streams share where they ask for the same.

    Args:
        name: a network of the zoo, or the path of an .onnx file with its manifest beside it.
        engine: "auto", "tensorrt", "onnx" or "cpu", see `engines.runtime.Network`.

    Raises:
        ModelError: the network cannot be had.
    """
    try:
        if name not in known():
            return Network(name, engine=engine)
        with _guard:
            found = _shared.get((name, engine)) or Network(name, engine=engine)
            _shared[name, engine] = found
            return found
    except EngineError as error:
        raise ModelError(str(error)) from error
