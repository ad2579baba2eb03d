"""A GPU that the tests make of this machine: the kernels compiled for the host, behind a stand-in for pycuda."""

import pytest
from made_once import once
from shim import fake_cuda, host

from engines import device
from engines.flow import selfcheck


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    return host.Library(once(tmp_path_factory, "kernels", host.compiled) / "kernels.so")


@pytest.fixture
def start(monkeypatch, library):
    """`start(compute=…, shared=…)` → a fake GPU in the place of the real one, running the host build.

    checked: the kernels check themselves when they are loaded, as always outside of tests; it takes a second here.
    """
    made = []

    def start(checked=False, **kind):
        if not checked:
            monkeypatch.setattr(selfcheck, "check", lambda lane: "")
        made.append(fake_cuda.Gpu(library, **kind))
        fake_cuda.install(monkeypatch, made[-1])
        fake_cuda.fresh(monkeypatch)  # last: what an earlier test left behind may ask for the GPU at any time
        return made[-1]

    yield start
    for gpu in made:
        gpu.raises.clear()
        broken = device._broken
        device._close()
        assert gpu.faults == []
        assert broken or gpu.blocks == {}, "everything was freed while it could be"
