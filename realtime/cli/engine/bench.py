"""`mer-engine bench`: how long each backend takes for a batch of a network, side by side."""

from __future__ import annotations

import time

import click
import numpy as np
from rich.table import Table

from engines import device
from engines.errors import EngineError
from engines.onnx import OnnxRuntime
from engines.onnx_cuda import OnnxCuda
from engines.runtime import Network
from engines.tensorrt import library
from engines.tensorrt.manifest import PROFILES
from engines.tensorrt.run import open_plan
from engines.tensorrt.store import Store
from engines.zoo import known
from realtime.cli import common
from realtime.cli.bench import machine
from realtime.cli.console import Console
from realtime.cli.terminal import percentiles
from realtime.networks import network

SECONDS = 1.0  # for each figure
FEWEST, MOST = 5, 1000  # runs


@click.command("bench", cls=common.Command)
@click.argument("models", metavar="[MODEL]...", nargs=-1)
@click.option("--seconds", type=click.FloatRange(0), default=SECONDS, show_default=True, help="How long to measure each figure.")
def bench(models, seconds):
    """Measure each backend side by side.

    p50 / p95 / p99 in milliseconds at batches of 1, 8 and 64, of all networks or those named."""
    from realtime.naming import examples

    networks = [network(name, "cpu") for name in models or known()]
    console = Console(soft_wrap=True)
    gpu = device.find()
    console.print(f"{machine()}; {gpu.name if gpu else 'no GPU'}", style="dim")
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("network", "ms: p50 / p95 / p99", *(f"batch of {batch}" for batch in PROFILES)):
        table.add_column(name, justify="right" if "batch" in name else "left", no_wrap=True)
    notes: list[str] = []
    with console.status("watching the demo clip for real inputs") as status:
        for one in networks:
            samples, name = examples.inputs(one), one.name
            for backend in _backends(one, notes):
                cells = []
                for batch in PROFILES:
                    status.update(f"{one.name}: {backend.words}, batch of {batch}")
                    cells.append(measure(backend, _batch(samples, batch), seconds))
                table.add_row(name, backend.words, *cells)
                backend.close()
                name = ""
    console.width = 200  # whatever the terminal has: a wrapped line is read more easily than a cut number
    console.print(table)
    for line in dict.fromkeys(notes):
        console.print(line, style="dim")


def measure(backend, samples: dict[str, np.ndarray], seconds: float) -> str:
    """As "p50 / p95 / p99" of the milliseconds of a run, after two that do not count.

    Args:
        backend: what runs.
        samples: {input: (N, …) float32}.
        seconds: how long, about.
    """
    taken: list[float] = []
    begun: float | None = None
    while begun is None or len(taken) < FEWEST or (len(taken) < MOST and time.perf_counter() - begun < seconds):
        start = time.perf_counter()
        backend.run([samples])
        if begun is not None:
            taken.append((time.perf_counter() - start) * 1000)
        elif len(taken) == 0:
            backend.run([samples])
            begun = time.perf_counter()
    return " / ".join(f"{value:.2f}" for value in percentiles(taken, 50, 95, 99))


def _backends(one: Network, notes: list[str]):
    """Each that can run the network here; why the others cannot goes into `notes`."""
    model, digest = one.path.read_bytes(), one.manifest["sha256"]
    yield OnnxRuntime(model, one.path)
    try:
        yield OnnxCuda(model, one.path, OnnxRuntime(model, one.path))
    except EngineError as error:
        notes.append(str(error))
    if device.find() is None or library.find() is None:
        notes.append(f"TensorRT was not measured: {device.why_not() or library.why_not()}")
        return
    entries = [entry for entry in Store().entries() if entry.manifest and entry.manifest.network == one.name]
    for entry in entries:
        try:
            yield open_plan(one.name, digest, one.shapes, one.output, entry.manifest.precision)
        except EngineError as error:
            notes.append(str(error))
    if not entries:
        notes.append(f"{one.name} has no engine: mer-engine build {one.name}")


def _batch(samples: dict[str, np.ndarray], size: int) -> dict[str, np.ndarray]:
    """`size` of the samples, from the first again where there are fewer."""
    return {name: np.ascontiguousarray(array[np.arange(size) % len(array)]) for name, array in samples.items()}
