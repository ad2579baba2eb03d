"""What is told at its apex: when, what becomes of it, and that nothing else changes by it."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from demo_clips import demo_start
from test_spotting import ALONE, MOVED, bump, view

import realtime as mer
from realtime.naming.namer import Namer
from realtime.pipeline import Step
from realtime.records import Event, Frame, Keyframes, Recognized
from realtime.spotting import Spotter
from realtime.spotting.early import past
from realtime.timings import Timings
from realtime.warm import views
from realtime.watching import Watch


def watched(strength=bump, fps=50, seconds=3.4, settings=ALONE, lost=None, **when):
    """[(seconds, "early" | "event" | "withdrawn", keyframes or number)], and the spotter."""
    spotter, told = Spotter(settings, early=True), []
    for index in range(int(seconds * fps)):
        t = index / fps
        gone = lost is not None and t > lost
        reading = spotter.lost() if gone else spotter(view(t, strength(t), index, **{name: at(t) for name, at in when.items()}))
        told += [(t, kind, one) for kind, one in (("event", reading.keyframes), ("early", reading.early)) if one]
        told += [(t, "withdrawn", number) for number in reading.withdrawn]
    return told, spotter


@pytest.mark.parametrize("fps", [30, 200])
def test_it_is_told_soon_after_the_apex_and_confirmed_under_its_number(fps):
    (at, what, early), (known, then, event) = watched(fps=fps)[0]
    assert (what, then, early.kind) == ("early", "event", "micro") and early.early == event.early == 1
    assert 2.15 < at < 2.15 + 0.1 + 1 / fps and at < known and early.apex.pts == pytest.approx(2.15, abs=0.03 + 1 / fps)
    assert early.offset.pts == at and early.onset.pts < early.apex.pts
    alone = Spotter(ALONE)
    plain = [found for index in range(int(3.4 * fps)) if (found := alone(view(index / fps, bump(index / fps), index)).keyframes)]
    assert [(one.onset.pts, one.apex.pts, one.offset.pts, one.early) for one in plain] == [(event.onset.pts, event.apex.pts, event.offset.pts, None)]


def test_what_comes_to_nothing_is_withdrawn():
    never = replace(ALONE, min_duration=0.45)  # too short for an event
    (_, what, early), (at, then, number) = watched(settings=never)[0]
    assert (what, then, number) == ("early", "withdrawn", early.early) and 2.6 < at < 3.4
    told, _ = watched(settings=never, lost=2.26)
    assert [what for _, what, _ in told] == ["early", "withdrawn"] and told[1][0] < 2.3  # at once: it will not be known any more


def test_what_explains_it_or_moves_lids_alone_is_not_told(monkeypatch):
    for name, at in (("eye_opening", lambda t: 0.1 if 2.05 < t < 2.2 else 0.3), ("motion", lambda t: 1.0 if 2.05 < t < 2.2 else 0.0)):
        assert not watched(**{name: at})[0]
    monkeypatch.setattr("realtime.spotting.kinds.BESIDES", 1.0)  # as if lids alone had moved
    assert [what for _, what, _ in watched()[0]] == ["event"]


def test_what_rises_slowly_is_a_macro_expression():
    told, _ = watched(lambda t: bump(t, 2.0, 2.6, 3.6), seconds=5.0, settings=MOVED)
    assert [(what, one.kind, one.early) for _, what, one in told] == [("early", "macro", 1), ("event", "macro", 1)]
    assert 2.6 < told[0][0] < 3.0


def test_trembling_is_no_fall():
    one = SimpleNamespace(top=SimpleNamespace(pts=2.0, difference=9.0))
    falls = [past(one, 2.04, difference, threshold=5.0, sensitivity=8.0) for difference in (8.5, 7.9)]
    assert falls == [False, True] and past(one, 2.1, 9.0, 5.0, 8.0) and not past(one, 2.1, 9.0, 10.0, 8.0)


def test_a_number_is_kept_by_what_is_confirmed_and_given_to_no_other_once_withdrawn():
    recognize = lambda keyframes, flow=None: ("surprise", {"surprise": 1.0})
    recognize.warm, recognize.name = lambda: None, "made"
    namer = Namer("camera 0", recognize, None, wait=False, now=False, timings=Timings())
    seen = views()
    frame = Frame(seen[0].pixels, 9, 1.0, 1.0)
    early = [Keyframes(seen[0], seen[1], seen[2], 1.0, 1.0, early=number) for number in (1, 2, 3)]
    namer.name_early(0, early[0], frame)
    namer.name_early(0, early[1], frame)
    namer.withdraw(0, 1)
    namer.name(0, replace(early[1], offset=seen[3]), frame)
    namer.name(0, replace(early[0], early=None), frame)
    namer.name_early(0, early[2], frame)
    namer.withdraw_all()
    lines = [known.event.as_dict() for known in namer.finish()]
    namer.close()
    said = [(line["event"], line.get("provisional"), line.get("withdrawn")) for line in lines]
    assert said == [(1, True, None), (2, True, None), (1, True, True), (2, False, None), (3, None, None), (4, True, None), (4, True, True)]


def test_what_is_named_twice_between_two_frames_is_told_before_it_is_confirmed():
    event = Event(3, "clip", 0, 1.0, 1.1, 1.2, "surprise", {"surprise": 1.0}, "made", 1.0, provisional=True)
    both = Step(None, [], {}, [Recognized(event, None), Recognized(replace(event, provisional=False), None)])
    heard = []

    class Source(list):
        waiting = close = lambda self: None

    class Pipeline:
        judged_as_a_whole = False
        finish = lambda self: []
        close = lambda self: None
        __call__ = lambda self, frame, waiting: both

    note = lambda event, _: heard.append(event.provisional)
    watch = Watch(Source([None]), Pipeline(), note, on_provisional=note)
    watch.status.note = lambda step: None
    watch.run()
    assert watch.error is None and heard == [True, False]


def test_a_loop_hears_of_it_at_its_apex_and_a_recording_that_waits_never(tmp_path):
    short = demo_start(tmp_path / "short.mp4", 3)
    steps = list(mer.watch(short, "source.queue=1000", as_live=True))  # room for all: a busy machine drops nothing
    (told,) = [known.event for step in steps for known in step.provisional]
    (event,) = [known.event for step in steps for known in step.events]
    assert told.provisional and not told.final and told.units is None and event.provisional is False and event.final
    assert (told.event, told.kind, told.label) == (event.event, event.kind, event.label)
    assert told.offset_s < event.offset_s and event.estimated_units
    assert not any(step.provisional for step in mer.watch(short))
    assert not any(step.provisional for step in mer.watch(short, "provisional=false", as_live=True))
