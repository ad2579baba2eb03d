import json
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("torch")

from realtime.spotting import verify
from train.verifier import export as card
from train.verifier.network import Exported, VerifierNetwork


def test_the_card_says_whose_movements_it_was_trained_on_and_the_licence_follows(tmp_path, monkeypatch):
    windows = np.zeros((2, verify.CHANNELS, verify.WINDOW), np.float32)
    network = Exported(VerifierNetwork(), 1.0, 0.0).eval()
    for movers, licence, words in ((["a", "a", "b"], "Research use only", "as 2 real people did: 3 "), ([], "MIT", "action units")):
        monkeypatch.setattr(card, "movements", lambda training, movers=movers: tuple(SimpleNamespace(person=p) for p in movers))
        card.export(network, windows, 10, 5, 100, 2, (1.0, 0.0), tmp_path)
        monkeypatch.setattr(card, "save_onnx", lambda *_: None)  # the same network the second time
        about = json.loads((tmp_path / "verifier.json").read_text())
        assert about["licence"].startswith(licence) and about["training_data"]["real_movements"] == len(movers)
        assert words in (tmp_path / "verifier.md").read_text()
