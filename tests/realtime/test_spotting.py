"""The spotter on made-up faces: a textured picture whose mouth is warped for a while, at several frame rates.

Without the verifier, which knows faces and not textures, and by histograms alone; the whole is tested on the demo clip.
"""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from realtime.face.geometry import ALIGNED, EYE_LINE, LANDMARKS_68, OUTER_EYES
from realtime.records import FaceView
from realtime.spotting import Spotter, SpotterSettings, apex_of_clip
from realtime.spotting.kinds import Aside
from realtime.spotting.settings import SetAside

rng = np.random.default_rng(3)
TEXTURE = cv2.GaussianBlur(rng.integers(0, 256, (ALIGNED, ALIGNED), np.uint8), (0, 0), 5)
TEXTURE = cv2.normalize(TEXTURE, None, 30, 220, cv2.NORM_MINMAX)
Y, X = np.mgrid[:ALIGNED, :ALIGNED].astype(np.float32)
MOUTH = np.exp(-((X - 112) ** 2 + (Y - 160) ** 2) / (2 * 24**2))


def landmarks() -> np.ndarray:
    """Only the points that the regions use: brows and eyes around the eye line, a mouth below."""
    points = np.zeros((478, 2), np.float32)
    place = lambda x, y: EYE_LINE + np.array([x, y]) * OUTER_EYES
    for ids, x, y, width, height in (
        (np.r_[17:22, 36:42], -0.35, -0.1, 0.35, 0.25),
        (np.r_[22:27, 42:48], 0.35, -0.1, 0.35, 0.25),
        (np.r_[48:60], 0.0, 0.95, 0.5, 0.2),
    ):
        turn = np.linspace(0, 2 * np.pi, len(ids), endpoint=False)
        points[LANDMARKS_68[ids]] = [place(x + width / 2 * np.cos(t), y + height / 2 * np.sin(t)) for t in turn]
    return points


def view(t: float, strength: float, index: int = 0, eye_opening=0.3, motion=0.0, anchor=1, noise=2.0) -> FaceView:
    warped = cv2.remap(TEXTURE, X, Y + np.float32(5 * strength) * MOUTH, cv2.INTER_LINEAR)
    noisy = warped + np.random.default_rng(index).normal(0, noise, warped.shape)
    pixels = cv2.cvtColor(np.clip(noisy, 0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)
    return FaceView(0, anchor, index, t, t, pixels, landmarks(), (0, 0, 9, 9), motion, eye_opening)


def bump(t: float, onset=2.0, apex=2.15, offset=2.35) -> float:
    if not onset < t < offset:
        return 0.0
    share = (t - onset) / (apex - onset) if t < apex else (offset - t) / (offset - apex)
    return float(0.5 - 0.5 * np.cos(np.pi * share))


ALONE = SpotterSettings(verifier=None, displacement=False)
MOVED = SpotterSettings(verifier=None)


def run(fps: float, seconds=3.0, strength=bump, settings=ALONE, **when):
    """Spotter and its keyframes; `when` gives functions of time for the view's other fields."""
    spotter, found = Spotter(settings), []
    spotter.aside = []  # all that was set aside
    for index in range(int(seconds * fps)):
        t = index / fps
        reading = spotter(view(t, strength(t), index, **{name: at(t) for name, at in when.items()}))
        spotter.aside += reading.set_aside
        if reading.keyframes:
            found.append(reading.keyframes)
    return spotter, found


@pytest.mark.parametrize("fps", [25, 30, 60, 100, 200])
def test_one_movement_is_one_event_at_its_time_whatever_the_frame_rate(fps):
    spotter, found = run(fps)
    assert len(found) == 1 and spotter.counts == {"spotted": 1}
    moment = 1 / fps + 0.03
    assert abs(found[0].apex.pts - 2.15) <= moment
    assert 2.0 - moment <= found[0].onset.pts < found[0].apex.pts < found[0].offset.pts <= 2.35 + moment
    assert found[0].peak > found[0].threshold


def test_stillness_is_no_event():
    spotter, found = run(50, strength=lambda t: 0.0)
    assert not found and not spotter.counts


def test_a_long_movement_is_a_macro_expression():
    _, found = run(50, 5.0, strength=lambda t: bump(t, 2.0, 2.6, 3.6), settings=MOVED)
    assert [k.kind for k in found] == ["macro"]
    assert found[0].onset.pts < 2.3 and 2.3 < found[0].apex.pts < 2.9 and 3.1 < found[0].offset.pts < 3.7


def test_a_movement_that_stays_is_a_macro_expression_and_then_the_new_rest():
    rise = lambda t: bump(t, 2.0, 2.3, 9.0) if t < 2.3 else 1.0
    spotter, found = run(50, 5.0, strength=rise)
    assert [k.kind for k in found] == ["macro"] and found[0].offset.pts < 3.4
    assert spotter(view(5.0, 1.0, 250)).difference < 3


def test_a_long_movement_under_way_at_the_end_is_not_lost():
    spotter, found = run(50, 2.9, strength=lambda t: bump(t, 2.0, 2.6, 3.6), settings=MOVED)
    assert not found and spotter.finish().kind == "macro" and spotter.finish() is None


def test_what_happens_during_a_blink_or_a_head_movement_is_held_back_and_counted():
    for name, at in (("eye_opening", lambda t: 0.1 if 2.05 < t < 2.2 else 0.3), ("motion", lambda t: 1.0 if 2.05 < t < 2.2 else 0.0)):
        gate = "blink" if name == "eye_opening" else "motion"
        spotter, found = run(50, **{name: at})
        assert not found and spotter.counts == {gate: 1}
        assert [one.cause for one in spotter.aside] == [gate] and abs(spotter.aside[0].pts - 2.15) < 0.1
        _, found = run(50, settings=replace(ALONE, **{f"{gate}_gate": False}), **{name: at})
        assert len(found) == 1


def test_what_the_detector_has_the_last_word_on_waits_for_it_and_is_told_once():
    aside, scores = Aside(), {"micro": 0.2, "speech": 0.7, "nothing": 0.1}
    aside.wait(2.0, 2.1, 2.3)
    aside.settle(2.2, lambda begin, end: scores)
    assert not aside.take()
    aside.settle(2.4, lambda begin, end: scores)
    assert aside.take() == (SetAside(2.1, "speech"),) and not aside.take()
    aside.wait(3.0, 3.1, 3.3)
    aside.reported(3.12)
    aside.settle(4.0, lambda begin, end: scores)
    aside.drop("too small", 3.15)  # what is left of it
    assert not aside.take()


def test_a_face_lost_in_the_middle_is_held_back_and_the_next_one_starts_anew():
    spotter = Spotter(ALONE)
    for index in range(106):  # until just before the apex
        spotter(view(index / 50, bump(index / 50), index))
    lost = spotter.lost()
    assert lost.gate == "lost" and [one.cause for one in lost.set_aside] == ["lost"]
    assert spotter.counts == {"lost": 1}
    assert np.isnan(spotter(view(2.2, 0.0, 110)).difference)


def test_a_new_anchor_or_a_gap_in_time_starts_anew():
    spotter, _ = run(50, 2.0, strength=lambda t: 0.0)
    assert np.isnan(spotter(view(2.02, 1.0, 101, anchor=2)).difference)
    spotter, _ = run(50, 2.0, strength=lambda t: 0.0)
    assert np.isnan(spotter(view(3.0, 1.0, 150)).difference)


def test_noisier_source_higher_threshold():
    quiet, trembling = (run(50, 2.0, strength=shake)[0] for shake in (lambda t: 0.0, lambda t: 0.5 * np.sin(40 * t)))
    assert trembling._stretch.front._floor.max() > 1.2 * quiet._stretch.front._floor.max()


def test_algorithm_1_finds_the_apex_of_a_trimmed_clip():
    clip = [view(t, bump(t), index) for index, t in enumerate(np.arange(2.0, 2.35, 0.01))]
    assert abs(clip[apex_of_clip(clip)].pts - 2.15) <= 0.03 + 1e-6
    with pytest.raises(ValueError, match="at least two"):
        apex_of_clip(clip[:1])
