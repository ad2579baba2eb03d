"""What training leaves out of a prepared set, and says so."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

pytest.importorskip("torch")

from realtime.naming.inputs import INPUTS
from train.cli import main
from train.data import cache as store
from train.data import prepared


@pytest.mark.parametrize("still", ["drop", "keep"])
def test_clips_of_casme3_without_movement(small_sets, tmp_path, still):
    words = [
        *small_sets.words("casme3"),
        "model=svm",
        "protocol=loso",
        "data.grouping=casme3_4",
        "seeds=[0]",
        "launcher=inline",
        f"data.still={still}",
    ]
    result = CliRunner().invoke(main, [*words, f"out={tmp_path}"])
    assert result.exit_code == 0, result.output
    assert ("left out, their apex is their onset: data.still=keep takes them" in result.output) == (still == "drop")
    predicted = (tmp_path / "predictions/0/casme3-spNO.1.csv").read_text().splitlines()[1:]
    assert len(predicted) == (7 if still == "drop" else 8)
    assert json.loads((tmp_path / "results.json").read_text())["settings"]["data"]["still"] == still


def test_every_kind_of_inputs_bears_a_clip_without_movement(small_sets):
    cache = small_sets.cache("casme3")
    files = [cache / "clips" / row.file for row in store.read_rows(cache) if row.still]
    assert len(files) == 2
    for kind in INPUTS:
        for file in files:
            made = INPUTS[kind](prepared.moments(file, course=prepared.COURSES.get(kind)))
            assert all(np.isfinite(array).all() for array in made.values()), kind


def test_clips_outside_the_grouping_are_counted_by_their_label(small_sets, tmp_path):
    words = [*small_sets.words("casme2"), "model=svm", "protocol=loso", "seeds=[0]", "launcher=inline", f"out={tmp_path}"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert f"3 of 15 clips of {small_sets.cache('casme2')} are outside the grouping three (3 others)" in result.output


def test_dfmes_official_split(small_sets, tmp_path):
    def mer_train(*words):
        done = CliRunner().invoke(main, list(map(str, words)))
        assert done.exit_code == 0, done.output

    for part in ("training", "testB"):
        table = small_sets.root("dfme") / f"full_release_annotation/{part}_full_with_AU.xlsx"
        mer_train("prepare", "data=dfme", f"data.root={table}", f"data.cache={tmp_path / part}")
    words = ("model=svm", "data=dfme", "protocol=holdout", "seeds=[0]", "launcher=inline", f"out={tmp_path / 'run'}")
    mer_train(*words, f"data.cache={tmp_path}/training", f"data.test=[{tmp_path}/testB]")
    tested = (tmp_path / "run/predictions/0/test.csv").read_text().splitlines()[1:]
    assert len(tested) == 7 and all("dfme/sub0002" in line for line in tested)
