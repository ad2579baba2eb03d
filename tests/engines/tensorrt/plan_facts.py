"""A GPU and a TensorRT that are only named, and a sound manifest of theirs."""

import hashlib

from engines.device import Device
from engines.tensorrt.library import Library
from engines.tensorrt.manifest import PlanManifest

GPU = Device("NVIDIA GeForce RTX 4090", "sm_89", "580.65.06", "13.0", 24564)
TENSORRT = Library("tensorrt", "11.4.0.1", None)


def facts(plan: bytes, **other) -> PlanManifest:
    """A sound manifest for `plan`, as TensorRT 11.4 on GPU would have made it."""
    known = {
        "network": "tiny",
        "onnx_sha256": "a" * 64,
        "plan_sha256": hashlib.sha256(plan).hexdigest(),
        "library": "tensorrt",
        "version": "11.4.0.1",
        "cuda": "13.0",
        "driver": "580.65.06",
        "gpu": GPU.name,
        "targets": ["sm_89"],
        "precision": "fp32",
        "profiles": [1, 8, 64],
        "kept_fp32": [],
        "tool_version": "0.1.0",
        "made": "2026-11-22T12:00:00Z",
    }
    return PlanManifest(**(known | other))
