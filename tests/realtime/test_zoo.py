"""Every shipped network on the demo clip: spotted once, named by each of them."""

import csv

import numpy as np
import onnxruntime
import pytest
from places import DEMO

from engines.runtime import Network
from engines.zoo import ZOO, known
from realtime.naming import examples
from realtime.naming.recognizer import Recognizer
from realtime.networks import naming
from realtime.pipeline import Pipeline, PipelineSettings
from realtime.sources import open_source

PAPERS = ("skd_tstsan", "moext", "dual_atme", "sa_at")
RECOGNIZERS = naming()


@pytest.fixture(scope="module")
def spotted():
    """The keyframes of the demo clip's movements."""
    pipeline = Pipeline("demo", PipelineSettings(), wait=True)
    with open_source(DEMO) as source:
        return [known.keyframes for known in pipeline.follow(source)]


def test_the_four_papers_and_the_default_are_there():
    assert {*PAPERS, PipelineSettings().network} <= set(RECOGNIZERS)


@pytest.mark.parametrize("name", RECOGNIZERS)
def test_each_network_names_the_demo_clips_expressions(name, spotted):
    with open(DEMO.with_suffix(".csv"), newline="") as file:
        truth = [row["label"] for row in csv.DictReader(file)]
    recognize = Recognizer(name)
    found = [recognize(keyframes) for keyframes in spotted]
    assert all(sum(scores.values()) == pytest.approx(1, abs=1e-4) for _, scores in found)
    likeliest = [max(scores, key=scores.get) for _, scores in found]
    assert len(found) == len(truth) and sum(a == b for a, b in zip(likeliest, truth)) >= 4, likeliest


@pytest.mark.parametrize("name", RECOGNIZERS)
def test_each_network_says_what_it_is(name):
    manifest = Network(name).manifest
    card = (ZOO / f"{name}.md").read_text("utf-8")
    assert manifest["title"] in card and manifest["licence"] in card
    assert isinstance(manifest["accuracy"], dict) and f"{manifest['accuracy']['all']['uf1']:.3f}" in card
    everything = f"{manifest} {card}"
    assert "/home/" not in everything and "../" not in everything and str(ZOO.parents[1]) not in everything


@pytest.mark.parametrize("name", known())
def test_each_network_takes_batches_of_real_inputs(name):
    network = Network(name, engine="cpu")
    samples = examples.inputs(network, 12)
    alone = np.stack([network({key: x[row : row + 1] for key, x in samples.items()}) for row in range(12)])
    assert np.ptp(alone, 0).max() > 1e-3  # samples that differ: mixed up, they would show
    np.testing.assert_array_equal(network.many(samples), alone)  # on the CPU to the bit
    session = onnxruntime.InferenceSession(network.path, providers=["CPUExecutionProvider"])
    for size in (1, 3, 64):
        rows = np.arange(size) % 12
        together = session.run([network.output], {key: x[rows] for key, x in samples.items()})[0]
        np.testing.assert_allclose(together, alone[rows], atol=1e-5)
