"""A recording as live: its own clock, a bounded queue, the oldest dropped when the reader is slow, none when fast."""

import threading
import time

import numpy as np
import pytest
from made_clips import film, steady
from omegaconf import OmegaConf

from realtime.errors import UsageError
from realtime.sources import SourceSettings, open_source
from realtime.sources.clock import LiveClock


def test_a_fast_reader_gets_what_a_replay_gets(tmp_path):
    clip = film(tmp_path / "a.mp4", [0, 0.02, 0.09, 0.1, 0.35, 0.36, 0.5])
    with open_source(clip) as source:
        replayed = list(source)
    with open_source(clip, as_live=True) as source:
        assert source.info.live and source.state == "running"
        time.sleep(0.3)  # a model is loaded: the film waits for the first read
        played = list(source)
    assert source.state == "ended" and source.counts.drops == {} and source.counts.frames == 7
    for ours, theirs in zip(played, replayed, strict=True):
        assert (ours.index, ours.pts) == (theirs.index, theirs.pts) and np.array_equal(ours.pixels, theirs.pixels)
    waits = np.diff([frame.arrival for frame in played])
    assert waits.sum() >= 0.49  # never faster than its clock


def test_a_slow_reader_loses_the_oldest(tmp_path):
    clip = film(tmp_path / "a.mp4", steady(1, 100))
    with open_source(clip, as_live=True, settings=SourceSettings(queue=5)) as source:
        first = next(source)
        while source.state != "ended":  # the film runs on to its end
            time.sleep(0.02)
        rest = [frame.index for frame in source]
    assert first.index == 0 and rest == [95, 96, 97, 98, 99]
    assert source.counts.drops == {"queue full": 94} and source.counts.dropped == 94
    assert source.counts.frames == 100


def test_closing_wakes_the_reader_and_leaves_no_thread(tmp_path):
    source = open_source(film(tmp_path / "a.mp4", [0, 30.0]), as_live=True)
    assert next(source).index == 0
    threading.Timer(0.2, source.close).start()
    assert list(source) == []  # the next frame is half a minute away
    source.close()
    assert not source._thread.is_alive() and source._reader._child.returncode is not None


def test_closing_before_the_first_read(tmp_path):
    source = open_source(film(tmp_path / "a.mp4", steady(1, 30)), as_live=True)
    source.close()
    assert list(source) == [] and not source._thread.is_alive()


def test_a_fault_in_the_capture_thread_reaches_the_reader(tmp_path, monkeypatch):
    monkeypatch.setattr("realtime.sources.live.read_frame", lambda *_: 1 / 0)
    with open_source(film(tmp_path / "a.mp4", steady(1, 30)), as_live=True) as source:
        with pytest.raises(ZeroDivisionError):
            next(source)


def test_live_time_goes_on_across_a_gap():
    clock = LiveClock()
    stamped = [clock.stamp(raw, arrival) for raw, arrival in [(7.0, 100.0), (7.1, 100.3), (7.0, 100.5), (None, 100.6)]]
    clock.restart()
    stamped += [clock.stamp(raw, arrival) for raw, arrival in [(90.0, 104.6), (90.1, 104.6), (90.1, 104.6)]]
    # own steps, then the time that passed here where the clock goes back, says nothing or is a new one
    assert stamped == pytest.approx([0.0, 0.1, 0.3, 0.4, 4.4, 4.5, 4.501])


def test_a_wild_time_of_a_live_source_moves_nothing_after_it():
    clock = LiveClock()
    raw = [number / 25 for number in range(50)]
    raw[7], raw[20], raw[21] = 300.0, -80.0, 1000.0
    pts, strayed = zip(*((clock.stamp(time, 5 + number / 25), clock.strayed) for number, time in enumerate(raw)))
    assert list(pts) == pytest.approx([number / 25 for number in range(50)])
    assert [number for number, stray in enumerate(strayed) if stray] == [7, 20, 21]


def test_a_live_clock_that_is_set_goes_on():
    clock = LiveClock()
    pts = [clock.stamp(number / 25 + (3600 if number > 9 else 0), number / 25 + (number % 2) / 100) for number in range(30)]
    assert pts == pytest.approx([number / 25 for number in range(30)], abs=0.011)


def test_settings_are_a_schema():
    schema = OmegaConf.structured(SourceSettings)
    assert OmegaConf.to_object(OmegaConf.merge(schema, {"width": 640, "give_up_seconds": 5})) == SourceSettings(width=640, give_up_seconds=5.0)


def test_senseless_settings(tmp_path):
    with pytest.raises(UsageError, match="above 0"):
        open_source(film(tmp_path / "a.mp4", steady(1, 30)), as_live=True, settings=SourceSettings(queue=0))
