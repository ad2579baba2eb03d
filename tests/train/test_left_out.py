"""What training leaves out of a prepared set, and says so."""

import json

import pytest
from click.testing import CliRunner

pytest.importorskip("torch")

from train.cli import main


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


def test_clips_outside_the_grouping_are_counted_by_their_label(small_sets, tmp_path):
    words = [*small_sets.words("casme2"), "model=svm", "protocol=loso", "seeds=[0]", "launcher=inline", f"out={tmp_path}"]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    assert f"3 of 15 clips of {small_sets.cache('casme2')} are outside the grouping three (3 others)" in result.output
