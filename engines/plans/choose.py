"""Which plan runs a network here, if any."""

from __future__ import annotations

from engines import device
from engines.errors import EngineError, GpuLost
from engines.plans import library
from engines.plans.store import Store


def plan(name: str, onnx_sha256: str, inputs: dict[str, tuple[int, ...]], output: str, precision: str | None = None):
    """The network's plan (`execute.Plan`), checked against its manifest, then loaded and warm.

    inputs: shapes of one sample (1, …). precision: default the one built last. Raises EngineError, which says why and what
    to do, where there is none for this GPU.
    """
    gpu = device.find()
    if gpu is None:
        raise EngineError(f"{name} cannot run on TensorRT here: {device.why_not()}")
    tensorrt = library.find()
    if tensorrt is None:
        raise EngineError(f"{name} cannot run on TensorRT here: {library.why_not()}")
    from engines.plans.execute import Plan

    content, manifest = Store().load(name, onnx_sha256, gpu, tensorrt, precision)
    try:
        return Plan(content, tensorrt, inputs, output, f"{tensorrt.title}, {gpu.name}, {manifest.precision}")
    except GpuLost as error:
        raise EngineError(f"the {manifest.precision} engine of {name} cannot be loaded ({error})") from error
    except EngineError as error:
        raise EngineError(f"the {manifest.precision} engine of {name} is not used, {error}: {manifest.command}") from error


def expected(name: str) -> bool:
    """Whether somebody built an engine of this network, or would gain by it: then why it is not used is worth a word."""
    built = any(path.name.startswith(f"{name}.") for path in Store().path.glob("*.json"))
    return built or device.find() is not None
