"""`make gpu`: on a machine with a GPU, everything that only a GPU can prove or measure, in one report.

Each step runs in a child with a time limit of its own: a crash of one is none of the others. `kernels`, `naming` and `training`
are such children; `bundle` packs what a machine without a network needs for it all, `unpacked` sets that up there.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from engines import device
from engines.isolated import command
from realtime.networks import naming
from realtime.origin import ROOT
from train.run_folder import commit

TOTAL = 350.0  # seconds for all: a lent machine has fifteen minutes
LONGEST = 400  # lines of what a step printed that are kept, the last ones
METHODS = ("skd_tstsan", "moext", "dual_atme", "sa_at", "ststnet", "kernel_ridge")
REPORTS = ROOT / "engines" / "reports"
PACKAGES = ("torch", "onnxruntime-gpu", "onnxruntime", "pycuda", "tensorrt", "numba", "numpy")
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True)
class Step:
    """One of the things that are run.

    Attributes:
        seconds: its limit.
        lacks: why it cannot be run here, empty where it can.
    """

    title: str
    words: list[str]
    seconds: float
    lacks: str = ""
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What a step came to.

    Attributes:
        ended: "done", "failed (exit code 3)", "stopped after 60 s" or "left out".
        text: what it printed, or why it was left out.
    """

    step: Step
    ended: str
    seconds: float
    text: str

    @property
    def good(self) -> bool:
        return self.ended == "done"


def gpu() -> str:
    """The name of the GPU of this machine; empty where there is none. pycuda need not be there."""
    if found := device.find():
        return found.name
    if device.switched_off():
        return ""
    with suppress(OSError, subprocess.SubprocessError):
        asked = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=20)
        return (done.stdout.splitlines() or [""])[0].strip() if done.returncode == 0 else ""
    return ""


def plan() -> list[Step]:
    """All steps, what matters most first."""
    no_pycuda = _missing("pycuda")
    kernels = command("train.bench.gpu.kernels")
    steps = [
        _tests(),
        Step("kernels: self-checks, beside the CPU, times", kernels, 45, no_pycuda),
        *map(_naming, naming()),
        *(_training(method) for method in METHODS),
        _training("moext", "bf16"),
        Step("mer-bench flow", command("train.bench.cli", "flow", "--pairs", "8"), 75, _missing("numba") or _no_films()),
        Step("mer-engine bench", command("realtime.cli.engine", "bench", "--seconds", "0.2"), 90, _missing("onnxruntime")),
    ]
    sanitizer = _sanitizer()
    lacks = no_pycuda or ("" if sanitizer else "compute-sanitizer is not installed: it comes with the CUDA toolkit")
    for tool, size, seconds in (("memcheck", "--small", 60), ("racecheck", "--tiny", 60)):
        words = [sanitizer, "--tool", tool, "--error-exitcode", "9", *kernels, size]
        steps.append(Step(f"compute-sanitizer, {tool}", words, seconds, lacks))
    return steps


def run(steps: list[Step], total: float = TOTAL, begin: Callable[[Step], None] = lambda step: None) -> Iterator[Outcome]:
    """Each step's outcome as it ends. `begin` is told of each before. What `total` seconds do not reach is left out."""
    end = time.monotonic() + total
    for step in steps:
        begin(step)
        left = end - time.monotonic()
        if step.lacks:
            yield Outcome(step, "left out", 0.0, step.lacks)
        elif left <= 0:
            yield Outcome(step, "left out", 0.0, f"the {total:.0f} s for all steps were over")
        else:
            yield one(step, min(step.seconds, left))


def one(step: Step, limit: float) -> Outcome:
    """Run it. Beyond `limit` seconds it is stopped, with all that it has started."""
    begun = time.monotonic()
    try:
        child = subprocess.Popen(
            step.words,
            cwd=ROOT,
            env={**os.environ, **step.environment},
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        return Outcome(step, "failed (it does not start)", 0.0, str(error))
    try:
        text, _ = child.communicate(timeout=limit)
        ended = _ended(child.returncode)
    except subprocess.TimeoutExpired:
        text, ended = _stop(child), f"stopped after {limit:.0f} s"
    except BaseException:
        _stop(child)
        raise
    return Outcome(step, ended, time.monotonic() - begun, tidy(text))


def _stop(child: subprocess.Popen) -> str:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)  # a hung driver hears nothing softer
    return child.communicate()[0]


def _ended(code: int) -> str:
    if code == 0:
        return "done"
    return f"failed ({signal.Signals(-code).name})" if code < 0 else f"failed (exit code {code})"


def tidy(text: str) -> str:
    """Its last lines, without colours and without this machine's folders."""
    for place, name in ((str(ROOT), "."), (sys.prefix, "(python)"), (str(Path.home()), "~")):
        text = text.replace(place, name)
    lines = _COLOURS.sub("", text).rstrip().splitlines()
    cut = [f"({len(lines) - LONGEST} lines before)"] if len(lines) > LONGEST else []
    return "\n".join(cut + [line.rstrip() for line in lines[-LONGEST:]])


def file_of(gpu: str) -> Path:
    """From "NVIDIA H200" → engines/reports/nvidia-h200.md."""
    return REPORTS / f"{re.sub(r'[^a-z0-9]+', '-', gpu.lower()).strip('-') or 'gpu'}.md"


def report(gpu: str, outcomes: list[Outcome]) -> str:
    """Markdown: the machine, a table of all steps, then what each of them printed."""
    rows = [f"| {one.step.title} | {one.ended} | {one.seconds:.0f} |" for one in outcomes]
    parts = [f"# {gpu}", about(), "\n".join(["| step | | s |", "|---|---|---|", *rows])]
    for one in outcomes:
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", one.text)), default=0))
        said = f"{fence}text\n{one.text}\n{fence}" if one.ended != "left out" else f"Left out: {one.text}."
        parts.append(f"## {one.step.title}\n\n{said}")
    return "\n\n".join(parts) + "\n"


def about() -> str:
    """When, on what, with what: one paragraph."""
    found = device.find()
    gpu = f"{found.compute}, {found.memory_mib / 1024:.0f} GiB, driver {found.driver}, CUDA {found.cuda}" if found else device.why_not()
    packages = ", ".join(f"{name} {version}" for name in PACKAGES if (version := _version(name)))
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return tidy(f"`make gpu`, {when}; {gpu}; {os.cpu_count()} CPU cores; Python {platform.python_version()}, {packages}; {state()}.")


def state() -> str:
    """Which code it was. A bundle, which has no repository, says it in MER_COMMIT."""
    here = commit()
    return f"commit {here['commit'][:12]}{' with changes' * here['dirty']}" if here else os.environ.get("MER_COMMIT") or "no commit known"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _tests() -> Step:
    folder = ROOT / "tests"
    files = sorted(str(file.relative_to(ROOT)) for file in folder.rglob("test_*.py") if "from gpu import" in file.read_text("utf-8"))
    lacks = _missing("pytest") or ("" if files else "the tests are not here: run it in the project's own folder")
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "needs_cuda", "--continue-on-collection-errors", "--tb=short"]
    return Step("needs_cuda tests", [*words, *files], 120, lacks, {"MER_REQUIRE_GPU": "1"})


def _naming(name: str) -> Step:
    return Step(f"known → label, {name}", command("train.bench.gpu.naming", name), 45, _missing("onnxruntime", "numba"))


def _training(method: str, *precision: str) -> Step:
    what = ", ".join((method, *precision))
    return Step(f"ten training steps, {what}", command("train.bench.gpu.training", method, *precision), 60, _missing("torch"))


def _missing(*modules: str) -> str:
    absent = [module for module in modules if find_spec(module) is None]
    return f"{' and '.join(absent)} not installed" if absent else ""


def _no_films() -> str:
    return "" if os.environ.get("MER_EXAMPLES") else _missing("av")


def _sanitizer() -> str:
    beside = shutil.which("nvcc") or "/usr/local/cuda/bin/nvcc"
    near = Path(beside).resolve().with_name("compute-sanitizer")
    return shutil.which("compute-sanitizer") or (str(near) if near.is_file() else "")
