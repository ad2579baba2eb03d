"""`mer-bench gpu` and `gpu-bundle`: what only a GPU can prove, there and on its way there."""

from __future__ import annotations

from pathlib import Path

import click

from engines import device
from realtime.cli.console import Console
from realtime.errors import MissingPartError
from realtime.output.line_file import cannot_write

HAS = "torch,numpy,numba,llvmlite,onnx,opencv-contrib-python"  # as on machines that are lent


@click.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The report.  [default: engines/reports/NAME-OF-THE-GPU.md]")
def gpu(out):
    """On a machine with a GPU: its tests, its kernels, naming and training, in one report (six minutes at most).

    Exit code 1 where a step failed, 7 where there is no GPU."""
    from train.bench.gpu import steps

    name = steps.gpu()
    if not name:
        raise MissingPartError(f"no GPU: {device.why_not()}; everything else is proved by make test")
    console, outcomes = Console(soft_wrap=True), []
    file = out or steps.file_of(name)
    for outcome in steps.run(steps.plan(), begin=lambda step: console.print(f"{step.title} …", style="dim")):
        outcomes.append(outcome)
        console.print(f"{outcome.step.title}: {outcome.ended}, {outcome.seconds:.0f} s", style=None if outcome.good else "yellow")
        try:  # after every step: whatever ends this program, what it has found is there
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(steps.report(name, outcomes), "utf-8")
        except OSError as error:
            raise cannot_write(file, error) from error
    console.print(f"the report is in {file}")
    return int(not all(one.good or one.step.lacks for one in outcomes))


@click.command("gpu-bundle")
@click.option("--python", default="3.12", show_default=True, metavar="VERSION", help="Of the machine that it is for.")
@click.option("--has", default=HAS, show_default=True, metavar="NAMES", help="Packages that are there already.")
@click.option("--with", "more", multiple=True, metavar="PACKAGE", help="Bring this, too, such as onnxruntime-gpu (250 MB). May be repeated.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("build/gpu-bundle"), show_default=True, help="Where the parts go."
)
def gpu_bundle(python, has, more, out):
    """Pack what a bare machine with a GPU and no network needs for `mer-bench gpu`."""
    from train.bench.gpu import bundle

    console = Console(soft_wrap=True)
    try:
        with console.status("packing"):
            parts = bundle.pack(out, python, {bundle.normal(name) for name in has.split(",") if name}, list(more))
    except OSError as error:
        raise cannot_write(out, error) from error
    for part in parts:
        console.print(f"{part}: {part.stat().st_size / 1e6:.0f} MB")
    console.print(f"There, with all parts in one folder:\n\n{bundle.UNPACK}\n", markup=False)
