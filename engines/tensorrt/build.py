"""ONNX → plan: one network, compiled by TensorRT or TensorRT for RTX for this GPU, or for GPUs that are elsewhere."""

from __future__ import annotations

import functools
import hashlib
import threading
import warnings
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib import metadata
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from engines import device
from engines.errors import EngineError
from engines.tensorrt import library
from engines.tensorrt.graph import load, need_batches
from engines.tensorrt.library import Library
from engines.tensorrt.manifest import NAME, PROFILES, TARGET, PlanManifest
from engines.tensorrt.precision import PRECISIONS, lower
from engines.tensorrt.store import Store

LOOK = 0.2  # seconds between two looks at what the build is doing

T = TypeVar("T")


def build(
    network: dict,
    onnx_bytes: bytes,
    precision: str = "fp32",
    targets: Sequence[str] = (),
    samples: dict[str, np.ndarray] | None = None,
    progress: Callable[[str], None] = lambda line: None,
    store: Store | None = None,
) -> tuple[bytes, PlanManifest]:
    """The plan of a network and what it is. Nothing is written (`Store.save` does), but for timings kept in `store`.

    Args:
        network: its manifest.
        onnx_bytes: its file.
        precision: one of PRECISIONS; others than fp32 need samples.
        targets: architectures such as "sm_89" (TensorRT for RTX only, and then no GPU is needed); without them, the GPU of
            this machine.
        samples: {input: (N, …) float32} of real inputs, on which `precision.lower` compares.
        progress: gets a line now and then, in the thread that called. A KeyboardInterrupt ends the build at TensorRT's next
            step.
        store: where timings of earlier builds are kept.

    Raises:
        EngineError: no TensorRT, no GPU and no targets, targets that it cannot build for, a file that is not the
            manifest's, an operation that it does not know, a precision that the network does not bear, a failed build.
    """
    if precision not in PRECISIONS:
        raise EngineError(f"unknown precision '{precision}': expected one of {', '.join(PRECISIONS)}")
    if not NAME.fullmatch(network["name"]):
        raise EngineError(f"a network called '{network['name']}' gets no engine: letters, digits, - and _ make a name")
    digest = hashlib.sha256(onnx_bytes).hexdigest()
    if network.get("sha256", digest) != digest:
        raise EngineError(f"the ONNX file is not the one that the manifest of {network['name']} describes: restore it")
    gpu = device.find()
    tensorrt, targets = _choose(tuple(dict.fromkeys(targets)), gpu)

    progress(f"{network['name']}: reading")
    model: bytes = onnx_bytes
    kept: list[str] = []
    try:
        need_batches(load(model))
    except EngineError as error:
        raise EngineError(f"{network['name']} gets no engine, {error}: export it again with mer-train") from error
    if precision != "fp32":
        if not samples:
            raise EngineError(f"{precision} is compared with fp32 on real inputs: give samples, or build with fp32")
        progress(f"{network['name']}: {precision} compared with fp32")
        classes = len(network["classes"]) if network.get("classes") else None
        model, kept = lower(model, precision, samples, classes, lambda line: progress(f"{network['name']}: {line}"))
    plan = _compile(tensorrt, network, model, targets, gpu, progress, store)
    return plan, PlanManifest(
        network=network["name"],
        onnx_sha256=digest,
        plan_sha256=hashlib.sha256(plan).hexdigest(),
        library=tensorrt.name,
        version=tensorrt.version,
        cuda=gpu.cuda if gpu else "",
        driver=gpu.driver if gpu else "",
        gpu=gpu.name if gpu else "",
        targets=targets,
        precision=precision,
        profiles=PROFILES,
        kept_fp32=tuple(kept),
        tool_version=_version(),
        made=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def known_targets() -> list[str]:
    """The architectures that the TensorRT for RTX installed here builds for, "sm_75", …; empty where there is none."""
    rtx = next((each for each in library.installed() if each.name == "tensorrt_rtx"), None)
    return [f"sm_{number}" for number in _capabilities(rtx)] if rtx else []


def _choose(targets: tuple[str, ...], gpu: device.Device | None) -> tuple[Library, tuple[str, ...]]:
    """The library that builds, and for which architectures."""
    first = library.find()
    if first is None:
        raise EngineError(f"engines cannot be built: {library.why_not()}")
    if not targets and gpu is None:
        example = next(iter(known_targets()[3:]), "sm_89")
        why = device.why_not()
        raise EngineError(f"there is no GPU here to build for ({why}): name an architecture, --for {example}")
    here = (gpu.compute,) if gpu else ()
    if here and first.name == "tensorrt" and targets in ((), here):
        return first, here
    rtx = next((each for each in library.installed() if each.name == "tensorrt_rtx"), None)
    if rtx is None:
        raise EngineError(f"{first.title} builds for the GPU at hand only: leave --for out, or pip install 'mer-live[rtx]'")
    targets = targets or here
    known = [f"sm_{number}" for number in _capabilities(rtx)]
    strange = [target for target in targets if target not in known]
    if strange:
        hint = "" if all(TARGET.fullmatch(target) for target in strange) else "; they are written so"
        if gpu is not None and gpu.compute in strange:
            hint += "; for this GPU install TensorRT, 'mer-live[gpu]'"
        raise EngineError(f"{rtx.title} does not build for {', '.join(strange)}: it knows {', '.join(known)}{hint}")
    return rtx, tuple(sorted(targets, key=known.index))


def _capabilities(rtx: Library) -> list[int]:
    names = rtx.module.ComputeCapability.__members__
    return sorted(int(name[2:]) for name in names if name.startswith("SM") and name[2:].isdigit())


def _compile(tensorrt: Library, network: dict, model: bytes, targets, gpu, progress, store) -> bytes:
    module, log = tensorrt.module, tensorrt.logger
    log.errors.clear()
    builder = module.Builder(log)
    # newer ones are always strongly typed, and may drop the flag
    typed = getattr(module.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        definition = builder.create_network(0 if typed is None else 1 << int(typed))
    parser = module.OnnxParser(definition, log)
    if not parser.parse(model) or not definition.num_outputs:
        raise EngineError(_parse_error(parser, tensorrt, network["name"]))
    config = builder.create_builder_config()
    if hasattr(module.BuilderFlag, "TF32"):
        config.clear_flag(module.BuilderFlag.TF32)  # it would round what is to stay fp32 to 10 bits
    profile = builder.create_optimization_profile()
    for place in range(definition.num_inputs):
        tensor = definition.get_input(place)
        profile.set_shape(tensor.name, *((size, *tuple(tensor.shape)[1:]) for size in PROFILES))
    config.add_optimization_profile(profile)
    timings = None
    if tensorrt.name == "tensorrt_rtx":
        config.num_compute_capabilities = len(targets)
        for place, target in enumerate(targets):
            config.set_compute_capability(getattr(module.ComputeCapability, target.upper().replace("_", "")), place)
    else:  # TensorRT for RTX times nothing while it builds
        timings = config.create_timing_cache(store.timings(tensorrt, gpu.compute) if store else b"")
        if not config.set_timing_cache(timings, False):  # of another driver, say: start afresh
            timings = config.create_timing_cache(b"")
            config.set_timing_cache(timings, False)
    monitor = config.progress_monitor = progress_monitor(module)
    plan = patiently(
        lambda: builder.build_serialized_network(definition, config),
        monitor,
        lambda phase: progress(f"{network['name']}: {phase}"),
    )
    if plan is None:
        reason = log.errors[-1][:300] if log.errors else "it does not say why"
        raise EngineError(f"{tensorrt.title} could not build {network['name']} for {', '.join(targets)} ({reason})")
    if timings is not None and store is not None:
        store.keep_timings(tensorrt, gpu.compute, bytes(timings.serialize()))
    return bytes(plan)


def _parse_error(parser, tensorrt: Library, name: str) -> str:
    if not parser.num_errors:
        return f"{name} holds no network: export it again"
    error = parser.get_error(0)
    if kind := error.node_operator():
        where = f"{kind} (node '{error.node_name()}')"
        return f"{tensorrt.title} cannot build {name}: it does not know the operation {where}, or not in this form"
    return f"{tensorrt.title} cannot read the network {name} ({' '.join(error.desc().split())[:200]})"


def _version() -> str:
    try:
        return metadata.version("mer-live")
    except metadata.PackageNotFoundError:
        return "unknown"


@functools.cache
def _monitor_class(module: ModuleType):
    base: Any = module.IProgressMonitor

    class Monitor(base):
        """TensorRT calls it from its own threads: it only notes the phase, and says whether to go on."""

        def __init__(self):
            base.__init__(self)
            self.phase, self.stop = "starting", False

        def phase_start(self, phase_name, parent_phase, num_steps):
            self.phase = phase_name

        def step_complete(self, phase_name, step):
            return not self.stop

        def phase_finish(self, phase_name):
            pass

    return Monitor


def progress_monitor(module: ModuleType):
    """What TensorRT reports to. phase: in its own words; stop: set it, and the build ends at its next step."""
    return _monitor_class(module)()


def patiently(work: Callable[[], T], monitor, progress: Callable[[str], None]) -> T:
    """work(), in another thread; progress gets each new phase in this one.

    Whatever ends the wait early (KeyboardInterrupt, an error of `progress`) stops the build, and only goes on from here
    when that has ended: nothing is left running.
    """
    result: list[T] = []
    errors: list[BaseException] = []
    done = threading.Event()  # not Thread.join: in Python 3.11 an interrupted join takes the thread for finished

    def run() -> None:
        try:
            result.append(work())
        except BaseException as error:
            errors.append(error)
        finally:
            done.set()

    threading.Thread(target=run, name="engine build", daemon=True).start()
    told = None
    try:
        while not done.wait(LOOK):
            if monitor.phase != told:
                told = monitor.phase
                progress(told)
    except BaseException:
        monitor.stop = True
        done.wait()
        raise
    if errors:
        raise errors[0]
    return result[0]
