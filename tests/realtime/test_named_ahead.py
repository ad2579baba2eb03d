"""What is probably told in a moment is named meanwhile: from which pictures, how often, and by which networks."""

from dataclasses import replace

import numpy as np
import pytest
from places import DEMO
from test_spotting import MOVED, bump, view

from engines.flow import CPU
from realtime.naming.inputs import INPUTS, PAST_APEX
from realtime.naming.namer import Namer
from realtime.naming.recognizer import moments_of
from realtime.pipeline import Pipeline, PipelineSettings
from realtime.records import Frame, Keyframes
from realtime.sources import open_source
from realtime.spotting import Spotter
from realtime.spotting.verify import Found
from realtime.timings import Timings
from realtime.warm import views

SUSPECTED, SURE = 2.4, 2.45  # seconds


class Detector:
    """Suspects at one moment, is sure at another."""

    suspected = None
    during = staticmethod(lambda begin, end: {})

    def __init__(self, first: Found, last: Found):
        self._first, self._last = first, last

    def __call__(self, sample, usual_eyes, off_rest):
        self.suspected = self._first if sample.pts == SUSPECTED else None
        return self._last if sample.pts == SURE else None


class Recognizer:
    name, until_apex = "made", True
    warm = staticmethod(lambda: None)

    def __init__(self):
        self.asked = []

    def __call__(self, keyframes, flow=None):
        self.asked.append(keyframes)
        return "surprise", {"surprise": 1.0}


@pytest.fixture
def named():
    recognizer = Recognizer()
    namer = Namer("camera 0", recognizer, None, wait=False, now=False, timings=Timings())
    yield recognizer, namer
    namer.close()


def movement():
    """Keyframes, the frame at which they were known, and all views."""
    seen = views()
    return Keyframes(*seen[:3], peak=1.0, threshold=1.0), Frame(seen[0].pixels, 9, 1.0, 1.0), seen


def looked_at(first: Found, last: Found, settings=MOVED) -> tuple[Keyframes, Keyframes]:
    """What was suspected, and what became of it."""
    spotter = Spotter(replace(settings, refine=False), detector=lambda: Detector(first, last))
    readings = [spotter(view(index / 200, bump(index / 200), index)) for index in range(500)]
    (suspected,) = [reading.suspected for reading in readings if reading.suspected]
    (found,) = [reading.keyframes for reading in readings if reading.keyframes]
    return suspected, found


def test_onset_and_apex_stay_as_they_were_named_while_the_offset_becomes_sure():
    suspected, found = looked_at(Found(2.0, 2.15, 2.3, 0.7), Found(1.99, 2.165, 2.35, 0.9))
    assert found.onset is suspected.onset and found.apex is suspected.apex
    assert (found.onset.pts, found.apex.pts, found.offset.pts, found.confidence) == (2.0, 2.15, 2.35, 0.9)
    assert found.between[0] is found.onset and found.between[-1] is found.offset


@pytest.mark.parametrize("last", [Found(1.97, 2.15, 2.35, 0.9), Found(2.0, 2.17, 2.35, 0.9), Found(2.0, 2.14, 2.145, 0.9)])
def test_what_turns_out_to_lie_elsewhere_is_told_where_it_lies(last):
    _, found = looked_at(Found(2.0, 2.15, 2.3, 0.7), last)
    assert (found.onset.pts, found.apex.pts, found.offset.pts) == (last.onset, last.apex, last.offset)


def test_what_is_no_event_is_not_suspected():
    blinking = Spotter(replace(MOVED, min_duration=0.4), detector=lambda: Detector(Found(2.0, 2.15, 2.3, 0.7), Found(2.0, 2.15, 2.3, 0.7)))
    assert not any(blinking(view(index / 200, bump(index / 200), index)).suspected for index in range(500))


def test_what_was_named_ahead_is_named_once(named):
    recognizer, namer = named
    suspected, frame, seen = movement()
    namer.name_ahead(suspected)
    namer.name(0, replace(suspected, offset=seen[3], confidence=0.9), frame)
    (known,) = namer.finish()
    assert recognizer.asked == [suspected]
    assert (known.event.label, known.event.offset_s, known.event.confidence) == ("surprise", seen[3].pts, 0.9)


def test_of_other_pictures_it_is_named_again(named):
    recognizer, namer = named
    suspected, frame, seen = movement()
    namer.name_ahead(suspected)
    other = replace(suspected, apex=seen[2], offset=seen[3])
    namer.name(0, other, frame)
    namer.finish()
    assert recognizer.asked == [suspected, other]


def test_a_network_that_looks_past_the_apex_waits(named):
    recognizer, namer = named
    recognizer.until_apex = False
    suspected, frame, _ = movement()
    namer.name_ahead(suspected)
    namer.name(0, suspected, frame)
    namer.finish()
    assert recognizer.asked == [suspected]


def test_an_error_of_what_was_named_ahead_is_heard_with_the_event(named, monkeypatch):
    _, namer = named
    suspected, frame, _ = movement()
    monkeypatch.setattr(namer, "recognize", lambda *asked: 1 / 0)
    namer.recognize.until_apex = True
    namer.name_ahead(suspected)
    namer.name(0, suspected, frame)
    with pytest.raises(ZeroDivisionError):
        namer.finish()


@pytest.mark.parametrize("kind", INPUTS)
def test_which_networks_look_past_the_apex_is_known(kind):
    seen, random = views(5), np.random.default_rng(0)
    noisy = [replace(one, pixels=random.integers(0, 255, one.pixels.shape, np.uint8)) for one in seen]
    one = Keyframes(noisy[0], noisy[1], noisy[2], 1.0, 1.0, between=tuple(noisy[:3]))
    later = replace(one, offset=noisy[4], between=(*noisy[:2], *noisy[3:]))
    before, after = (INPUTS[kind](moments_of(keyframes), CPU) for keyframes in (one, later))
    same = all(np.array_equal(before[name], after[name]) for name in before)
    assert same == (kind not in PAST_APEX)


def test_the_demo_clip_is_named_once_an_event():
    recognizer = Recognizer()
    with open_source(DEMO) as source:
        events = list(Pipeline("demo", PipelineSettings(action_units=None), wait=True, recognizer=recognizer).follow(source))
    assert len(events) == 5 and len(recognizer.asked) == 5
