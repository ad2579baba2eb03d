"""The rooms of the house: imports run one way, and the live side pulls in no trainer."""

import ast
import subprocess
import sys

import pytest
from places import ROOT

FORBIDDEN = {"engines": ("realtime", "train", "torch"), "realtime": ("train", "torch"), "train": ()}


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("room", FORBIDDEN)
def test_imports_run_one_way(room):
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in (ROOT / room).rglob("*.py")
        for name in imports(path)
        if name.split(".")[0] in FORBIDDEN[room]
    ]
    assert not wrong


def test_the_live_side_pulls_in_no_torch():
    code = "import sys, realtime.pipeline, realtime.cli.live, realtime.cli.replay; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_source_files_stay_small():
    long = [str(path) for room in FORBIDDEN for path in (ROOT / room).rglob("*.py") if len(path.read_text().splitlines()) > 400]
    assert not long
