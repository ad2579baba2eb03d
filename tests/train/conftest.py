from importlib.util import find_spec

import numpy as np
import pytest
from click.testing import CliRunner
from made_once import once

from train.data.loaders.megc2019 import load_flow


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """On a busy machine torch's threads wait for each other far longer than they work."""
    if find_spec("torch"):
        import torch

        torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def on_the_cpu(request, monkeypatch):
    """Wherever the tests run: what they compare bit by bit is what a CPU computes."""
    if not request.node.get_closest_marker("needs_cuda"):
        monkeypatch.setenv("MER_NO_GPU", "1")


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    """A small made-up archive in the form of flow_28x28.npz: six people, 30 samples, easy to tell apart."""
    random = np.random.default_rng(0)
    label = np.arange(30) % 3
    x = random.normal(126, 8, (30, 28, 28, 3))
    x[label == 0, 0:7, :, 1] += 90  # brows down
    x[label == 1, 16:22, 18:26, 0] += 90  # a mouth corner outwards
    x[label == 2, 0:7, :, 1] -= 90  # brows up
    subject, dataset = np.array(list("111222111222")).repeat(3)[:30], np.array(["casme2", "samm", "smic"]).repeat(10)
    arrays = {"x": x.clip(0, 255).astype(np.uint8), "label": label.astype(np.uint8), "subject": subject, "dataset": dataset}
    return once(tmp_path_factory, "megc", lambda folder: np.savez(folder / "flow_28x28.npz", **arrays)) / "flow_28x28.npz"


@pytest.fixture(scope="session")
def small_sets(tmp_path_factory):
    """Data sets in their published layouts, with a face that moves: see `small_sets.py`."""
    from small_sets import SmallSets

    return SmallSets(tmp_path_factory)


@pytest.fixture(scope="session")
def exported(archive, tmp_path_factory):
    """A run's folder: a Dual-ATME of one epoch on the archive, exported with its weights beside it."""
    from train.cli import main

    def train(out):
        words = ["model=dual_atme", "data=megc2019_flow", f"data.path={archive}", f"out={out}", "fit.epochs=1", "seeds=[0]"]
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0, result.output

    return once(tmp_path_factory, "dual_atme", train)


@pytest.fixture(scope="session")
def samples(archive):
    return load_flow(archive)


@pytest.fixture(scope="session")
def magnet(tmp_path_factory):
    """Weights for SKD-TSTSAN's magnification to start from, untrained."""
    import torch

    from train.methods.moext.magnification import Magnifier

    file = tmp_path_factory.mktemp("weights") / "magnet.pth"
    torch.save(Magnifier(3).state_dict(), file)
    return str(file)
