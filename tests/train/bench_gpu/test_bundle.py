"""The bundle for a machine without a network: what goes into it, and how it is set up there, as far as no GPU is needed."""

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from places import ROOT

from realtime.naming import examples
from train.bench import cli as bench
from train.bench.gpu import bundle, unpacked


@pytest.fixture
def packed(monkeypatch, tmp_path):
    """Parts of 3 MB, with a few files of the project, and pip's part of the work left out."""
    asked = []

    def wheels(folder, wanted, python, has):
        folder.mkdir()
        (folder / "made-1-py3-none-any.whl").write_bytes(bytes(range(256)) * 30_000)
        asked.append((wanted, python, has))

    monkeypatch.setattr(bundle, "wheels", wheels)
    monkeypatch.setattr(bundle, "tracked", lambda: ["pyproject.toml", "train/bench/gpu/unpacked.py"])
    monkeypatch.setattr(bundle.Parts.__init__, "__defaults__", (3_000_000,))
    monkeypatch.setattr(examples, "save", lambda file: Path(file).write_bytes(b"movements"))
    done = CliRunner().invoke(bench.main, ["gpu-bundle", "--out", str(tmp_path / "parts"), "--has", "torch,NumPy"])
    assert done.exit_code == 0, done.output
    return tmp_path / "parts", asked[0], done.output


def test_parts_that_can_be_carried_and_two_lines_that_unpack_them(packed, tmp_path):
    folder, (wanted, python, has), said = packed
    parts = sorted(folder.glob("mer-gpu.tar.*"))
    sizes = [part.stat().st_size for part in parts]
    assert len(parts) == 3 and set(sizes[:-1]) == {3_000_000} and 0 < sizes[-1] <= 3_000_000
    unpack, run = bundle.UNPACK.splitlines()
    assert unpack in said and run in said and run in (folder / "README.md").read_text("utf-8")
    subprocess.run(["sh", "-c", unpack], cwd=folder, check=True)
    assert {file.name for file in (folder / "mer-gpu").iterdir()} == {
        "README.md",
        "commit.txt",
        "requirements.txt",
        "examples.npz",
        "wheels",
        "project",
    }
    assert (folder / "mer-gpu/wheels/made-1-py3-none-any.whl").stat().st_size == 256 * 30_000
    assert (folder / run.split()[-1]).read_bytes() == (ROOT / "train/bench/gpu/unpacked.py").read_bytes()
    assert (python, has) == ("3.12", {"torch", "numpy"})


def test_what_the_machine_has_stays_at_home():
    names = {bundle.Requirement(one).name for one in bundle.requirements({"torch", "onnx"}, [])}
    assert {"click", "hydra-core", "platformdirs", "onnxruntime", "pytest"} <= names
    assert not names & {"torch", "onnx", "mediapipe", "av", "playwright"}
    names = {bundle.Requirement(one).name for one in bundle.requirements(set(), ["onnxruntime-gpu>=1.27"])}
    assert "onnxruntime-gpu" in names and "onnxruntime" not in names  # they unpack into the same folder


def test_the_bundle_holds_the_working_tree_and_nothing_that_is_ignored():
    names = bundle.tracked()
    assert {"pyproject.toml", "train/bench/gpu/unpacked.py", "tests/gpu.py", "engines/zoo/moext.onnx"} <= set(names)
    assert not [name for name in names if name.startswith((".venv", "build/"))]


def test_a_package_that_pip_does_not_find_is_one_line(monkeypatch):
    with pytest.raises(bundle.MissingPartError, match="^the bundle cannot be packed, pip says: No matching") as error:
        bundle._call([sys.executable, "-c", "import sys; sys.exit('ERROR: of what\\nERROR: No matching distribution\\nnote: x')"])
    assert "\n" not in str(error.value)


def test_it_is_set_up_with_python_alone():
    """Isolated, without site-packages: nothing but Python's own library may be imported there."""
    code = f"import runpy; runpy.run_path({str(ROOT / 'train/bench/gpu/unpacked.py')!r}, run_name='there')"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)


def test_pycuda_is_compiled_where_there_is_a_toolkit_and_a_driver(monkeypatch, tmp_path):
    """With a pycuda whose setup.py writes down what it was given."""
    made = tmp_path / "pycuda-1"
    made.mkdir()
    (made / "setup.py").write_text("import os; os.mkdir('dist'); open('dist/' + os.path.basename(os.getcwd()) + '.whl', 'w')")
    (tmp_path / "wheels").mkdir()
    with tarfile.open(tmp_path / "wheels/pycuda-1.tar.gz", "w:gz") as tar:
        tar.add(made, "pycuda-1")
    root, installed = tmp_path / "cuda", []
    monkeypatch.setattr(unpacked, "HERE", tmp_path)
    monkeypatch.setattr(unpacked, "WHEELS", tmp_path / "wheels")
    monkeypatch.setattr(unpacked, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(unpacked, "BUILD", "import runpy; runpy.run_path('setup.py')")
    monkeypatch.setattr(unpacked, "install", lambda *words: installed.append(words[-1]))
    monkeypatch.setattr(unpacked, "toolkit", lambda: None)
    assert "CUDA toolkit" in unpacked.pycuda()
    monkeypatch.setattr(unpacked, "toolkit", lambda: root)
    for name in ("include/cuda.h", "lib64/stubs/libcuda.so.1", "lib64/libcudart.so.13"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    assert unpacked.pycuda() == "" and installed == [str(tmp_path / "pycuda/pycuda-1/dist/pycuda-1.whl")]
    assert "CUDA_ENABLE_CURAND = False" in (tmp_path / "pycuda/pycuda-1/siteconf.py").read_text()
    assert (tmp_path / "pycuda/libraries/libcudart.so").resolve().name == "libcudart.so.13"
    monkeypatch.setattr(unpacked, "BUILD", "raise SystemExit('no compiler')")
    assert "does not compile" in unpacked.pycuda() and "no compiler" in (tmp_path / "pycuda.log").read_text()
