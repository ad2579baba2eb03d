"""What is used once before it matters must reach everything, and must not fail on anything that ships."""

import numpy as np
import pytest
from places import DEMO

from engines.runtime import Network
from engines.zoo import known
from realtime.face import geometry
from realtime.naming.inputs import INPUTS
from realtime.naming.recognizer import Recognizer, moments_of
from realtime.pipeline import Pipeline, PipelineSettings
from realtime.records import Keyframes
from realtime.sources import open_source
from realtime.spotting import SpotterSettings, Verifier, lbp
from realtime.warm import mesh, views, warm_stream

NAMING = [name for name in known() if Network(name).manifest.get("takes") in INPUTS]


@pytest.mark.parametrize("name", NAMING)
def test_every_network_runs_on_what_is_made_up(name):
    Recognizer(name).warm()


def test_the_stream_runs_with_and_without_a_verifier():
    warm_stream(SpotterSettings(), Verifier("verifier"))
    warm_stream(SpotterSettings(verifier=None), None)


def test_after_warming_up_a_stream_compiles_nothing_more():
    """A late compilation would hold up the stream for seconds, and everything that has to be known is the types."""
    pipeline = Pipeline("clip", PipelineSettings(), wait=True)
    compiled = [geometry.robust_similarity, geometry.apply_inverse, lbp._count]
    before = [len(function.signatures) for function in compiled]
    assert all(before)
    with open_source(DEMO) as source:
        for frame in source:
            pipeline(frame)
            if frame.index == 60:
                break
    pipeline.close()
    assert [len(function.signatures) for function in compiled] == before


def test_the_made_up_face_is_upright_and_textured():
    points = geometry.to_68(mesh())
    assert points[8, 1] > points[48:68, 1].max() and points[36:48, 1].mean() > points[17:27, 1].mean()
    first, second = views(2)
    np.testing.assert_array_equal(first.pixels[:, :-1], second.pixels[:, 1:])


@pytest.mark.parametrize("kind", INPUTS)
def test_whatever_a_network_takes_is_made_of_nobodys_face(kind):
    """A network of somebody's own is tried on it before the first event."""
    seen = views()
    made = INPUTS[kind](moments_of(Keyframes(seen[0], seen[1], seen[-1], 1.0, 1.0, between=tuple(seen))))
    assert all(np.isfinite(array).all() for array in made.values())
