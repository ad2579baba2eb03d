"""A user without a home: no HOME, and no entry among the system's users (a container's `--user 12345`)."""

import os
import subprocess
import sys

from places import DEMO, ROOT

from engines import environment

NOBODY = """
import os, pwd, sys
def unknown(number):
    raise KeyError(number)
pwd.getpwuid = unknown
sys.path.insert(0, os.environ["ROOT"])
from realtime.cli.{} import main
main()
"""


def run(tmp_path, command, *words):
    """(exit code, lines on stderr), in a folder of its own."""
    env = {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path / "tmp"), "ROOT": str(ROOT)}
    for folder in ("tmp", "here"):
        (tmp_path / folder).mkdir(exist_ok=True)
    done = subprocess.run([sys.executable, "-c", NOBODY.format(command), *words], cwd=tmp_path / "here", env=env, capture_output=True, text=True)
    return done.returncode, done.stderr.splitlines()


def test_every_command_works_and_says_where_things_are_kept(tmp_path):
    place = tmp_path / "tmp" / f"mer-live-{os.getuid()}"
    code, said = run(tmp_path, "live", "--source", str(DEMO), "--seconds", "1")
    assert code == 0 and len(said) == 1 and f"no home folder (HOME): event log, engines and caches are in {place}" in said[0]
    assert place.stat().st_mode & 0o777 == 0o700 and list(place.rglob("events.sqlite3"))
    assert run(tmp_path, "log", "list")[0] == 0 and run(tmp_path, "engine", "list")[0] == 0
    assert list((tmp_path / "here").iterdir()) == []  # no folder "~"


def test_a_folder_that_others_may_write_is_not_taken(tmp_path):
    (tmp_path / "tmp" / f"mer-live-{os.getuid()}").mkdir(parents=True)
    (tmp_path / "tmp" / f"mer-live-{os.getuid()}").chmod(0o777)
    code, said = run(tmp_path, "log", "list")
    assert code == 2 and f"are in {tmp_path}/tmp/mer-live-{os.getuid()})" not in said[0] and "no event log" in said[1]


def test_a_home_that_can_be_written_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    environment.find_home()
    assert os.environ["HOME"] == str(tmp_path) and "NUMBA_CACHE_DIR" not in os.environ and environment.home_instead == ""


def test_caches_have_a_place_where_the_home_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(environment.os, "access", lambda *_: False)
    monkeypatch.setattr(environment.tempfile, "gettempdir", lambda: str(tmp_path))
    for name in ("NUMBA_CACHE_DIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    environment.find_home()
    assert os.environ["HOME"] == str(tmp_path)  # what lies there can still be read
    assert os.environ["NUMBA_CACHE_DIR"] == f"{tmp_path}/mer-live-{os.getuid()}/numba"
