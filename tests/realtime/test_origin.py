"""Whose code runs where a folder holds files with the names of our modules and of Python's own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from places import DEMO, ROOT

from engines import isolated
from realtime.dashboard.server.command import Job

FILES = "json numpy pickle socket struct runpy av cv2 sitecustomize usercustomize".split()
PACKAGES = "realtime engines train configs hydra_plugins".split()
MARK = "import os; open(os.path.join({folder!r}, 'executed-' + __name__), 'w').close()\n"
SCRIPT = """
from realtime import settings
from realtime.pipeline import Pipeline
from realtime.naming.recognizer import Recognizer
from realtime.sources import open_source
from realtime.watching import LiveSettings

if __name__ == "__main__":
    with open_source({clip!r}) as source:
        print(next(iter(source)).pixels.shape, settings.load("live", [], LiveSettings).network)
"""
FOLDS = """
from realtime.parallel import each

if __name__ == "__main__":
    print(sorted(number for number, made in each(slice, 1, [2, 3], "processes", 2, print)))
"""


@pytest.fixture
def planted(tmp_path):
    """A folder of recordings in which somebody has put code under well-known names."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    plant(folder, FILES, PACKAGES)
    return folder


def plant(folder, files, packages):
    code = MARK.format(folder=str(folder))
    for name in files:
        (folder / f"{name}.py").write_text(code)
    for name in packages:
        (folder / name).mkdir()
        for file in ("__init__", "settings", "cli", "own"):
            (folder / name / f"{file}.py").write_text(code)
        (folder / name / "live.yaml").write_text("network: not_ours\n")


def executed(folder):
    return sorted(path.name for path in folder.rglob("executed-*"))


def run(words, folder, **environment):
    known = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(words, cwd=folder, env=known | environment, capture_output=True, text=True, timeout=300)


def script(name):
    path = Path(sys.executable).parent / name
    if not path.exists():
        pytest.skip(f"{name} is not installed beside {sys.executable}")
    return str(path)


def test_a_command_runs_no_code_of_the_folder_of_recordings(planted):
    shutil.copy(DEMO, planted / "clip.mp4")
    done = run([script("mer-replay"), "clip.mp4", "--out", "out", "--no-log"], planted)
    assert (done.returncode, executed(planted)) == (0, []), done.stderr
    assert (planted / "out/clip/events.csv").exists()


def test_a_decoder_takes_nothing_from_a_working_folder_on_the_search_path(planted, tmp_path):
    """As after `export PYTHONPATH=$PYTHONPATH:/opt/lib` where it was empty: its first entry is then the folder itself."""
    program = tmp_path / "program.py"
    program.write_text("import os\nos.environ['PYTHONPATH'] = os.pathsep\n" + SCRIPT.format(clip=str(DEMO)))
    done = run([sys.executable, str(program)], planted)
    assert (done.returncode, executed(planted)) == (0, []), done.stderr


def test_a_script_beside_folders_of_our_names_gets_ours(tmp_path):
    plant(tmp_path, [], ["engines", "train", "configs"])
    (tmp_path / "mine.py").write_text(SCRIPT.format(clip=str(DEMO)))
    done = run([sys.executable, "mine.py"], tmp_path)
    assert (done.stdout, executed(tmp_path)) == ("(480, 640, 3) kernel_ridge\n", []), done.stderr


def test_a_package_of_our_name_that_came_first_is_named(tmp_path):
    plant(tmp_path, [], ["engines"])
    (tmp_path / "mine.py").write_text("import engines\nimport realtime\n")
    done = run([sys.executable, "mine.py"], tmp_path)
    assert f"mer-live's package 'engines' is hidden by {tmp_path / 'engines/__init__.py'}" in done.stderr


def test_processes_side_by_side_run_no_code_of_the_working_folder(planted, tmp_path):
    (tmp_path / "folds.py").write_text(FOLDS)
    done = run([sys.executable, str(tmp_path / "folds.py")], planted)
    assert (done.stdout, executed(planted)) == ("[2, 3]\n", []), done.stderr


def test_a_job_of_the_page_runs_no_code_of_its_folder(planted):
    job = Job()
    job.start("Listing", "realtime.cli.log", "--help", folder=planted)
    job._child.wait(180)
    while job.running:
        pass
    assert not job.failed and "mer-log" in job.text and executed(planted) == []


def test_a_child_has_the_parents_libraries_and_not_its_working_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path / "libraries"))
    assert str(tmp_path / "libraries") in isolated.path()
    assert str(tmp_path) not in isolated.path() and "" not in isolated.path()
    monkeypatch.chdir(ROOT)
    assert str(ROOT) in isolated.path()  # a checkout that is not installed
