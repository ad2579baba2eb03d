"""A study: recordings of several people under several conditions, worked through once, one table."""

import csv
import json

import pytest
from click.testing import CliRunner
from demo_clips import demo_start

from realtime.cli import replay_archive
from realtime.cli.study import main
from realtime.errors import UsageError
from realtime.study import Recording, Study, by_pattern


def mer_study(*words):
    result = CliRunner().invoke(main, [str(word) for word in words])
    return result.exit_code, result.output


def rows(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """Two people, two conditions: the demo clip's first event, or its first two."""
    folder = tmp_path_factory.mktemp("videos")
    for person in ("p01", "p02"):
        demo_start(folder / f"{person}_calm.mp4", 3)
        demo_start(folder / f"{person}_tense.mp4", 5.2)
    return folder


def test_from_recordings_to_one_table_and_one_report(videos, tmp_path):
    study = tmp_path / "anger"
    assert mer_study("init", study)[0] == 0
    code, said = mer_study("add", study, videos, "--pattern", "{participant}_{condition}")
    assert code == 0 and "4 recordings added" in said
    code, said = mer_study("run", study)
    assert code == 0 and "4 of 4 recordings, 6 events" in said
    assert (study / "results/p01_calm/p01_calm.eaf").is_file()
    code, said = mer_study("run", study)  # nothing is done twice
    assert code == 0 and "already done: 4" in said
    code, said = mer_study("summary", study)
    assert code == 0 and "calm" in said
    table = rows(study / "summary.csv")
    assert [(one["participant"], one["condition"], one["micro"]) for one in table] == [
        ("p01", "calm", "1"),
        ("p01", "tense", "2"),
        ("p02", "calm", "1"),
        ("p02", "tense", "2"),
    ]
    for one in table:
        assert float(one["judged_s"]) < float(one["recording_s"]) and one["face"] == "1.0"
        assert float(one["micro_a_minute"]) == pytest.approx(60 * int(one["micro"]) / float(one["judged_s"]), rel=0.05)
    (calm, tense) = rows(study / "by_condition.csv")
    assert (calm["recordings"], calm["micro"], calm["surprise"], tense["micro"], tense["positive"]) == ("2", "2", "2", "4", "2")
    assert float(calm["micro_a_minute"]) == pytest.approx(float(table[0]["micro_a_minute"]), rel=0.05)  # over time, not over recordings
    assert len(rows(study / "by_participant.csv")) == 4
    page = (study / "report.html").read_text("utf-8")
    assert "4 recordings of 2 participants under 2 conditions" in page and "<script" not in page and "p02" in page
    assert (study / "rates.png").read_bytes().startswith(b"\x89PNG")
    told = json.loads((study / "provenance.json").read_text("utf-8"))
    assert (
        len(told) == 4
        and len(told[0]["sha256"]) == 64
        and told[0]["results"] == "results/p01_calm"
        and told[0]["settings"]["network"] == "kernel_ridge"
    )


def test_a_recording_that_is_new_failed_or_gone_is_said_and_not_summed(videos, tmp_path):
    study, broken = tmp_path / "s", tmp_path / "broken.mp4"
    broken.write_bytes(b"no film")
    assert mer_study("init", study)[0] == 0
    assert mer_study("add", study, videos / "p01_calm.mp4", broken, "--participant", "p01", "--condition", "calm")[0] == 0
    code, said = mer_study("run", study)
    assert code == 3
    demo_start(tmp_path / "late.mp4", 3)
    assert mer_study("add", study, tmp_path / "late.mp4")[0] == 0
    code, said = mer_study("summary", study)
    assert code == 0 and "broken.mp4" in said and "late.mp4: not worked through yet" in said
    (calm,) = rows(study / "by_condition.csv")
    assert calm["recordings"] == "1" and calm["micro"] == "1"


def test_facts_come_from_names_tables_and_words_and_are_kept(videos, tmp_path):
    study = Study.make(tmp_path / "s")
    people = tmp_path / "people.csv"
    people.write_text("file;participant;condition\np01_calm.mp4;anna;rest\np02_calm;bob;rest\n")
    code, said = mer_study("add", study.folder, videos, "--table", people, "--session", "1")
    assert code == 0 and "2 without a participant" in said
    assert mer_study("add", study.folder, videos / "p01_tense.mp4", "--participant", "anna")[0] == 0
    found = {one.path.rpartition("/")[2]: one for one in Study(study.folder).recordings}
    assert (found["p01_calm.mp4"].participant, found["p01_calm.mp4"].condition, found["p01_calm.mp4"].session) == ("anna", "rest", "1")
    assert found["p01_tense.mp4"].participant == "anna" and found["p01_tense.mp4"].session == "1"  # what it had is kept
    people.write_text("file,participant\nnobody.mp4,x\n")
    for words, says in (
        (["--table", people], "nobody.mp4"),
        (["--pattern", "{who}"], "--pattern"),
        (["--pattern", "{participant}-{condition}"], "does not fit"),
        (["--table", people, "--pattern", "{participant}"], "one of them"),
    ):
        code, said = mer_study("add", study.folder, videos, *words)
        assert code == 2 and says in said and "Traceback" not in said


def test_a_pattern_reads_a_name():
    from pathlib import Path

    assert by_pattern(Path("x/a_b_2.mp4"), "{participant}_{condition}_{session}") == Recording(str(Path("x/a_b_2.mp4").absolute()), "a", "b", "2")
    assert by_pattern(Path("s3.calm.mov"), "s{participant}.{condition}").participant == "3"
    assert by_pattern(Path("other.mp4"), "{participant}_{condition}") is None
    with pytest.raises(UsageError, match="once at most"):
        by_pattern(Path("a_a.mp4"), "{participant}_{participant}")


def test_what_is_no_study_is_one_line(tmp_path):
    for command in ("run", "summary"):
        code, said = mer_study(command, tmp_path / "none")
        assert code == 2 and "is no study" in said
    study = Study.make(tmp_path / "s")
    for command in ("run", "summary"):
        code, said = mer_study(command, study.folder)
        assert code == 2 and "names no recordings" in said
    assert mer_study("init", study.folder)[0] == 2
    (study.folder / "recordings.csv").write_text("who,where\n1,2\n")
    code, said = mer_study("run", study.folder)
    assert code == 2 and "its columns are who, where" in said
    (study.folder / "study.yaml").write_text("settings: {")
    code, said = mer_study("run", study.folder)
    assert code == 2 and "damaged" in said and said.count("\n") == 1


def test_the_cluster_of_mer_replay_works_through_a_study_too(videos, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(replay_archive, "replay_all", lambda jobs, *more: asked.append([clip.name for clip, _ in jobs]) or 0)
    assert mer_study("init", tmp_path / "s")[0] == 0
    assert mer_study("add", tmp_path / "s", videos, "--pattern", "{participant}_{condition}")[0] == 0
    mer_study("run", tmp_path / "s", "--launcher", "ray")
    assert asked == [["p01_calm.mp4", "p01_tense.mp4", "p02_calm.mp4", "p02_tense.mp4"]]
