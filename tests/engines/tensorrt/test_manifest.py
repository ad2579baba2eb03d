"""Whether a plan fits here: what is fatal, what is not."""

from dataclasses import replace

import pytest
from plan_facts import GPU, TENSORRT, facts

from engines.tensorrt.library import Library
from engines.tensorrt.manifest import PlanManifest

PLAN = b"plan"
MADE = facts(PLAN)
RTX = Library("tensorrt_rtx", "1.7.1.116", None)
ELSEWHERE = {"cuda": "", "driver": "", "gpu": "", "targets": ["sm_80", "sm_89"]}
ANYWHERE = facts(PLAN, library="tensorrt_rtx", version=RTX.version, **ELSEWHERE)


def refusal(manifest=MADE, onnx="a" * 64, plan=None, gpu=GPU, library=TENSORRT):
    return manifest.refusal(onnx, plan or manifest.plan_sha256, gpu, library)


def test_what_was_built_here_is_taken():
    assert refusal() is None
    assert refusal(ANYWHERE, library=RTX) is None
    assert refusal(ANYWHERE, gpu=replace(GPU, compute="sm_80", name="NVIDIA A100"), library=RTX) is None


@pytest.mark.parametrize(
    "here, words",
    [
        ({"onnx": "b" * 64}, "ONNX file has changed"),
        ({"onnx": None}, "no network 'tiny'"),
        ({"plan": "b" * 64}, "not the one that was built"),
        ({"library": None}, "built by TensorRT 11.4.0.1, which is not installed here"),
        ({"library": Library("tensorrt", "11.4.0.2", None)}, "built by TensorRT 11.4.0.1, here is TensorRT 11.4.0.2"),
        ({"library": Library("tensorrt", "10.13.3.9", None)}, "here is TensorRT 10.13.3.9"),
        ({"library": RTX}, "here is TensorRT for RTX 1.7.1.116"),
        ({"gpu": None}, "there is no GPU here"),
        ({"gpu": replace(GPU, name="H200", compute="sm_90")}, "built for sm_89, this GPU (H200) is sm_90"),
        ({"gpu": replace(GPU, name="NVIDIA L4")}, "built on NVIDIA GeForce RTX 4090, this GPU is NVIDIA L4"),
        ({"gpu": replace(GPU, cuda="12.8")}, "built under CUDA 13.0, the driver here goes up to CUDA 12.8"),
    ],
)
def test_fatal(here, words):
    assert words in refusal(**here)


@pytest.mark.parametrize("change", [{"driver": "999.1"}, {"driver": "580.1"}, {"cuda": "14.0"}, {"memory_mib": 1}])
def test_not_fatal(change):
    assert refusal(gpu=replace(GPU, **change)) is None


def test_a_gpu_that_an_engine_for_elsewhere_was_not_made_for():
    assert refusal(ANYWHERE, gpu=replace(GPU, compute="sm_120"), library=RTX) == (
        "built for sm_80, sm_89, this GPU (NVIDIA GeForce RTX 4090) is sm_120"
    )


def test_as_text_and_back():
    assert PlanManifest.from_json(ANYWHERE.as_json(), ANYWHERE.stem) == ANYWHERE
    assert ANYWHERE.stem == "tiny.fp32.tensorrt_rtx.sm_80-sm_89"


def test_the_command():
    assert MADE.command == "mer-engine build tiny"
    assert facts(PLAN, precision="int8").command == "mer-engine build tiny --precision int8"
    assert ANYWHERE.command_elsewhere == "mer-engine build tiny --for sm_80,sm_89"
