"""`@needs_cuda`: the test runs on an NVIDIA GPU only."""

import functools
import os

import pytest

from engines import device


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
