import numpy as np
import pytest

from realtime.judged import NO_FACE, NO_PICTURE, REST, SMALL, Judged
from realtime.pipeline import Step
from realtime.records import FaceView, Frame
from realtime.spotting import Reading

PICTURE = np.zeros((4, 4, 3), np.uint8)


def step(pts, *faces):
    """faces: (width in pixels, reading) of each face in view, the largest first."""
    views = [FaceView(i, 1, 0, pts, 0.0, PICTURE, PICTURE, (0, 0, width, width), 0.0, 0.3) for i, (width, _) in enumerate(faces)]
    return Step(Frame(PICTURE, 0, pts, 0.0), views, {i: reading for i, (_, reading) in enumerate(faces)}, [])


REST_KNOWN = Reading(1.0, 3.0)


@pytest.mark.parametrize(
    "faces, cause",
    [
        ((), NO_FACE),
        (((100, REST_KNOWN),), None),
        (((100, Reading()),), REST),
        (((20, REST_KNOWN),), SMALL),
        (((100, Reading(1.0, 3.0, "blink")),), "blink"),
        (((100, Reading(1.0, 3.0, "motion")),), "head moves"),
        (((100, Reading(1.0, 3.0, "blink")), (90, REST_KNOWN)), None),  # the other face is judged
    ],
)
def test_a_moment_is_judged_or_has_a_cause(faces, cause):
    judged = Judged()
    judged.add(step(5.0))
    judged.add(step(5.1, *faces))
    assert judged.share == (cause is None) and list(judged.why()) == ([cause] if cause else [])
    assert judged.seconds == pytest.approx(0.1)


def test_time_counts_not_frames():
    """A second at ten frames, then a second at a hundred: half each. A hole in the time is no time judged."""
    judged = Judged()
    for pts in np.arange(0, 1.05, 0.1):
        judged.add(step(pts))
    for pts in np.arange(1.01, 2.005, 0.01):
        judged.add(step(pts, (100, REST_KNOWN)))
    assert judged.share == pytest.approx(0.5) and judged.why()[NO_FACE] == pytest.approx(1.0)
    judged.add(step(4.0, (100, REST_KNOWN)))
    assert judged.share == pytest.approx(0.25) and list(judged.why()) == [NO_PICTURE, NO_FACE]
    assert str(judged) == "judged 25 % of 4.0 s; not: no picture 2.0 s, no face 1.0 s"


def test_a_single_picture_is_no_time():
    judged = Judged()
    judged.add(step(0.0, (100, REST_KNOWN)))
    assert (judged.share, judged.as_dict()) == (0.0, {"seconds": 0.0, "share": 0.0, "not_judged": {}})


def test_a_cut_clip_was_judged_as_a_whole():
    judged = Judged()
    for pts in (0.0, 0.1, 0.2):
        judged.add(step(pts, (100, Reading())))
    assert judged.share == 0
    judged.as_a_whole()
    assert (judged.share, judged.why()) == (1.0, {})
