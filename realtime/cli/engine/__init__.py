"""`mer-engine`: the networks as TensorRT engines, compiled for a GPU; what there is, making it, trying it."""

from __future__ import annotations

import time
from contextlib import contextmanager

import click
from rich.table import Table
from rich.text import Text

from engines import device
from engines.errors import EngineError, on_notice
from engines.runtime import Network
from engines.tensorrt import library
from engines.tensorrt.precision import PRECISIONS
from engines.tensorrt.store import Entry, Store
from engines.zoo import ZOO, known, reduced
from realtime.cli import common
from realtime.cli.console import Console
from realtime.cli.engine.bench import bench
from realtime.cli.engine.check import check
from realtime.errors import MerError, MissingPartError, ModelError, OutputError
from realtime.networks import network

EXAMPLES = """
  mer-engine list                                what ships, what is built, whether it is current
  mer-engine build                               every network, for the GPU of this machine
  mer-engine build kernel_ridge --precision fp16
  mer-engine build --for sm_89,sm_120            for GPUs that are elsewhere (TensorRT for RTX)
  mer-engine check                               each engine's numbers beside those of ONNX Runtime
Engines are kept in the user's data folder; MER_ENGINES=FOLDER names another."""
CHOICE = click.argument("models", metavar="[MODEL]...", nargs=-1)


@common.group("mer-engine", EXAMPLES)
def main():
    """Compile the networks for a GPU, check and measure them."""


main.add_command(check)
main.add_command(bench)


@main.command("list")
def list_engines():
    """List networks, what runs them here, and their engines."""
    heard: list[str] = []
    click.get_current_context().with_resource(on_notice(heard.append))
    with faults():
        entries = Store().entries()
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("network", "ONNX", "beside its paper's", "runs on", "engine", "for", "by", "made", ""):
        table.add_column(name, justify="right" if name == "ONNX" else "left", no_wrap=True)
    for name in known():
        one = network(name)
        ships = name, f"{(ZOO / f'{name}.onnx').stat().st_size / 1e6:.1f} MB", reduced(one.manifest), one.backend
        built = [entry for entry in entries if entry.path.name.split(".")[0] == name]
        for entry in built:
            table.add_row(*ships, *_cells(entry))
            ships = "", "", "", ""
        if not built:
            table.add_row(*ships, Text("none built", "dim"))
    console = Console()
    console.width = 200  # whatever the terminal has: a wrapped line is read more easily than a cut number
    console.print(table)
    for entry in entries:
        if entry.reason and not _only_no_gpu(entry):
            console.print(entry.reason, style="yellow", soft_wrap=True)
    for line in heard:
        if "mer-engine build" not in line:  # of engines the table tells
            console.print(line, style="yellow", soft_wrap=True)
    console.print(here(), style="dim", soft_wrap=True)


@main.command()
@CHOICE
@click.option("--precision", type=click.Choice(PRECISIONS), default="fp32", show_default=True, help="What the layers compute in.")
@click.option("--for", "targets", metavar="sm_89,…", default="", help="Architectures.  [default: the GPU of this machine]")
@click.option("--force", is_flag=True, help="Build what is current, too.")
def build(models, precision, targets, force):
    """Compile networks (all by default) for a GPU."""
    wanted = tuple(filter(None, (target.strip() for target in targets.split(","))))
    if not library.installed():
        raise MissingPartError(f"engines cannot be built: {library.why_not()}")
    networks = [network(name, "cpu") for name in models or known()]
    console, store, failures = Console(soft_wrap=True), Store(), {}
    with faults(OutputError), store.lock(common.complain("mer-engine")):
        for one in networks:
            try:
                if not force and (reason := _current(store, one, precision, wanted)):
                    console.print(f"{one.name}: {reason}")
                else:
                    console.print(_build(store, one, precision, wanted, console))
            except OutputError:
                raise  # the disk is as full for the next one
            except ModelError as error:
                if str(error) in failures:
                    break  # it is not about this network: no TensorRT, no GPU
                common.complain("mer-engine")(str(error))
                failures[str(error)] = error.exit_code
    return max(failures.values(), default=0)


@main.command()
def clean():
    """Remove all engines, and what earlier builds measured."""
    with faults():
        store = Store()
        freed = store.clean()
    click.echo(f"{freed / 1e6:.1f} MB freed in {store.path}" if freed else f"nothing to remove in {store.path}")


def here() -> str:
    """The GPU and the TensorRT of this machine, or why there is none."""
    gpu, tensorrt = device.find(), library.find()
    one = f"{gpu.name}, {gpu.compute}, driver {gpu.driver}" if gpu else f"no GPU: {device.why_not()}"
    return f"{one}; {tensorrt.title if tensorrt else library.why_not()}"


@contextmanager
def faults(kind: type[MerError] = ModelError):
    """The engines' errors as ours, with the exit code of `kind`."""
    try:
        yield
    except EngineError as error:
        raise kind(str(error)) from error


def _build(store: Store, one: Network, precision: str, targets: tuple[str, ...], console: Console) -> str:
    """Build and keep one engine; returns what was written. Raises ModelError, OutputError."""
    from engines.tensorrt.build import build as compiled

    begun = time.monotonic()
    with console.status(f"{one.name}: starting") as status:
        samples = None
        if precision != "fp32":
            from realtime.naming import examples

            status.update(f"{one.name}: watching the demo clip for real inputs")
            samples = examples.inputs(one)
        with faults():
            plan, manifest = compiled(one.manifest, one.path.read_bytes(), precision, targets, samples, status.update, store)
    with faults(OutputError):
        store.save(manifest, plan)
    kept = f", {len(manifest.kept_fp32)} layers stay fp32" if manifest.kept_fp32 else ""
    where = f"for {', '.join(manifest.targets)}{kept}: {len(plan) / 1e6:.1f} MB in {time.monotonic() - begun:.1f} s"
    return f"{one.name}: {precision} {where}, {store.path / manifest.plan_file}"


def _current(store: Store, one: Network, precision: str, targets: tuple[str, ...]) -> str:
    """What makes another build needless; empty where it is needed. Asks the store as the GPUs in question would."""
    gpus = [device.Device(target, target, "", "99.0", 0) for target in targets] or [device.find()]
    for tensorrt in library.installed():
        try:
            found = [store.load(one.name, one.manifest["sha256"], gpu, tensorrt, precision)[1] for gpu in gpus]
        except EngineError:
            continue
        return f"the {precision} engine for {', '.join(targets or found[0].targets)} of {found[0].made} is current"
    return ""


def _cells(entry: Entry) -> list[str | Text]:
    if entry.manifest is None:
        return ["?", "", "", "", Text("damaged", "yellow")]
    about = entry.manifest
    size = f"{entry.path.stat().st_size / 1e6:.1f} MB" if entry.path.is_file() else "gone"
    kept = f", {len(about.kept_fp32)} in fp32" if about.kept_fp32 else ""
    made_for = about.gpu if about.library == "tensorrt" else ", ".join(about.targets)
    by = f"{'RTX ' if about.library == 'tensorrt_rtx' else ''}{about.version}"
    state = Text("current", "green") if entry.current else "no GPU here" if _only_no_gpu(entry) else Text("not used", "yellow")
    return [f"{about.precision}{kept}, {size}", made_for, by, about.made[:10], state]


def _only_no_gpu(entry: Entry) -> bool:
    """Sound, but for a machine that has a GPU: building it again would not help."""
    return entry.manifest is not None and ", there is no GPU here: " in entry.reason


if __name__ == "__main__":
    main()
