"""The whole way on the demo clip: events, their truth, and live against replay."""

import csv
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import datetime
from types import SimpleNamespace

import numpy as np
import pytest
from places import DEMO

from realtime.errors import ModelError
from realtime.pipeline import Pipeline, PipelineSettings
from realtime.records import Frame
from realtime.sources import SourceSettings, open_source
from realtime.spotting import Reading
from realtime.watching import Watch


def events_of(path, as_live=False, wait=False, queue=64):
    found = []
    source = open_source(path, as_live=as_live, settings=SourceSettings(queue=queue))
    watch = Watch(source, Pipeline("clip", PipelineSettings(), wait, now=source.info.now), lambda event, keyframes: found.append(event))
    watch.run()
    assert watch.error is None, watch.error
    return watch, found


@pytest.fixture(scope="module")
def replayed():
    return events_of(DEMO, wait=True)


def without_latency(events):
    """Nor whether they were told at their apex before, which those of a recording never are."""
    return [{name: value for name, value in event.as_dict().items() if name not in ("latency_ms", "provisional")} for event in events]


def test_every_scripted_expression_is_one_event_with_its_apex_in_place(replayed):
    with open(DEMO.with_suffix(".csv"), newline="") as file:
        truth = list(csv.DictReader(file))
    _, events = replayed
    assert len(truth) >= 4 and len(events) == len(truth)
    for event, true in zip(events, truth):
        assert event.apex_s == pytest.approx(float(true["apex_s"]), abs=0.06)
        begin, end = float(true["onset_s"]), float(true["offset_s"])
        common = min(end, event.offset_s) - max(begin, event.onset_s)
        assert common / (max(end, event.offset_s) - min(begin, event.onset_s)) >= 0.5  # intersection over union


def test_an_event_says_what_it_should(replayed):
    _, events = replayed
    for number, event in enumerate(events, start=1):
        assert event.event == number and event.face == 0 and event.model == "kernel_ridge"
        assert list(event.scores) == ["negative", "positive", "surprise"]
        assert sum(event.scores.values()) == pytest.approx(1.0, abs=1e-4)
        assert event.label == max(event.scores, key=event.scores.get)
        assert event.onset_s < event.apex_s < event.offset_s and event.latency_ms > 0


def test_live_and_replay_give_identical_events(replayed):
    watch, live = events_of(DEMO, as_live=True, queue=1000)  # room for the whole clip: a busy machine drops nothing either
    assert watch.source.counts.dropped == 0
    assert without_latency(live) == without_latency(replayed[1])


def test_an_event_of_now_says_when_its_apex_was_seen(replayed):
    pipeline, arrivals, events, off = Pipeline("camera 0", PipelineSettings(), wait=True, now=True), {}, [], time.time() - time.monotonic()
    with open_source(DEMO) as source:
        for frame in source:
            arrivals[frame.pts] = frame.arrival
            events += [known.event for known in pipeline(frame).events]
            if events:
                break
    pipeline.close()
    (line,) = [event.as_dict() for event in events]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line["utc"]) and list(line)[-1] == "utc"
    assert datetime.fromisoformat(line["utc"]).timestamp() == pytest.approx(off + arrivals[events[0].apex_s], abs=0.1)
    assert all(event.utc is None for event in replayed[1])  # a recording's apex was then, not now


def test_where_the_time_of_an_event_goes_is_known(replayed):
    watch, events = replayed
    timings = watch.pipeline.timings
    assert len(timings["delay"]) == len(timings["label"]) == len(timings["event"]) == len(timings["naming"]) == len(events)
    assert list(timings["event"]) == [event.latency_ms for event in events]
    for naming, label, delay, event in zip(timings["naming"], timings["label"], timings["delay"], timings["event"]):
        assert naming > 0 and 0 < label <= event and 0 <= delay < 500  # the offset arrives before it is known to be one


def test_no_events_in_no_face(real_clip):
    watch, events = events_of(real_clip("no_face.mp4"))
    assert not events and watch.status.frames > 50 and watch.status.frames_with_face == 0


def test_speech_and_a_smile_are_no_micro_expressions(real_clip):
    speech = ["grid_bbaf2n.mpg", "grid_brbk7n.mpg", "grid_lbax4n.mpg", "grid_lbbc2a.mpg", "grid_lrwp9a.mpg"]
    assert sum(len(events_of(real_clip(name))[1]) for name in speech) <= 1
    watch, events = events_of(real_clip("single_face.mp4"))
    assert all(event.kind == "macro" for event in events) and watch.status.frames_with_face == watch.status.frames


def test_an_unknown_network_is_one_line():
    with pytest.raises(ModelError, match="unknown network 'dual_atm'.*dual_atme"):
        Pipeline("clip", PipelineSettings(network="dual_atm"))


def test_an_error_in_the_worker_reaches_the_watch(monkeypatch):
    pipeline = Pipeline("clip", PipelineSettings())
    monkeypatch.setattr(pipeline._namer, "recognize", lambda *asked: 1 / 0)
    watch = Watch(open_source(DEMO), pipeline, lambda event, keyframes: None)
    watch.run()
    assert isinstance(watch.error, ZeroDivisionError)
    with pytest.raises(ZeroDivisionError):
        watch.failure  # a defect of ours keeps its traceback


def test_stop_from_another_thread_ends_at_once():
    watch = Watch(open_source(DEMO, as_live=True), Pipeline("clip", PipelineSettings()), lambda event, keyframes: None)
    thread = threading.Thread(target=watch.run)
    thread.start()
    while watch.status.frames < 10:
        pass
    watch.stop()
    thread.join(30)
    assert not thread.is_alive() and watch.error is None and watch.status.frames < 600


def test_status_measures_frames_a_second(replayed):
    watch, _ = replayed
    assert watch.status.frames == 700 and np.isfinite(watch.status.latencies).all()


def test_a_pipeline_that_is_dropped_ends_quietly():
    """Whoever forgets `finish` gets no traceback and no program that stays."""
    program = f"""
from realtime.pipeline import Pipeline, PipelineSettings
from realtime.sources import open_source
with open_source({str(DEMO)!r}) as source:
    pipeline = Pipeline("clip", PipelineSettings(), wait=True)
    for _ in range(50):
        pipeline(next(source))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=180)
    assert (done.returncode, done.stderr) == (0, "")


def test_of_faces_that_are_gone_for_good_only_their_counts_are_kept(monkeypatch):
    """A day before a door is thousands of faces."""

    class Stub:
        remark = None

        def __init__(self, *_, **__):
            self.counts = Counter(spotted=1)

        def __call__(self, view):
            return Reading()

        def lost(self):
            return Reading(gate="lost")

        def finish(self):
            return None

    monkeypatch.setattr("realtime.pipeline.Spotter", Stub)
    pipeline, pixels = Pipeline("door", PipelineSettings(action_units=None)), np.zeros((60, 80, 3), np.uint8)
    known = []
    for second in range(40):  # a new face every two seconds, in view for one
        there = [SimpleNamespace(face=second // 2, pts=float(second))] if second % 2 == 0 else []
        monkeypatch.setattr(pipeline, "_track", lambda frame, waiting, there=there: there)
        known.append(len(pipeline(Frame(pixels, second, float(second), 0.0)).readings))
    assert max(known) == 2 and pipeline.counts["spotted"] == 20
    monkeypatch.undo()
    pipeline.close()
