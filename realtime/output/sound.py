"""A recording's sound for what we make of its pictures: in the annotated video, and alone for a player.

Somebody's file is decoded in a child process (`realtime.sources.decoder.sound`), as everywhere.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from engines import isolated
from realtime.output.line_file import cannot_write
from realtime.sources import SourceSettings

PATIENCE_S = 600.0  # hours of sound take seconds


def add_sound(video: Path, recording: Path, since: float = 0.0, read: SourceSettings | None = None) -> str:
    """Give `video`, whose frames stand at the recording's own times, counted from `since` seconds, the recording's sound.

    Args:
        read: how the recording was read. With a rate of the user's own its pictures have left the sound's clock: none is
            added.

    Returns:
        "" where that is done, or where there is no sound; otherwise why the video stays silent.

    Raises:
        OutputError: it cannot be written.
    """
    part = video.with_name(f".part-{os.getpid()}{video.suffix}")
    try:
        answer = _asked(recording, read, video=str(video.absolute()), out=str(part.absolute()), since=since)
        if answer.get("sound"):
            part.replace(video)
    except OSError as error:
        raise cannot_write(video, error) from error
    finally:
        part.unlink(missing_ok=True)
    return f"{video} has no sound: {answer['error']}" if "error" in answer else ""


def extract_sound(recording: Path, path: Path, read: SourceSettings | None = None) -> bool:
    """Write the sound alone to `path` (.m4a), by the recording's clock; False, and nothing is written, where there is none
    that can be had.

    Args:
        read: see `add_sound`.
    """
    answer = _asked(recording, read, video=None, out=str(path.absolute()), since=0.0)
    if not answer.get("sound"):
        path.unlink(missing_ok=True)
    return bool(answer.get("sound"))


def _asked(recording: Path, read: SourceSettings | None, **more) -> dict:
    read = read or SourceSettings()
    request = {"recording": str(recording.absolute()), "stream": read.stream, "fps": read.fps, **more}
    try:
        done = subprocess.run(
            isolated.command("realtime.sources.decoder.sound"),
            input=json.dumps(request).encode(),
            capture_output=True,
            timeout=PATIENCE_S,
            start_new_session=True,
            check=False,
        )
        return json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return {"error": f"it could not be read within {PATIENCE_S:g} s"}
    except ValueError:
        return {"error": "its decoder crashed: the sound is damaged"}
