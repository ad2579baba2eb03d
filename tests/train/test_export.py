"""One ONNX file for any batch, and networks of which there can be none."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install 'mer-live[train]'")

from engines.zoo import ZOO
from realtime.errors import ModelError
from train.data.augment import halves
from train.export.card import card
from train.export.network import compare, save_manifest, save_onnx
from train.export.reduced import OURS, reduced
from train.settings import chosen

INPUTS = {"x": np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)}


class Mirrored(torch.nn.Module):
    """Softmax over a batch that is doubled and taken apart again by `apart`."""

    def __init__(self, apart):
        super().__init__()
        self.apart, self.linear = apart, torch.nn.Linear(4, 3)

    def forward(self, x):
        straight, mirrored = self.apart(self.linear(torch.cat([x, x.flip(-1)])).softmax(1))
        return (straight + mirrored) / 2


class Mixing(torch.nn.Module):
    """What a sample gives depends on the others."""

    def forward(self, x):
        return (x[:, :3] - x[:, :3].mean(0, keepdim=True)).softmax(1)


def exported(network, folder):
    file = folder / "net.onnx"
    save_onnx(network.eval(), INPUTS, "probabilities", file)
    about = {"name": "net", "classes": ["a", "b", "c"], "inputs": [{"name": "x", "shape": [1, 4]}], "output": {"name": "probabilities"}}
    save_manifest(file, about, "")
    return file


def test_the_file_takes_any_batch_and_agrees_with_torch(tmp_path):
    network = Mirrored(halves)
    assert compare(network, INPUTS, exported(network, tmp_path)) < 1e-5


def test_a_network_that_ties_itself_to_the_batch_is_not_exported(tmp_path):
    with pytest.raises(ModelError, match=r"not exported for any batch .*its input x is for one sample"):
        exported(Mirrored(lambda doubled: doubled.chunk(2)), tmp_path)


def test_a_network_that_mixes_samples_is_not_let_out(tmp_path):
    network = Mixing()
    with pytest.raises(ModelError, match="differs from torch"):
        compare(network, INPUTS, exported(network, tmp_path))


@pytest.mark.parametrize("name", ["skd_tstsan", "moext", "dual_atme", "sa_at"])
def test_a_shipped_networks_card_says_what_is_less_than_the_papers(name):
    file = ZOO / f"{name}.json"
    about = json.loads(file.read_text("utf-8"))
    assert about["reduced"] == reduced(about) and "training" in about["reduced"]
    assert file.with_suffix(".md").read_text("utf-8") == card(about)
    assert all(words in card(about) for words in about["reduced"].values())
    whole = chosen(f"model={name}").as_dict()
    as_in_the_paper = about | {"model": whole["model"] | OURS.get(name, {}), "training": whole["fit"] | {"schedule": "full"}}
    assert reduced(as_in_the_paper) == {} and "Not as in the paper" not in card(as_in_the_paper | {"reduced": {}})
