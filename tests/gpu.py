"""`@needs_cuda`: the test runs on an NVIDIA GPU only; `@needs_tensorrt`, `@needs_provider`: with that on it."""

import functools
import os

import pytest

from engines import device, onnx_cuda
from engines.onnx import CUDA
from engines.tensorrt import library


def needs_cuda(test):
    """Where there is no GPU the test is skipped, saying why; with MER_REQUIRE_GPU=1 it fails instead."""
    test = pytest.mark.needs_cuda(test)
    if device.find() is not None:
        return test
    reason = f"needs an NVIDIA GPU: {device.why_not()}"
    if os.environ.get("MER_REQUIRE_GPU", "0") in ("", "0"):
        return pytest.mark.skip(reason=reason)(test)

    @functools.wraps(test)  # keeps the parameters, for pytest's fixtures
    def failing(*args, **kwargs):
        pytest.fail(reason, pytrace=False)

    return failing


def needs_tensorrt(test):
    """A GPU that is required is no TensorRT, which cannot be had everywhere: skipped where it is not installed."""
    return needs_cuda(test if library.find() else pytest.mark.skip(reason=library.why_not())(test))


def needs_provider(test):
    """ONNX Runtime's CUDA provider; skipped where onnxruntime came without it."""
    import onnxruntime

    there = CUDA in onnxruntime.get_available_providers()
    return needs_cuda(test if there else pytest.mark.skip(reason=f"this ONNX Runtime has no {CUDA}: {onnx_cuda.INSTALL}")(test))
