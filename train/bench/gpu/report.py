"""One Markdown file of what `mer-bench gpu` found, named after the GPU."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from engines import device
from realtime.origin import ROOT
from train.bench.gpu.steps import Outcome, tidy
from train.run_folder import commit

REPORTS = ROOT / "engines" / "reports"
PACKAGES = ("torch", "onnxruntime-gpu", "onnxruntime", "pycuda", "tensorrt", "numba", "numpy")


def file_of(gpu: str) -> Path:
    """From "NVIDIA H200" → engines/reports/nvidia-h200.md."""
    return REPORTS / f"{re.sub(r'[^a-z0-9]+', '-', gpu.lower()).strip('-') or 'gpu'}.md"


def markdown(gpu: str, outcomes: list[Outcome]) -> str:
    """The machine, a table of all steps, then what each of them printed."""
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
    packages = ", ".join(f"{name} {found}" for name in PACKAGES if (found := _version(name)))
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
