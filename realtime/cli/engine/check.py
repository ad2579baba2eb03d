"""`mer-engine check`: an engine's numbers beside those of ONNX Runtime on the CPU, on real inputs."""

from __future__ import annotations

import click
import numpy as np
from rich.table import Table

from engines import device
from engines.errors import EngineError
from engines.onnx import OnnxRuntime
from engines.runtime import Network
from engines.tensorrt import library
from engines.tensorrt.precision import PRECISIONS, change_between
from engines.tensorrt.run import open_plan
from engines.tensorrt.store import Store
from engines.zoo import known
from realtime.cli import common
from realtime.cli.console import Console
from realtime.errors import ModelError
from realtime.networks import network


@click.command("check", cls=common.Command)
@click.argument("models", metavar="[MODEL]...", nargs=-1)
def check(models):
    """Compare engines with ONNX Runtime.

    Largest difference and decisions that flip on real inputs, of all networks or those named. Where no engine can run, the
    files that engines are built from are compared.
    """
    from realtime.naming import examples

    networks = [network(name, "cpu") for name in models or known()]
    console, runs_here = Console(soft_wrap=True), device.find() is not None and library.find() is not None
    flipped, notes = [], []
    with console.status("watching the demo clip for real inputs") as status:
        table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
        for name in ("network", "beside ONNX Runtime, CPU", "samples", "largest difference", "flips", "layers in fp32"):
            table.add_column(name, justify="left" if name[0] in "nb" else "right", no_wrap=True)
        for one in networks:
            samples = examples.inputs(one)
            status.update(f"{one.name}: checking")
            expected = _answers(one, one.path.read_bytes(), samples)
            name = one.name
            for what, found, kept in _engines(one, samples) if runs_here else _files(one, samples):
                if isinstance(found, str):
                    table.add_row(name, what, "", "–", "–")
                    notes.append(f"{one.name}, {what}: {found}")
                else:
                    change = change_between(found, expected, len(one.classes))
                    table.add_row(name, what, str(len(expected)), f"{change.largest:.1e}", str(change.flips), str(kept or ""))
                    flipped += [f"{one.name} ({what})"] if change.flips else []
                name = ""
    console.width = 200  # whatever the terminal has: a wrapped line is read more easily than a cut number
    console.print(table)
    for note in notes:
        console.print(note, style="yellow")
    if not runs_here:
        why = device.why_not() or library.why_not()
        console.print(f"no engine was run, only the files that engines are built from: {why}", style="dim")
    if flipped:
        raise ModelError(f"decisions flip in {', '.join(flipped)}: build these with another --precision")


def _engines(one: Network, samples: dict[str, np.ndarray]):
    """(what, answers or why there are none, layers kept in fp32) of each engine that was built of the network."""
    built = [entry for entry in Store().entries() if entry.manifest and entry.manifest.network == one.name]
    for entry in built:
        precision = entry.manifest.precision
        if not entry.current:
            yield precision, entry.reason, 0
            continue
        try:
            plan = open_plan(one.name, one.manifest["sha256"], one.shapes, one.output, precision)
            try:
                yield plan.words, plan.run([samples]), len(entry.manifest.kept_fp32)
            finally:
                plan.close()
        except EngineError as error:
            yield precision, str(error), 0
    if not built:
        yield "none built", f"mer-engine build {one.name}", 0


def _files(one: Network, samples: dict[str, np.ndarray]):
    """The same of the ONNX files from which engines are built, rounded as the GPU would, computed by ONNX Runtime."""
    from engines.tensorrt.graph import load, need_batches
    from engines.tensorrt.precision import CHUNK, answers, halved, lower, names_of

    whole = one.path.read_bytes()
    try:
        need_batches(load(whole))
        yield f"fp32, batches of {CHUNK}", answers(whole, samples), 0
    except EngineError as error:
        yield "fp32", str(error), 0
        return
    for precision in PRECISIONS[1:]:
        try:
            lowered, kept = lower(whole, precision, samples, len(one.classes))
            if precision != "int8":  # a CPU has no such layers: the same numbers, held in fp32
                lowered = halved(whole, precision, [name for name in names_of(load(whole)) if name not in kept], emulated=True)
            yield precision, answers(lowered, samples), len(kept)
        except EngineError as error:
            yield precision, str(error), 0


def _answers(one: Network, model: bytes, samples: dict[str, np.ndarray]) -> np.ndarray:
    return OnnxRuntime(model, one.path).run([samples])
