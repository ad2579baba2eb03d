"""What a live page may watch: the browser's own camera, or any source of the server that mer-live takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from realtime.errors import SourceError, UsageError
from realtime.sources import Source, SourceSettings, is_stream, open_source
from realtime.sources.browser import Packets

LEAST_QUEUE, QUEUE_SECONDS = 15, 0.25  # frames that may wait for the pipeline: what waits is shown that much later
LONGEST_NUMBER, SHOWN = 3, 80  # digits of a camera; characters of what was typed that are said again
USUAL_FPS, MOST_FPS = 30.0, 240.0
DEMO = "demo"  # what a page names the clip that comes along
DEMO_CLIP = str(files("realtime").joinpath("assets/demo.mp4"))


def camera(wish: dict, settings: SourceSettings, tell: Callable[[str, dict], None]) -> Packets:
    """Fed with the chunks that the page sends. wish: codec, width, height, fps. Raises SourceError."""
    fps = min(float(wish.get("fps") or USUAL_FPS), MOST_FPS)
    queue = min(max(LEAST_QUEUE, round(QUEUE_SECONDS * fps)), settings.queue)
    return Packets(
        "browser camera",
        str(wish["codec"]),
        _side(wish["width"]),
        _side(wish["height"]),
        replace(settings, queue=queue),
        want_key=lambda: tell("key", {}),
        trouble=lambda line: tell("problem", {"text": line, "brief": True}),
    )


def _side(said) -> int:
    """Pixels."""
    side = int(said)
    if not 0 < side < 100_000:
        raise UsageError("the browser offers a picture of no size that there is: reload the page")
    return side


def of_server(spec: str, settings: SourceSettings) -> Callable[[], Source]:
    """Opens a camera's number, a file, an address, or the clip that comes along. Raises UsageError for an empty one, and for
    what is there but no file: reading a device or a pipe may never end."""
    spec = spec.strip()
    if not spec:
        raise UsageError("type a camera's number, a file or an address first")
    if spec == DEMO:
        spec = DEMO_CLIP
    if spec.isdecimal() and len(spec) > LONGEST_NUMBER:
        raise UsageError(f"there is no camera {spec[:SHOWN]}: type its number, such as 0")

    def opened() -> Source:
        try:
            path = None if spec.isdecimal() or is_stream(spec) else Path(spec)
            if path is not None and path.exists() and not path.is_file() and not path.is_dir():
                raise SourceError(f"{spec} is no file: type the path of a recording")
            return open_source(int(spec) if spec.isdecimal() else spec, as_live=True, settings=settings)
        except (OSError, ValueError, OverflowError) as error:
            raise SourceError(f"'{spec[:SHOWN]}' cannot be opened ({error}): type a camera's number, a file or an address") from error

    return opened
