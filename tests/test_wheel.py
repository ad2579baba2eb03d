"""The built wheel in an empty environment: everything that the program needs is in it, and the demo clip's events come out."""

import csv
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from places import ROOT

pytest.importorskip("setuptools", minversion="77", reason="it builds the wheel: pip install 'setuptools>=77'")
PACKAGES = ("configs", "engines", "realtime", "train")
ELSEWHERE = {
    "realtime/assets/pictures",
    "realtime/notebooks",
    "realtime/dashboard/page/package.json",
    "engines/reports",
}  # for readers and tools of the repository


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy: a build leaves folders behind, and takes up what lies in older ones."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    code = f"from setuptools.build_meta import build_wheel; build_wheel({str(out)!r})"
    done = subprocess.run([sys.executable, "-c", code], cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return next(out.glob("*.whl"))


def test_all_that_the_program_reads_is_in_the_wheel(wheel):
    files = {
        str(path.relative_to(ROOT))
        for name in PACKAGES
        for path in (ROOT / name).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != "README.md"
    }
    needed = {file for file in files if not any(file.startswith(folder) for folder in ELSEWHERE)}
    for sort in ("engines/zoo/verifier.onnx", "engines/flow/kernels.fatbin", "realtime/assets/demo.mp4", "realtime/py.typed", "configs/live.yaml"):
        assert sort in needed
    assert any(file.startswith("realtime/dashboard/page/") and file.endswith(".js") for file in needed)
    with zipfile.ZipFile(wheel) as packed:
        assert not needed - set(packed.namelist())


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A new environment with the wheel; its dependencies, but not the project, are those of the tests' environment."""
    place = tmp_path_factory.mktemp("installed")
    venv.create(place)
    bin = place / "bin"
    command = [sys.executable, "-m", "pip", "--python", str(bin / "python"), "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(command, check=True)
    (site,) = place.glob("lib/python*/site-packages")
    # folders named by a .pth file are searched, but their own .pth files (an editable install) are not read
    (site / "dependencies.pth").write_text("\n".join(path for path in sys.path if path.endswith("-packages")))
    return bin


def run(*words: str | Path, folder: Path) -> str:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")} | {"PYTHONNOUSERSITE": "1"}
    done = subprocess.run([*map(str, words)], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_demo_runs_from_the_installed_wheel(installed, tmp_path):
    home = Path(run(installed / "python", "-c", "import realtime; print(realtime.__file__)", folder=tmp_path)).parent
    assert home.is_relative_to(installed.parent)
    run(installed / "mer-replay", home / "assets/demo.mp4", "--out", tmp_path / "found", folder=tmp_path)
    with open(next((tmp_path / "found").rglob("events.csv")), newline="", encoding="utf-8") as file:
        events = list(csv.DictReader(file))
    with open(home / "assets/demo.csv", newline="", encoding="utf-8") as file:
        made = [float(row["apex_s"]) for row in csv.DictReader(file)]
    assert [float(event["apex_s"]) for event in events] == pytest.approx(made, abs=0.2) and len(made) == 5
