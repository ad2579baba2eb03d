"""The GPU kernels as machine code: what is committed fits its sources, nvcc builds them, and sanitizers find nothing."""

import hashlib
import json
import re
import shutil
import subprocess

import pytest
from shim import host

from engines.errors import EngineError
from engines.flow import fatbin


@pytest.mark.parametrize("sanitizer", ["thread", "address,undefined"])
def test_no_kernel_races_or_leaves_its_memory(tmp_path, sanitizer):
    """Threads that touch the same memory have a barrier between; nobody reads or writes outside of what is theirs."""
    try:
        options = ("-fsanitize=" + sanitizer, "-fno-sanitize-recover=all")
        program = host.build(tmp_path / "once", "-O1", "-g1", "-DONCE", *options)
    except AssertionError as error:
        if not any(name in str(error) for name in ("tsan", "asan")):
            raise
        pytest.skip(f"needs g++'s sanitizer for: {sanitizer}")
    options = {"TSAN_OPTIONS": "halt_on_error=1 exitcode=66", "ASAN_OPTIONS": "detect_leaks=0"}
    done = subprocess.run([program], capture_output=True, text=True, env=options)
    if "unexpected memory mapping" in done.stderr:
        pytest.skip("the thread sanitizer does not run under this kernel")
    assert done.returncode == 0 and done.stdout == "done 1\n", done.stderr[:3000]


def test_the_committed_kernels_are_built_from_these_sources():
    manifest = json.loads(fatbin.MANIFEST.read_text())
    assert manifest["sources_sha256"] == fatbin.sources_sha256(), "run python -P -m engines.flow.fatbin, commit both files"
    assert manifest["fatbin_sha256"] == hashlib.sha256(fatbin.load()).hexdigest()
    assert tuple(manifest["architectures"]) == fatbin.ARCHITECTURES and manifest["ptx"] == fatbin.PTX
    assert fatbin.FATBIN.stat().st_size < 1 << 20


def test_nvcc_builds_them_for_every_architecture_without_spills(tmp_path):
    if shutil.which("nvcc") is None:
        pytest.skip("needs nvcc, to build the GPU kernels")
    report = fatbin.build(tmp_path / "made.fatbin")
    assert "warning" not in report
    kernel = r"entry function '(\w+)' for '(\w+)'.*?(\d+) bytes spill stores, (\d+) bytes spill loads.*?Used (\d+) reg"
    found = re.findall(kernel, report, re.S)
    kernels = {(name, architecture) for name, architecture, *_ in found}
    for architecture in fatbin.ARCHITECTURES:
        assert {("tvl1_alone", architecture), ("grey_faces", architecture), ("face_maps", architecture)} <= kernels
        assert (("tvl1_near", architecture) in kernels) == (int(architecture[3:]) >= 90)
    for name, architecture, stores, loads, registers in found:
        assert (stores, loads) == ("0", "0"), f"{name} for {architecture} spills registers"
        assert int(registers) * (1024 if name.startswith("tvl1") else 512) <= 65536
    assert not re.search(r"[1-9]\d* bytes smem", report), "all shared memory is given at launch"
    if fatbin.version() == json.loads(fatbin.MANIFEST.read_text())["nvcc"]:
        assert (tmp_path / "made.fatbin").read_bytes() == fatbin.load()


def test_without_nvcc_building_says_what_is_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match="nvcc is not on the PATH"):
        fatbin.build(tmp_path / "made.fatbin")
