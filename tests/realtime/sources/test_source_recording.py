"""Recordings: every frame, in order, with the file's own times, whatever happens in the midst."""

import os
import time

import av
import numpy as np
import pytest
from made_clips import CLIPS, film, jpeg, jpegs, number_of, steady

from realtime.sources import SourceInfo, open_source
from realtime.sources.base import JUMPED_BACK, MISSING, WILD, SourceCounts
from realtime.sources.clock import FileClock


def test_every_frame_in_order_then_the_end(tmp_path):
    clip = film(tmp_path / "a.mp4", steady(2, 30))
    with open_source(clip) as source:
        assert source.state == "running"
        frames = list(source)
        assert list(source) == [] and source.state == "ended"
    assert source.info == SourceInfo(str(clip), 64, 48, pytest.approx(30, abs=0.5), False, pytest.approx(2, abs=0.05))
    assert [frame.index for frame in frames] == list(range(60))
    assert [number_of(frame.pixels) for frame in frames] == [number % 25 for number in range(60)]
    assert [frame.pts for frame in frames] == pytest.approx(steady(2, 30), abs=1e-3)
    assert source.counts.frames == 60 and not source.counts.warnings and not source.counts.drops


def test_a_slow_reader_loses_nothing(tmp_path):
    with open_source(film(tmp_path / "a.mp4", steady(1, 100))) as source:
        first = next(source)
        time.sleep(0.3)  # the ring is full by now
        rest = list(source)
    assert [first.index, *(frame.index for frame in rest)] == list(range(100))
    assert number_of(first.pixels) == 0  # its slot was used again, its pixels were not


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_uneven_times_are_kept_and_begin_at_nought(tmp_path, name):
    times = [5.0, 5.02, 5.09, 5.1, 5.35, 5.36, 5.5]
    with open_source(film(tmp_path / name, times)) as source:
        pts = [frame.pts for frame in source]
    assert pts == pytest.approx([time - 5.0 for time in times], abs=1e-3)


def test_missing_and_repeated_times_are_guessed():
    pts, causes = stamped([0.0, 0.04, 0.04, 0.12, None, 0.1, 0.5])
    assert pts == pytest.approx([0.0, 0.04, 0.08, 0.12, 0.16, 0.2, 0.5])
    assert causes == [MISSING] * 3


@pytest.mark.parametrize("wild", (300.0, -300.0, 0.5))
@pytest.mark.parametrize("places", ([7], [7, 8], [3, 20], range(5, 15)))
def test_a_wild_time_moves_nothing_after_it(wild, places):
    raw = [number / 25 + (wild if number in places else 0) for number in range(50)]
    pts, causes = stamped(raw)
    assert all(now < then for now, then in zip(pts, pts[1:]))
    assert [t for n, t in enumerate(pts) if n not in places] == pytest.approx([n / 25 for n in range(50) if n not in places])
    assert len(causes) >= len(places) if wild > 0 else causes
    assert pts == pytest.approx([n / 25 for n in range(50)], abs=0.2)


def test_a_wild_first_time():
    assert stamped([300.0, 0.04, 0.08, 0.12]) == (pytest.approx([0.0, 0.04, 0.08, 0.12]), [WILD])
    assert stamped([0.0, -299.96, -299.92, -299.88]) == (pytest.approx([0.0, 0.04, 0.08, 0.12]), [WILD])


def test_a_pause_stays_a_pause_and_a_clock_that_jumps_back_goes_on():
    long = [n / 25 for n in range(20)]
    assert stamped(long + [t + 30 for t in long]) == (pytest.approx(long + [t + 30 for t in long]), [])
    pts, causes = stamped([t + 30 for t in long] + long)
    assert pts == pytest.approx([30 + n / 25 for n in range(40)]) and causes == [JUMPED_BACK]


def stamped(raw: list[float | None]) -> tuple[list[float], list[str]]:
    """What a clock at 25 frames/s makes of a recording's times, and what it says of them."""
    causes = []
    frames = list(FileClock(0.04, causes.append)((time, number) for number, time in enumerate(raw)))
    assert [number for _, number in frames] == list(range(len(raw)))
    return [pts for pts, _ in frames], causes


def test_warnings_are_said_with_their_number():
    counts = SourceCounts()
    for _ in range(3):
        counts.warn("pictures damaged, left out")
        counts.warn("the frame size changed to 2×2; scaled to 4×4")
    counts.warn(WILD)
    assert counts.said[:2] == ["3 pictures damaged, left out", "the frame size changed to 2×2; scaled to 4×4"]
    assert counts.said[2].startswith("1 picture with a time far")


def test_a_change_of_size_is_scaled_and_said_once(tmp_path):
    packets = [jpeg(n) for n in range(5)] + [jpeg(n, 128, 96) for n in range(5, 10)] + [jpeg(n) for n in range(10, 15)]
    with open_source(jpegs(tmp_path / "a.mkv", packets)) as source:
        frames = list(source)
    assert {frame.pixels.shape for frame in frames} == {(48, 64, 3)}
    assert [number_of(frame.pixels) for frame in frames] == list(range(15))
    assert source.counts.warnings == {"the frame size changed to 128×96; scaled to 64×48": 1}


def test_one_damaged_packet_is_skipped_and_counted(tmp_path):
    packets = [jpeg(n) for n in range(20)]
    packets[7] = b"not a picture" * 20
    with open_source(jpegs(tmp_path / "a.mkv", packets)) as source:
        frames = list(source)
    assert [number_of(frame.pixels) for frame in frames] == [n for n in range(20) if n != 7]
    assert frames[7].pts == pytest.approx(8 / 25, abs=2e-3)  # the gap stays a gap
    assert source.counts.warnings == {"pictures damaged, left out": 1}


@pytest.mark.parametrize("name", ["face_noface.mov", "single_face.mp4", "grid_bbaf2n.mpg", "intel_yes.mkv"])
def test_real_clips_are_what_pyav_decodes(name):
    clip = CLIPS / name
    if not clip.exists():
        pytest.skip(f"{clip} is not here")
    with av.open(str(clip)) as container, open_source(clip) as source:
        stream = container.streams.video[0]
        origin = stream.start_time * stream.time_base
        for ours, theirs in zip(source, container.decode(stream), strict=True):
            assert ours.pts == pytest.approx(float(theirs.pts * stream.time_base - origin))
            assert np.array_equal(ours.pixels, theirs.to_ndarray(format="bgr24"))
    assert source.counts.warnings == {}


def test_nothing_is_left_behind(tmp_path):
    clip = film(tmp_path / "a.mp4", steady(1, 100))
    descriptors, shared = os.listdir("/proc/self/fd"), os.listdir("/dev/shm")
    for _ in range(3):
        source = open_source(clip)
        next(source)
        child = source._reader._child
        assert child.poll() is None
        source.close()
        source.close()
        assert child.returncode is not None  # reaped, no zombie
        assert source.state == "ended" and list(source) == []
    assert len(os.listdir("/proc/self/fd")) == len(descriptors) and os.listdir("/dev/shm") == shared


def test_a_picture_that_is_held_stays_as_it_is_and_its_place_is_given_back_after(tmp_path):
    clip = film(tmp_path / "a.mp4", steady(4, 60))
    with open_source(clip) as source:
        held, parts, kept = [], [], []
        for frame in source:
            held.append(frame)  # far more than the ring has places: the child must not wait for ever
            parts.append(frame.pixels[4:20:2, ::-1])
            kept.append(frame.pixels.copy())
            assert [coming.index for coming in source.waiting()] == list(range(frame.index + 1, min(frame.index + 11, 240)))
            assert source.counts.frames == frame.index + 1
        reader = source._reader
    assert len(held) == 240
    for frame, part, copy in zip(held, parts, kept):
        assert np.array_equal(frame.pixels, copy) and np.array_equal(part, copy[4:20:2, ::-1])
    del held, frame
    assert reader._lent  # by parts of pictures, too
    del parts, part
    assert not reader._lent


def test_a_title_in_latin_1_is_no_obstacle(tmp_path):
    clip = film(tmp_path / "a.mkv", steady(0.5, 20), metadata={"title": "Gesicht mueller"})
    data = clip.read_bytes()
    assert b"mueller" in data
    clip.write_bytes(data.replace(b"mueller", b"m\xfcller\xe9"))
    with open_source(clip) as source:
        assert len(list(source)) == 10
