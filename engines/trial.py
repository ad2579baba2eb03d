"""A network from elsewhere is tried in a child process before it is let into this one.

A file may crash ONNX Runtime itself, take all memory, or hold one operation that never ends; none of that can be undone here.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np

from engines import isolated
from engines.errors import EngineError
from engines.onnx import OnnxRuntime

SECONDS = 20.0  # to be loaded and to answer twice; live, an answer takes some hundredths of a second
MEMORY = 2 * 2**30  # bytes, beside what its own weights take

_sound: set[str] = set()  # SHA-256 of the files that passed in this process


def passed(model: bytes, sha256: str, path: Path, inputs: dict[str, tuple[int, ...]], output: str, least: int) -> None:
    """See in a child that the network loads and answers. One that did is not tried again while this process lives.

    model: the content of `path`, whose hash is `sha256`. inputs, output, least: see `OnnxRuntime.check`.
    Raises EngineError where it is refused, crashes, or takes more than SECONDS or MEMORY.
    """
    if sha256 in _sound:
        return
    limits = {"seconds": SECONDS, "memory": MEMORY + 4 * len(model)}  # read, parsed, laid out, and laid out for speed
    asked = json.dumps({"path": str(path), "inputs": inputs, "output": output, "least": least, **limits})
    done = subprocess.run(isolated.command("engines.trial", asked), input=model, capture_output=True, start_new_session=True, check=False)
    if done.returncode == -signal.SIGALRM:
        raise EngineError(f"{path} gives no answer within {SECONDS:g} s: it cannot be used live")
    if done.returncode < 0:
        how = signal.strsignal(-done.returncode)
        raise EngineError(f"{path} crashes ONNX Runtime or takes all its memory ({how}): it cannot be used")
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise EngineError(": ".join([f"{path} could not be tried in a process of its own", *last]))
    if refused := json.loads(done.stdout)["refused"]:
        raise EngineError(refused)
    _sound.add(sha256)


def main() -> None:
    """The child's side: one request as its word, the file on stdin; answers {"refused": why or ""}."""
    import onnxruntime  # noqa: F401 - what it takes itself does not count

    asked, model = json.loads(sys.argv[1]), sys.stdin.buffer.read()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # a library's own words are no answer
    signal.setitimer(signal.ITIMER_REAL, asked["seconds"])  # ends it within an operation too, also where nobody waits any more
    isolated.limit_memory(asked["memory"])
    inputs = {name: tuple(shape) for name, shape in asked["inputs"].items()}
    try:
        network = OnnxRuntime(model, Path(asked["path"]))
        network.check(inputs, asked["output"], asked["least"])
        random = np.random.default_rng(0)  # what it does may hang on what it is given
        network.answer({name: random.standard_normal(shape, np.float32) for name, shape in inputs.items()})
        refused = ""
    except EngineError as error:
        refused = str(error)
    print(json.dumps({"refused": refused}), file=answers, flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
