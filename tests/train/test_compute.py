"""Training away from the CPU, without a GPU: on torch's "meta" device, which has shapes and no numbers.

What a real GPU refuses, an operation on tensors of two devices, `OneDevice` refuses here.
"""

import os
import sys
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from gpu import needs_cuda
from made_methods import WAYS, way
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from realtime.errors import MissingPartError
from realtime.parallel import cluster
from train import compute
from train.bench.gpu import training as training
from train.compute import CPU, Compute, predict
from train.data import augment
from train.methods import method
from train.watch import Watch

AWAY = Compute(torch.device("meta"))
SENDS = ("_to_copy", "copy_", "lift_fresh", "detach")  # what may see two devices


class OneDevice(TorchDispatchMode):
    """Refuses what a GPU refuses, and counts on which device the layers were computed."""

    def __init__(self):
        super().__init__()
        self.layers = Counter()

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        kwargs, name = kwargs or {}, operation.overloadpacket.__name__
        given = [one for one in tree_leaves((args, kwargs)) if isinstance(one, torch.Tensor)]
        devices = {one.device.type for one in given if one.dim()}
        if len(devices) > 1 and name not in SENDS:
            raise AssertionError(f"{name} is given tensors of {' and '.join(sorted(devices))}")
        if name in ("convolution", "convolution_backward", "_linalg_solve_ex"):
            self.layers[name, *devices] += 1
        return operation(*args, **kwargs)


@pytest.fixture
def away(monkeypatch):
    """Numbers that the CPU asks "meta" for are 1; what comes back from there is zeros."""
    to, cpu = torch.Tensor.to, torch.Tensor.cpu

    def back(tensor):
        return torch.zeros(tensor.shape, dtype=tensor.dtype) if tensor.device.type == "meta" else cpu(tensor)

    monkeypatch.setattr(torch.Tensor, "item", lambda tensor, item=torch.Tensor.item: 1.0 if tensor.is_meta else item(tensor))
    monkeypatch.setattr(augment, "_puzzle_matrix", lambda device: torch.zeros(784, 784, device=device))  # sparse is not for meta
    monkeypatch.setattr(torch.Tensor, "cpu", back)
    monkeypatch.setattr(torch.Tensor, "to", lambda tensor, *a, **k: back(tensor) if tensor.is_meta and a[:1] == ("cpu",) else to(tensor, *a, **k))
    monkeypatch.setattr(torch.nn.Module, "to", lambda network, *a, to=torch.nn.Module.to, **k: network if a[:1] == ("cpu",) else to(network, *a, **k))
    monkeypatch.setattr(torch.nn.Module, "cpu", lambda network: network)
    monkeypatch.setattr(sys.modules["torch.optim.optimizer"], "_get_fused_kernels_supported_devices", lambda: ["meta", "cpu", "cuda"])
    with OneDevice() as seen:
        yield seen


@pytest.mark.parametrize("name", WAYS)
def test_every_method_is_trained_where_it_is_told(name, magnet, away):
    method(WAYS[name][0]).fit(*way(name, magnet), 0, Watch(), AWAY)
    assert away.layers and {key[1:] for key in away.layers} == {("meta",)}, away.layers
    assert "kernel_ridge" in name or any(key[0] == "convolution_backward" for key in away.layers)


@needs_cuda
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", WAYS)
def test_every_method_is_trained_on_a_real_gpu(name, precision, magnet):
    samples, model, recipe = way(name, magnet)
    torch.cuda.reset_peak_memory_stats()
    network = method(WAYS[name][0]).fit(samples, model, recipe, 0, Watch(), compute.compute("cuda", precision))
    found = predict(network, samples)
    assert compute.of(network).type == "cpu" and torch.cuda.max_memory_allocated() > 0
    assert np.isfinite(found).all() and np.allclose(found.sum(1), 1, atol=1e-4)


def test_a_forgotten_transfer_is_found(away, monkeypatch):
    """The tests above can fail: batches that stay where they were are refused, by whichever layer meets them."""
    monkeypatch.setattr(compute.Held, "__getitem__", lambda held, rows: torch.zeros(len(rows), *held._array.shape[1:], dtype=held._array.dtype))
    with pytest.raises(AssertionError, match="tensors of cpu and meta"):
        method("ststnet").fit(*way("ststnet", ""), 0, Watch(), AWAY)


@pytest.mark.parametrize("name", ["moext, folded", "ststnet"])
def test_bfloat16_changes_a_little_and_the_network_stays_fp32(name):
    samples, model, recipe = way(name, "", 8)
    half, whole = (method(WAYS[name][0]).fit(samples, model, recipe, 0, Watch(), Compute(precision=p)) for p in ("bf16", "fp32"))
    assert {part.dtype for part in half.state_dict().values() if part.is_floating_point()} == {torch.float32}
    off = np.abs(predict(half, samples) - predict(whole, samples))
    assert 0 < off.max() < 0.2


def test_samples_that_do_not_fit_are_sent_batch_by_batch(monkeypatch):
    sent = []

    def pinned(tensor):
        sent.append(len(tensor))
        return tensor

    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (4000, 80_000))
    monkeypatch.setattr(torch.Tensor, "pin_memory", pinned)
    monkeypatch.setattr(Compute, "on_gpu", True)
    rows = torch.tensor([7, 1])
    for count, batches in ((250, []), (251, [2])):  # a quarter of 4000 bytes, and one byte more
        sent.clear()
        held = CPU.hold(np.arange(count * 4, dtype=np.uint8).reshape(count, 4))
        assert held[rows].tolist() == [[28, 29, 30, 31], [4, 5, 6, 7]] and sent == batches and len(held) == count


@pytest.mark.parametrize(
    ("asked", "gpu", "off", "chosen"),
    [("auto", True, "0", "cuda"), ("auto", True, "1", "cpu"), ("auto", False, "", "cpu"), ("cpu", True, "", "cpu"), ("cuda", True, "1", "cuda")],
)
def test_the_device_is_chosen_in_one_place(monkeypatch, asked, gpu, off, chosen):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    monkeypatch.setenv("MER_NO_GPU", off)
    assert compute.compute(asked, "bf16") == Compute(torch.device(chosen), "bf16")


def test_a_gpu_that_is_asked_for_and_absent_is_one_line(monkeypatch, archive, tmp_path):
    from click.testing import CliRunner

    from train.cli import main

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    said = CliRunner().invoke(main, ["model=ststnet", f"data.path={archive}", f"out={tmp_path / 'run'}", "device=cuda"])
    assert said.exit_code == MissingPartError.exit_code == 7 and len(said.output.splitlines()) == 1 and "device=cuda" in said.output
    assert not (tmp_path / "run").exists()
    said = CliRunner().invoke(main, ["model=ststnet", f"data.path={archive}", "device=gpu"])
    assert said.exit_code == 2 and "device (auto, cpu or cuda)" in said.output


@pytest.mark.parametrize(("error", "said"), [(torch.OutOfMemoryError, "too little memory"), (torch.AcceleratorError, "unspecified launch failure")])
def test_a_gpu_that_fails_is_one_line(monkeypatch, archive, tmp_path, error, said):
    from click.testing import CliRunner

    from train.cli import main

    def fails(*_):
        raise error("unspecified launch failure\nCUDA kernel errors might be reported at some other call", *[719][: error is torch.AcceleratorError])

    monkeypatch.setattr(method("ststnet"), "fit", fails)
    done = CliRunner().invoke(main, ["model=ststnet", f"data.path={archive}", f"out={tmp_path}", "protocol=loso", "launcher=inline"])
    assert done.exit_code == 1 and len(done.stderr.splitlines()) == 1 and "the GPU" in done.stderr and said in done.stderr, done.output


def test_the_verifier_is_trained_where_it_is_told(away):
    from realtime.spotting.verify import CHANNELS, CLASSES
    from train.verifier.collect import Recording
    from train.verifier.fit import Recipe, fit

    length = 300
    label = np.arange(length) % len(CLASSES)
    one = Recording(np.zeros((length, CHANNELS), np.float32), np.arange(length) / 60, np.zeros(length, int), label, np.zeros((length, 3)))
    fit([one], Recipe(steps=1, batch=8), compute=AWAY)
    assert away.layers and {key[1:] for key in away.layers} == {("meta",)}, away.layers


def test_threads_are_the_launchers(monkeypatch):
    settings = SimpleNamespace(device="auto", precision="fp32", launcher="processes", workers=4)
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    monkeypatch.setattr(compute, "compute", lambda *_: CPU)
    assert compute.threads(settings) == compute.threads(settings, alone=True) == 1  # a seed gives the same weights
    monkeypatch.setattr(compute, "compute", lambda *_: Compute(torch.device("cuda")))
    counts = [compute.threads(SimpleNamespace(**vars(settings) | {"launcher": name})) for name in ("inline", "processes", "ray")]
    assert counts == [16, 4, 1] and compute.threads(settings, alone=True) == 16


@pytest.mark.parametrize(
    ("cluster_has", "share"), [({"CPU": 8}, 0), ({"CPU": 8, "GPU": 2}, 0.25), ({"CPU": 2, "GPU": 4}, 1), ({"CPU": 48, "GPU": 1}, 0.02)]
)
def test_folds_on_a_cluster_share_its_gpus(cluster_has, share):
    assert cluster._share(cluster_has) == share
