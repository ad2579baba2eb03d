"""`mer-bench damage`: whole things are read, damaged ones end in order, and what would not is noticed."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import forkserver

import numpy as np
import psutil
import pytest

from train.bench.damage import hurt, intact, trial
from train.bench.damage.cli import markdown
from train.bench.damage.trial import Outcome

TRIED = {"media": 5, "models": 5, "manifests": 5, "logs": 15, "settings": 15, "tables": 15}  # many more of each: `mer-bench damage`


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return intact.whole(tmp_path_factory.mktemp("whole"), lambda words, folder: trial.run(words, folder).code)


def test_whole_things_are_read(whole, monkeypatch):
    monkeypatch.setattr(intact, "hurt", lambda data, ways, random: (data, "whole"))
    monkeypatch.setattr(intact, "reworded", lambda data, random: data)
    monkeypatch.setattr(intact, "_other_value", lambda log, random: (log, "whole"))
    cases = [intact.case(whole, kind, 0, number) for kind in intact.KINDS for number in range(1 + (kind == "tables"))]
    for _, case, outcome in trial.play_all([lambda case=case: case for case in cases], 2):
        assert outcome.code == 0 and not outcome.wrong({0}), (case.what, case.command, outcome)


def test_damaged_things_end_in_order(whole):
    cases = [lambda kind=kind, number=number: intact.case(whole, kind, 7, number) for kind in TRIED for number in range(TRIED[kind])]
    wrong = {case.what: (outcome.wrong(case.fine), outcome.said[-600:]) for _, case, outcome in trial.play_all(cases, 2) if outcome.wrong(case.fine)}
    assert not wrong


def test_the_same_seed_damages_alike(whole):
    one, again, other = (intact.case(whole, "media", seed, 3) for seed in (5, 5, 6))
    assert one == again and one.files != other.files


@pytest.mark.parametrize("way", dict.fromkeys((*hurt.FILM, *hurt.TEXT)), ids=lambda way: way.__name__)
def test_every_way_changes_something(way):
    data = b'{"tkhd": 12.5, "name": "one"}' * 20
    assert any(way(data, np.random.default_rng(seed)) != data for seed in range(5))


@pytest.mark.parametrize(
    "outcome, wrong",
    [
        (Outcome(0, 1, 0, ""), ""),
        (Outcome(3, 1, 0, "mer-replay: no such file"), "exit code"),
        (Outcome(-11, 1, 0, ""), "crash"),
        (Outcome(0, trial.SECONDS, 0, ""), "hang"),
        (Outcome(0, 1, trial.MEMORY, ""), "memory"),
        (Outcome(0, 1, 0, "Traceback (most recent call last):\n"), "traceback"),
    ],
)
def test_what_is_wrong_has_a_name(outcome, wrong):
    assert outcome.wrong({0}) == wrong
    assert "| media | 1 |" in markdown({"media": [(wrong, outcome)]})


def test_a_command_that_hangs_or_dies_is_ended_with_all_its_children(tmp_path, monkeypatch):
    (tmp_path / "sleeper.py").write_text(
        "import os, subprocess, sys\n"
        "def main(words):\n"
        "    if words[0] == 'dies':\n"
        "        os.kill(os.getpid(), 11)\n"
        "    print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid, flush=True)\n"
        "    import time; time.sleep(600)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(trial.COMMANDS, "sleeper", "sleeper")
    monkeypatch.setattr(trial, "SECONDS", 2.0)
    assert trial.run(("sleeper", "dies"), tmp_path).wrong({0}) == "crash"
    found = trial.run(("sleeper", "hangs"), tmp_path)
    assert found.wrong({0}) == "hang"
    with suppress(psutil.NoSuchProcess):
        psutil.Process(int(found.said.split()[-1])).wait(5)  # raises TimeoutExpired where it lives on


def test_each_of_many_ends_with_its_own_exit_code(tmp_path, monkeypatch):
    """A process's exit code can be read once, and every thread that starts another looks whether the first has ended."""

    def slowly(place, read=forkserver.read_signed):
        time.sleep(0.05)
        return read(place)

    monkeypatch.setattr(forkserver, "read_signed", slowly)
    monkeypatch.setattr(trial, "memory", lambda pid: time.sleep(0.1) or 0.0)
    with ThreadPoolExecutor(4) as pool:
        ended = pool.map(lambda _: trial.run(("mer-log", "--version"), tmp_path), range(16))
    assert [outcome.code for outcome in ended] == [0] * 16


@pytest.mark.parametrize("seconds, wrong", [([61.0, 2.0], ""), ([61.0, 61.0], "hang")])
def test_what_was_starved_once_is_no_hang(monkeypatch, seconds, wrong):
    monkeypatch.setattr(trial, "run", lambda words, folder: Outcome(0, seconds.pop(0), 0, ""))
    assert trial.play(intact.Case("logs", "whole", {}, ("mer-log", "list"), frozenset({0}))).wrong({0}) == wrong
    assert not seconds
