"""`mer-bench live` comes with the stream: what its other commands need beyond that is asked for when they are called."""

import subprocess
import sys

import pytest

EXTRAS = ("torch", "scipy", "sklearn", "onnx", "safetensors", "tensorboard", "websockets", "fastapi", "uvicorn", "gradio", "plotly", "httpx", "ray")
PLAIN = f"""
import sys
for name in {EXTRAS}:
    sys.modules[name] = None
from train.bench.cli import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    "words, code, said",
    [
        (["--help"], 0, "live"),
        (["soak"], 7, "pip install 'mer-live[demo,train]'"),
        (["page"], 7, "pip install 'mer-live[demo]'"),
        (["archive"], 7, "pip install 'mer-live[cluster]'"),
    ],
)
def test_it_starts_without_what_is_installed_when_asked(words, code, said):
    done = subprocess.run([sys.executable, "-c", PLAIN, *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == code and said in done.stdout + done.stderr, done.stderr
