"""Recordings that are harder than they look: cut to their movement, lossy, or filmed under a lamp that flickers."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from places import DEMO

from realtime.naming.recognizer import Recognizer
from realtime.pipeline import Pipeline, PipelineSettings
from realtime.sources import open_source


@pytest.fixture(scope="module")
def demo():
    with open_source(DEMO) as source:
        return [replace(frame, pixels=frame.pixels.copy()) for frame in source]


@pytest.fixture(scope="module")
def recognizer():
    return Recognizer("kernel_ridge", "cpu")


def replayed(frames, recognizer):
    pipeline = Pipeline("clip", PipelineSettings(), wait=True, recognizer=recognizer)
    return [known.event for known in pipeline.follow(frames)], pipeline


def cut(demo, begin, end):
    return [replace(frame, pts=frame.pts - begin) for frame in demo if begin <= frame.pts <= end]


@pytest.mark.parametrize("begin, end, apex, label", [(2.0, 2.42, 2.16, "surprise"), (1.9, 2.9, 2.16, "surprise"), (6.8, 7.18, 6.94, "negative")])
def test_a_clip_that_shows_a_movement_and_no_rest_gives_that_movement(demo, recognizer, begin, end, apex, label):
    events, pipeline = replayed(cut(demo, begin, end), recognizer)
    assert [(event.kind, event.label) for event in events] == [("micro", label)]
    assert events[0].apex_s == pytest.approx(apex - begin, abs=0.04)
    assert events[0].confidence > 0.9
    assert any("first picture was taken as rest" in remark for remark in pipeline.remarks)


@pytest.mark.parametrize("begin, end, counted", [(10.4, 10.8, {"blink": 1}), (0.2, 0.7, {})])
def test_a_short_clip_of_a_blink_or_of_rest_gives_nothing(demo, recognizer, begin, end, counted):
    events, pipeline = replayed(cut(demo, begin, end), recognizer)
    assert not events and dict(pipeline.counts) == counted


def test_what_is_long_enough_is_spotted_as_ever(demo, recognizer):
    events, pipeline = replayed(cut(demo, 1.0, 3.0), recognizer)
    assert [event.label for event in events] == ["surprise"] and not pipeline.remarks


def test_a_blink_that_lossy_compression_draws_out_is_no_macro_expression(demo, recognizer):
    poor = [
        replace(frame, pixels=cv2.imdecode(cv2.imencode(".jpg", frame.pixels, [cv2.IMWRITE_JPEG_QUALITY, 12])[1], cv2.IMREAD_COLOR))
        for frame in demo
        if 9.0 <= frame.pts <= 11.4
    ]
    events, pipeline = replayed(poor, recognizer)
    assert not [event for event in events if event.kind == "macro"] and pipeline.counts["blink"] == 1


def test_a_lamp_that_flickers_costs_no_event_and_adds_none(demo, recognizer):
    lit = [
        replace(frame, pixels=np.clip(np.int16(frame.pixels) + round(15 * np.sin(2 * np.pi * 10 * frame.pts)), 0, 255).astype(np.uint8))
        for frame in demo
        if frame.pts <= 5.2
    ]
    events, pipeline = replayed(lit, recognizer)
    assert [(event.kind, event.label) for event in events] == [("micro", "surprise"), ("micro", "positive")]
    assert any("flickers at 10 Hz" in remark for remark in pipeline.remarks)
