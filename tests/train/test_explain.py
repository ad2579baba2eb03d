"""Grad-CAM on networks whose answer is known, and the command on the demo clip."""

import shutil

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from places import DEMO

torch = pytest.importorskip("torch")

from engines.runtime import Network
from realtime.errors import ModelError
from train.cli import main
from train.explain.heat import gates, gradcam, torch_network


class Corners(torch.nn.Module):
    """Class 0 is a bright upper left, class 1 a bright lower right."""

    def __init__(self):
        super().__init__()
        self.maps = torch.nn.Conv2d(1, 2, 1, bias=False)
        self.maps.weight.data[:] = torch.tensor([1.0, 0.2]).view(2, 1, 1, 1)

    def forward(self, image):
        maps = self.maps(image)
        upper, lower = maps[:, 0, :4, :4].mean((1, 2)), maps[:, 1, 4:, 4:].mean((1, 2))
        return torch.stack([upper, lower], 1).softmax(1)


def test_the_heat_lies_where_the_class_comes_from():
    image = np.zeros((1, 1, 8, 8), np.float32)
    image[..., :4, :4] = 1
    heat = gradcam(Corners().eval(), {"image": image}, "maps", 0)
    assert heat.shape == (8, 8) and heat.max() == 1
    assert heat[:4, :4].mean() > 0.9 and heat[4:, 4:].mean() < 0.1


def test_gates_are_what_a_module_lets_through():
    class Half(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.gate = torch.nn.Module()
            self.gate.forward = lambda x: x * torch.tensor([0.25, 1.0]).view(1, 2, 1, 1)

        def forward(self, image):
            return self.gate(image).mean((2, 3))

    found = gates(Half(), {"image": np.ones((1, 2, 3, 3), np.float32)}, "gate")
    assert found["channels"].tolist() == [0.25, 1.0] and found["places"] == pytest.approx(np.full((3, 3), 0.625))


@pytest.fixture
def trained(exported):
    return exported / "dual_atme.onnx"


def test_an_event_of_the_demo_clip_is_explained(trained, tmp_path):
    picture = tmp_path / "why"
    result = CliRunner().invoke(main, ["explain", str(DEMO), "event=2", f"network={trained}", f"out={picture}"])
    assert result.exit_code == 0, result.output
    assert "at 4." in result.output and f"wrote {picture}.png" in result.output
    assert cv2.imread(f"{picture}.png").std() > 20 and not picture.exists()


def test_weights_of_another_network_are_noticed(trained, tmp_path):
    for suffix in (".onnx", ".json"):
        shutil.copy(trained.with_suffix(suffix), tmp_path)
    moved = tmp_path / "dual_atme.onnx"
    inputs = {name: np.ones((1, 3, 28, 28), np.float32) for name in ("full_face", "puzzle")}
    torch_network(Network(moved), inputs)  # enough of them are in the file itself
    from safetensors.torch import load_file, save_file

    weights = load_file(trained.with_suffix(".safetensors"))
    weights["network.classifier.5.bias"] += torch.tensor([3.0, 0.0, 0.0])
    save_file(weights, moved.with_suffix(".safetensors"))
    with pytest.raises(ModelError, match="does not give the network back"):
        torch_network(Network(moved), inputs)
    (tmp_path / "dual_atme.safetensors").write_bytes(b"{}")
    with pytest.raises(ModelError, match="needs the weights"):
        torch_network(Network(moved), inputs)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["explain"], "explain what"),
        (["explain", "/no/clip.mp4"], "no recording at /no/clip.mp4"),
        (["explain", str(DEMO), "events=2"], "explain takes event=N"),
        (["explain", str(DEMO), "network=verifier"], "takes 'None'"),
    ],
)
def test_a_mistake_is_one_line(words, says):
    result = CliRunner().invoke(main, words)
    assert result.exit_code in (2, 3, 5) and says in result.output and "Traceback" not in result.output
