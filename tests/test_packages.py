"""Where it can be installed: every pinned dependency has a wheel for the systems that the README names, and the Docker files
fetch what is needed.
"""

import re
import shlex
import subprocess
import sys
import tomllib

import pytest
from places import ROOT

from realtime.cli.system import NEEDED

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
# NVIDIA's libraries are for Linux (pycuda is compiled on installing); who trains, shares out work or tests is on Linux, too
NOT_ASKED = {"build", "rtx", "gpu", "cuda", "train", "cluster", "test"}
MAC = [f"macosx_{version}_0_arm64" for version in (14, 13, 12, 11)]
SYSTEMS = {"Windows": ["win_amd64"], "macOS": MAC}


def wheels(tmp_path, platforms: list[str], packages: list[str]) -> str:
    """Pip's last word where a wheel is missing for one of them, "" where all are there. Nothing is fetched but what pip reads."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--no-deps", "--ignore-installed", "--only-binary=:all:"]
    command += ["--python-version", "3.11", "--target", str(tmp_path), "--retries", "0", "--timeout", "20", "--disable-pip-version-check"]
    try:
        done = subprocess.run([*command, *(f"--platform={one}" for one in platforms), *packages], capture_output=True, text=True, timeout=200)
    except subprocess.TimeoutExpired:
        pytest.skip("the package index does not answer")
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["pip failed"])[-1]


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_dependency_has_a_wheel(tmp_path, system):
    extras = [package for name, packages in PROJECT["optional-dependencies"].items() if name not in NOT_ASKED for package in packages]
    missing = wheels(tmp_path, SYSTEMS[system], [*PROJECT["dependencies"], *extras])
    if missing and (why := wheels(tmp_path, SYSTEMS[system], ["psutil"])):  # a mirror may hold this machine's alone
        pytest.skip(f"the package index here has no wheels for {system}: {why}")
    assert missing == ""


def test_a_wheel_that_is_missing_is_noticed(tmp_path):
    mediapipe = next(one for one in PROJECT["dependencies"] if one.startswith("mediapipe"))
    assert "mediapipe" in wheels(tmp_path, ["macosx_11_0_x86_64"], [mediapipe])  # none for Macs with an Intel processor


@pytest.mark.parametrize("name", ["Dockerfile", "Dockerfile.gpu"])
def test_a_docker_file_fetches_what_is_needed(name):
    text = (ROOT / name).read_text().replace("\\\n", " ")
    installed = re.search(r"apt-get install (.*?) &&", text)[1].split()
    assert {package.removesuffix("t64") for package in installed} >= set(NEEDED.values())
    extras = re.search(r"/src\[([\w,]+)\]", text)[1].split(",")
    assert set(extras) <= set(PROJECT["optional-dependencies"])
    words = [shlex.split(line.removeprefix("# docker run ")) for line in text.splitlines() if line.startswith("# docker run ")]
    commands = {word for line in words for word in line if word.startswith("mer-") and word not in ("mer-live-gpu",)}
    assert commands and commands <= set(PROJECT["scripts"])
    sent = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    packages = {folder.removesuffix("*") for folder in _packages()}
    assert set(sent) >= packages and all((ROOT / one).exists() for one in sent)


def _packages() -> list[str]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]["include"]
