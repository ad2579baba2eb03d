"""Whether a session of the log still runs: by its process where that can be asked, else by its last sign of life."""

from __future__ import annotations

import os
import platform
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

BEAT_S = 10.0  # between two signs of life
SILENT_S = 60.0  # without one: whoever should have given it is gone; several beats, since a disk may be slow
_TOKEN = uuid.uuid4().hex[:8]  # a container's next process may have the same number as its last


def myself() -> str:
    """This process: "machine:number:token". The machine is a digest, since logs are passed on, and another one after each
    start, since numbers are given anew then."""
    boot = ""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
    return f"{blake2b((platform.node() + boot).encode(), digest_size=4).hexdigest()}:{os.getpid()}:{_TOKEN}"


def runs(process: str | None, alive_at: str | None) -> bool:
    """process: as `myself` said it. alive_at: its last sign of life, ISO 8601. Both None in logs of older versions."""
    if process is None or alive_at is None:
        return False
    silent = (datetime.now(UTC) - datetime.fromisoformat(alive_at)).total_seconds()
    here, there = myself().split(":"), process.split(":")
    if there == here:
        return True
    if silent > SILENT_S or there[:2] == here[:2]:
        return False
    return there[0] != here[0] or _exists(int(there[1]))


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # somebody else's
        return True
    return True
