"""Inputs that went wrong for people who do this job, and their right answers (the cases' README says what each is)."""

import zlib

import numpy as np
import pytest
from places import CASES

from realtime.errors import SourceError
from realtime.pipeline import Pipeline, PipelineSettings
from realtime.sources import SourceSettings, open_source
from realtime.watching import Watch

APEXES = {2.18: "surprise", 4.56: "positive", 6.96: "negative", 9.20: "negative", 11.74: "surprise"}
NEAR = 0.08  # seconds from the truth that are a hit
LATE = 1.5  # seconds by which the sound comes first
FRAMES = [number / 50 for number in range(700)]


def case(name: str):
    if not (CASES / name).exists():
        pytest.skip(f"the case {name} is absent (set MER_DATA to the folder beside cases/)")
    return CASES / name


def frames(path, **chosen):
    """(times, a checksum of all pictures, one of the pictures) of a recording, and what is said of it."""
    times, sum_, one = [], 0, None
    with open_source(path, settings=SourceSettings(**chosen)) as source:
        for frame in source:
            times.append(frame.pts)
            sum_ = zlib.crc32(np.ascontiguousarray(frame.pixels[::7, ::7]), sum_)
            one = frame.pixels.copy() if frame.index == 100 else one
    return times, sum_, one, list(source.counts.warnings)


@pytest.fixture(scope="module")
def demo():
    """The clip that the cases were made of; what has the same pictures at the same times has the same five events."""
    times, sum_, one, said = frames(case("raw50.h264"))
    assert times == pytest.approx(FRAMES) and not said
    return sum_, one


@pytest.mark.parametrize(
    ("name", "chosen", "late"),
    [
        ("two-streams.mp4", {}, 0),
        ("two-streams.mp4", {"stream": 1}, 0),
        ("raw50.h264", {}, 0),
        ("slow-2x.mp4", {"fps": 50}, 0),
        ("video-starts-late.mp4", {}, LATE),
    ],
)
def test_the_pictures_of_the_clip_at_its_times(demo, name, chosen, late):
    times, sum_, _, _ = frames(case(name), **chosen)
    assert times == pytest.approx([time + late for time in FRAMES]) and sum_ == demo[0]


def test_wild_times():
    times, _, _, said = frames(case("spike.ts"))
    assert times == pytest.approx(FRAMES) and "time far from their neighbours'" in said[0]


@pytest.mark.parametrize("name", ["mirrored-matrix.mp4", "sar-2-1.mp4"])
def test_the_picture_of_the_clip_as_a_player_shows_it(demo, name):
    times, _, one, _ = frames(case(name))
    assert times == pytest.approx(FRAMES) and one.shape == demo[1].shape
    assert np.abs(one.astype(int) - demo[1]).mean() < 4


def test_a_rate_that_is_half_the_true_one_is_hinted_at():
    with open_source(case("slow-2x.mp4")) as source:
        next(source)
        assert any("source.fps=50 sets it" in cause for cause in source.counts.warnings)


def test_lost_packets_make_no_events():
    """The slowest of all to judge: all of it is worked through."""
    found = []
    with open_source(case("lossy.ts")) as source:
        Watch(source, Pipeline("lossy", PipelineSettings(), wait=True), lambda event, keyframes: found.append(event)).run()
    damaged = [number for cause, number in source.counts.warnings.items() if "pictures damaged" in cause]
    micro = {event.apex_s: event.label for event in found if event.kind == "micro"}
    hits = {true for true in APEXES for apex in micro if abs(apex - true) <= NEAR}
    assert 40 <= damaged[0] <= 60 and len(hits) == len(micro) >= 4


def test_what_macos_leaves_beside_a_file():
    with pytest.raises(SourceError, match="what macOS leaves beside a file"):
        open_source(case("AppleDouble-._clip.mp4"))
