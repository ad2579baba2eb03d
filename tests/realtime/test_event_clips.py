"""Films of events: two seconds before, two after, and nothing else."""

import json
import shutil
from types import SimpleNamespace

import av
import pytest
from click.testing import CliRunner
from demo_clips import demo_start

from realtime.cli import live
from realtime.cli.clips import find_clips
from realtime.output import event_clips


def run(*words):
    result = CliRunner().invoke(live.main, [*map(str, words), "--no-log"])
    return result.exit_code, result.output


def times(path):
    with av.open(str(path)) as film:
        return [frame.time for frame in film.decode(video=0)], (film.streams.video[0].width, film.streams.video[0].height)


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """Three seconds of the demo clip, with one event."""
    return demo_start(tmp_path_factory.mktemp("clip") / "short.mp4", 3)


def test_an_event_has_a_film_from_before_to_after_it(short, tmp_path):
    code, said = run("--source", short, "--clips", 0.5, "--clips-to", tmp_path / "films")
    assert code == 0 and "agreed" in said
    (film,) = (tmp_path / "films").glob("*.mp4")
    event = json.loads(film.with_suffix(".json").read_text("utf-8"))
    assert event["event"] == 1 and film.name.startswith("short-") and film.name.endswith("-0001-surprise.mp4")
    shown, size = times(film)
    assert size == (640, 480) and shown[0] == 0
    assert event["clip_begins_s"] == pytest.approx(event["onset_s"] - 0.5, abs=0.025)
    assert shown[-1] == pytest.approx(event["offset_s"] - event["onset_s"] + 1.0, abs=0.05)
    assert len(find_clips([str(tmp_path / "films")]).jobs) == 1  # mer-replay takes it: it is a recording, not annotated


def test_nothing_is_written_without_an_event_and_a_full_disk_ends_it(short, tmp_path, monkeypatch):
    calm = demo_start(tmp_path / "calm.mp4", 1.8)
    assert run("--source", calm, "--clips", 1, "--clips-to", tmp_path / "none")[0] == 0
    assert not list((tmp_path / "none").iterdir())
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=event_clips.LEAST_FREE - 1))
    code, said = run("--source", short, "--clips", 1, "--clips-to", tmp_path / "full")
    assert code == 0 and said.count("no more are saved") == 1 and not list((tmp_path / "full").iterdir())


def test_wrong_words_are_one_line(short, tmp_path):
    for seconds in (0, 31):
        code, said = run("--source", short, "--clips", seconds, "--clips-to", tmp_path)
        assert code == 2 and "--clips" in said
    (tmp_path / "file").write_text("")
    code, said = run("--source", short, "--clips", 1, "--clips-to", tmp_path / "file/films")
    assert code == 6 and "Traceback" not in said
