"""From a movement that is known to its label, with one network: a child of `mer-bench gpu`.

python -P -m train.bench.gpu.naming NETWORK
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import numpy as np

from engines import environment
from realtime.cli.terminal import percentiles
from realtime.errors import MerError
from realtime.naming import examples
from realtime.naming.recognizer import Recognizer, moments_of
from realtime.records import Keyframes

ALONE, TOGETHER, TIMES = 100, 64, 10


def main(name: str) -> None:
    """Print how long one takes, how long 64 that come at once take, and whether the answers are those of the CPU."""
    movements = examples.movements()
    expected = [scores for _, scores in map(Recognizer(name, "cpu"), movements)]
    recognize = Recognizer(name)
    found = [scores for _, scores in map(recognize, movements)]  # whatever is compiled or allocated first
    print(recognize.engines)
    alone = [timed(recognize, movements[at % len(movements)]) for at in range(ALONE)]
    print(f"one movement, ms: p50 / p95 {' / '.join(f'{value:.2f}' for value in percentiles(alone, 50, 95))} of {ALONE}")
    together(recognize, movements)
    all_in = [together(recognize, movements) for _ in range(TIMES)]
    print(f"{TOGETHER} movements at once, ms: p50 / p95 {' / '.join(f'{value:.1f}' for value in percentiles(all_in, 50, 95))} of {TIMES}")
    off = max(abs(one[label] - other[label]) for one, other in zip(found, expected, strict=True) for label in one)
    flips = sum(max(one, key=one.get) != max(other, key=other.get) for one, other in zip(found, expected, strict=True))
    print(f"of these {TOGETHER}, one thread, ms: {parts(recognize, movements)}")
    print(f"beside the CPU: scores differ by at most {off:.1e}, {flips} of {len(found)} labels")


def parts(recognize: Recognizer, movements: list[Keyframes], many: int = TOGETHER) -> str:
    """The medians of what a batch goes through, one part after the other: how much of the whole is threads that wait."""
    on_gpu, taken = recognize._on_gpu if recognize._made_on_gpu else None, []
    moments = [moments_of(movements[at % len(movements)]) for at in range(many)]
    for _ in range(TIMES):
        marks = [time.perf_counter()]
        made: list[Any] = [on_gpu.one(each) if on_gpu else recognize._inputs(each, recognize._flow) for each in moments]
        marks.append(time.perf_counter())
        inputs = on_gpu.many(made) if on_gpu else {name: np.concatenate([each[name] for each in made]) for name in made[0]}
        marks.append(time.perf_counter())
        recognize._network.many(inputs)
        taken.append(1000 * np.diff([*marks, time.perf_counter()]))
    names = ("one by one", "inputs of all" if on_gpu else "put together", "network")
    return ", ".join(f"{name} {value:.2f}" for name, value in zip(names, np.median(taken, axis=0), strict=True))


def timed(recognize: Recognizer, movement: Keyframes) -> float:
    """Milliseconds until its label is known."""
    begun = time.perf_counter()
    recognize(movement)
    return 1000 * (time.perf_counter() - begun)


def together(recognize: Recognizer, movements: list[Keyframes], many: int = TOGETHER) -> float:
    """Milliseconds until the last label is known, where as many streams ask at the same moment."""
    gate, begun, ended = threading.Barrier(many + 1), 0.0, np.zeros(many)

    def ask(at: int) -> None:
        gate.wait()
        recognize(movements[at % len(movements)])
        ended[at] = time.perf_counter()

    streams = [threading.Thread(target=ask, args=(at,)) for at in range(many)]
    for stream in streams:
        stream.start()
    begun = time.perf_counter()
    gate.wait()
    for stream in streams:
        stream.join()
    if not ended.all():
        raise MerError("a stream got no label")
    return 1000 * (float(ended.max()) - begun)


if __name__ == "__main__":
    environment.forget_telemetry()
    try:
        main(sys.argv[1])
    except MerError as error:
        sys.exit(str(error))
