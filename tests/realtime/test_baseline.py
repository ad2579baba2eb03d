"""What is usual of a person: learnt once, kept as numbers under their name, used by live, replay and studies."""

import json
import math
import os
from dataclasses import asdict, replace

import pytest
from click.testing import CliRunner
from demo_clips import demo_start
from places import DEMO

from realtime.cli import live, log, replay, study
from realtime.cli.baseline import span
from realtime.errors import UsageError
from realtime.face.tracker import FaceSettings, FaceTracker
from realtime.output import baselines
from realtime.output.log import Log
from realtime.review import Reviews
from realtime.sources import open_source
from realtime.spotting import Spotter, SpotterSettings
from realtime.spotting.baseline import HIGHEST, Learner


@pytest.fixture(autouse=True)
def own_log(tmp_path, monkeypatch):
    monkeypatch.setenv("MER_LIVE_LOG", str(tmp_path / "log.sqlite3"))


def run(command, *words):
    result = CliRunner().invoke(command.main, list(map(str, words)))
    assert "Traceback" not in result.output
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def views():
    """Of the demo clip's first six seconds: rest, two expressions, a blink."""
    track, found = FaceTracker(FaceSettings()), []
    with open_source(DEMO) as source:
        for frame in source:
            if frame.pts > 6:
                break
            found += track(frame)[:1]
    track.close()
    return found


@pytest.fixture(scope="module")
def learnt(views):
    learner = Learner(SpotterSettings())
    for view in views:
        learner(view)
    return learner.baseline("p03")


def spotted(views, settings):
    """(apexes of what was reported, the first moment that could be judged)."""
    spotter, apexes, ready = Spotter(settings), [], math.inf
    for view in views:
        reading = spotter(view)
        ready = min(ready, view.pts) if math.isfinite(reading.threshold) else ready
        apexes += [round(reading.keyframes.apex.pts, 2)] if reading.keyframes else []
    return apexes, ready


def test_it_knows_the_eyes_the_blinks_and_what_looks_like_more(learnt):
    assert 0.2 < learnt.eyes < 0.45 and learnt.blinks_a_minute == pytest.approx(10, abs=1) and 0.55 <= learnt.blink_drop < 0.7
    assert len(learnt.floor) == len(learnt.change) == 23 and min(learnt.floor) > 0 and 5 < learnt.threshold < 12
    assert len(learnt.alarms) == 2 and learnt.confidence == HIGHEST  # two sure ones in six seconds are this person's usual, by their own word


def test_who_is_known_is_judged_from_the_first_moment_on(views, learnt):
    before, ready = spotted(views, SpotterSettings())
    after, known = spotted(views, SpotterSettings(usual=replace(learnt, confidence=0.6)))
    assert before == pytest.approx(after, abs=0.021) and len(before) == 2 and ready > 0.8 and known < 0.05
    surer = replace(learnt, confidence=1.0)
    assert spotted(views, SpotterSettings(usual=surer))[0] == []
    another = replace(learnt, floor=[1.0], change=[1.0], confidence=0.6)  # of another version: what does not fit is not used
    assert spotted(views, SpotterSettings(usual=another))[1] == ready


def test_too_little_is_said(views):
    learner = Learner(SpotterSettings())
    for view in views[:50]:
        learner(view)
    with pytest.raises(UsageError, match="needs 5 seconds"):
        learner.baseline("p03")


def test_replay_learns_from_a_stretch_keeps_numbers_and_uses_them(tmp_path):
    clip = demo_start(tmp_path / "demo.mp4", 5.5)
    code, said = run(replay, clip, "--out", tmp_path / "out", "--participant", "p03", "--baseline", "0-5.4")
    assert code == 0 and "baseline of p03, 5 s" in said
    (file,) = baselines.folder().iterdir()
    assert file.name == "p03.json" and oct(file.stat().st_mode)[-3:] == "600" and oct(file.parent.stat().st_mode)[-3:] == "700"
    row = json.loads(file.read_text("utf-8"))
    assert row.keys() == asdict(baselines.find("p03")).keys() | {"made_at"} and file.stat().st_size < 4000
    record = json.loads((tmp_path / "out/demo/recording.json").read_text("utf-8"))
    assert record["wanted"]["settings"]["spotter"]["usual"]["participant"] == "p03"  # so that another baseline does it anew
    assert Reviews().people(1) == {str(clip): "p03"}
    code, said = run(log, "baseline", "list")
    assert code == 0 and "p03" in said
    assert run(log, "baseline", "delete", "p04")[0] == 2 and run(log, "baseline", "delete", "p03")[0] == 0
    assert not list(baselines.folder().iterdir()) and "no baselines yet" in run(log, "baseline", "list")[1]


def test_live_learns_from_its_first_seconds_and_knows_the_person_the_next_time(tmp_path):
    code, said = run(
        live, "--demo", "--participant", "p03", "--baseline", 5, "--events", tmp_path / "a.jsonl", "--seconds", 6.5, "spotter.confidence=0.7"
    )
    assert code == 0 and "baseline of p03, 5 s" in said
    events = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text("utf-8").splitlines()]
    assert all(event["onset_s"] > 5 for event in events)  # what was before is the person's usual
    code, said = run(live, "--demo", "--participant", "p03", "--seconds", 1)
    assert code == 0 and "baseline of p03, 5 s" in said
    assert Log().session(2)["settings"]["spotter"]["usual"]["seconds"] == pytest.approx(5, abs=0.5)
    code, said = run(live, "--demo", "--participant", "p04", "--seconds", 1)
    assert code == 0 and "no baseline of p04 yet" in said


def test_a_study_uses_them_where_it_is_told_to(learnt, tmp_path):
    baselines.save(learnt)
    for name in ("p03_calm", "p04_calm"):
        demo_start(tmp_path / f"{name}.mp4", 1.5)
    folder = tmp_path / "study"
    run(study, "init", folder)
    run(study, "add", folder, tmp_path / "p03_calm.mp4", tmp_path / "p04_calm.mp4", "--pattern", "{participant}_{condition}")
    assert run(study, "run", folder, "--baselines")[0] == 0
    usual = [
        json.loads(path.read_text("utf-8"))["wanted"]["settings"]["spotter"]["usual"] for path in sorted(folder.glob("results/*/recording.json"))
    ]
    assert [one and one["participant"] for one in usual] == ["p03", None]


def test_a_damaged_one_is_not_used(learnt, notices):
    path = baselines.save(learnt)
    for text in ("{", "[]", json.dumps(asdict(replace(learnt, eyes=-1.0)))):
        path.write_text(text)
        assert baselines.find("p03") is None and baselines.listed() == []
    assert "damaged" in " ".join(notices)
    os.unlink(path)


def test_wrong_words_are_one_line(tmp_path):
    for words, named in (
        (("--baseline", "0-6"), "whose baseline"),
        (("--participant", "p", "--baseline", "6-6"), "from which to which"),
        (("--participant", "p", "--baseline", "0-2"), "needs 5 seconds"),
        (("--participant", " "), "needs a name"),
        (("--participant", "p", "--baseline", "9", DEMO), "expected one recording"),
    ):
        code, said = run(replay, DEMO, "--out", tmp_path / "out", *words)
        assert code == 2 and named in said, said
    assert run(live, "--demo", "--source", DEMO, "--participant", "p")[0] == 2
    assert span("30") == (0, 30) and span("5-35.5") == (5, 35.5)
