"""Sets up what `gpu-bundle` packed, on a machine without a network, and runs `mer-bench gpu`: with Python's own library alone.

python3 -P mer-gpu/project/train/bench/gpu/unpacked.py [--out FILE]
"""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
import sysconfig
import tarfile
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parents[4]  # mer-gpu
PROJECT, WHEELS, VENV = HERE / "project", HERE / "wheels", HERE / "venv"
PYTHON = VENV / "bin" / "python"
# pybind11's helper compiles files side by side: half a minute instead of five
BUILD = """
import os, runpy, sys
from pybind11.setup_helpers import ParallelCompile
ParallelCompile(default=os.cpu_count()).install()
sys.path.insert(0, os.getcwd())
sys.argv = ["setup.py", "-q", "bdist_wheel"]
runpy.run_path("setup.py", run_name="__main__")
"""


def main() -> int:
    print("setting up", flush=True)
    venv.create(VENV, system_site_packages=True, with_pip=False, clear=True)
    inside = Path(sysconfig.get_path("purelib", vars={"base": str(VENV), "platbase": str(VENV)}))
    # where this Python is itself of a virtual environment, its packages are not the system's
    (inside / "machine.pth").write_text("\n".join(places()) + "\n")
    offline = ["--no-index", "--find-links", str(WHEELS)]
    install(*offline, "setuptools>=77", "wheel", "pybind11")
    install(*offline, "--requirement", str(HERE / "requirements.txt"))
    install("--no-deps", "--no-build-isolation", "--no-index", "--editable", str(PROJECT))
    print(f"compiling pycuda: {pycuda() or 'done'}", flush=True)
    environment = {**os.environ, "MER_COMMIT": (HERE / "commit.txt").read_text().strip(), "MER_EXAMPLES": str(HERE / "examples.npz")}
    if libraries := nvidia():
        environment["LD_LIBRARY_PATH"] = os.pathsep.join([*libraries, *filter(None, [os.environ.get("LD_LIBRARY_PATH")])])
    return subprocess.run([str(PYTHON), "-P", "-m", "train.bench.cli", "gpu", *sys.argv[1:]], env=environment).returncode


def install(*words: str) -> None:
    """With this Python's pip, into the environment."""
    done = subprocess.run([sys.executable, "-m", "pip", "--python", str(PYTHON), "--disable-pip-version-check", "install", "-q", *words])
    if done.returncode:
        sys.exit("unpacked: pip cannot install the bundle (see above): was it packed for this Python?")


def pycuda() -> str:
    """Compile and install it.

    Returns:
        why that cannot be, in one line; empty where it is done.
    """
    root = toolkit()
    if root is None:
        return "no cuda.h of a CUDA toolkit (CUDA_HOME names its folder)"
    source = HERE / "pycuda"
    shutil.rmtree(source, ignore_errors=True)
    with tarfile.open(next(WHEELS.glob("pycuda-*.tar.gz"))) as tar:
        tar.extractall(source, filter="data")
    (folder,) = source.iterdir()
    links = source / "libraries"
    links.mkdir()
    for name in ("cuda", "cudart"):
        found = library(name, root)
        if found is None:
            return f"no lib{name}.so: is the driver's library there?"
        (links / f"lib{name}.so").symlink_to(found)
    settings = {"CUDA_ROOT": str(root), "CUDA_INC_DIR": [str(root / "include")], "CUDA_ENABLE_CURAND": False}
    settings |= {"CUDADRV_LIB_DIR": [str(links)], "CUDART_LIB_DIR": [str(links)]}
    (folder / "siteconf.py").write_text("".join(f"{name} = {value!r}\n" for name, value in settings.items()))
    done = subprocess.run([str(PYTHON), "-c", BUILD], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        (HERE / "pycuda.log").write_text(done.stdout + done.stderr)
        return f"it does not compile, see {HERE / 'pycuda.log'}"
    install("--no-deps", "--no-index", *map(str, (folder / "dist").glob("*.whl")))
    return ""


def toolkit() -> Path | None:
    """The folder of a CUDA toolkit, which has include/cuda.h."""
    nvcc = shutil.which("nvcc")
    candidates = [Path(named) for named in (os.environ.get("CUDA_HOME"),) if named]
    candidates += [Path(nvcc).resolve().parents[1]] if nvcc else []
    candidates += [Path("/usr/local/cuda"), *sorted(Path("/usr/local").glob("cuda-*"), reverse=True)]
    candidates += [Path(place) / "nvidia" / "cu13" for place in places()]
    return next((root for root in candidates if (root / "include/cuda.h").is_file()), None)


def library(name: str, root: Path) -> Path | None:
    """lib<name>.so, with whatever number: the machine's own, else the toolkit's."""
    said = subprocess.run([shutil.which("ldconfig") or "/sbin/ldconfig", "-p"], capture_output=True, text=True).stdout
    known = [line.split("=>")[1].strip() for line in said.splitlines() if line.strip().startswith(f"lib{name}.so") and "=>" in line]
    folders = [root / "lib64", root / "lib", root / "targets/x86_64-linux/lib", root / "lib64/stubs", Path("/usr/lib/x86_64-linux-gnu")]
    folders += [Path("/usr/lib64"), Path("/usr/local/nvidia/lib64"), Path("/usr/lib/wsl/lib"), *map(Path, nvidia())]
    near = [found for where in folders for found in sorted(where.glob(f"lib{name}.so*"))]
    return next(iter([*map(Path, known), *near]), None)


def nvidia() -> list[str]:
    """Folders of NVIDIA's libraries that came as packages, with torch: ONNX Runtime wants cuBLAS and cuDNN."""
    return [str(folder) for place in places() for folder in sorted(Path(place).glob("nvidia/*/lib"))]


def places() -> list[str]:
    """Where this Python's packages lie."""
    own = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()}
    return sorted(own | ({site.getusersitepackages()} if site.ENABLE_USER_SITE else set()))


if __name__ == "__main__":
    sys.exit(main())
