"""Networks for the stream: the runtime's own, with its faults as errors that a command can show."""

from __future__ import annotations

from engines.errors import EngineError
from engines.runtime import Network
from realtime.errors import ModelError


def network(name: str) -> Network:
    """`name`: a network of the zoo, or the path of an .onnx file with its manifest beside it. Raises ModelError."""
    try:
        return Network(name)
    except EngineError as error:
        raise ModelError(str(error)) from error
