"""The stream: camera or recording in, micro-expression events out.

    import realtime as mer

    for step in mer.watch(0):               # a camera, an address, a file
        for known in step.events:
            print(known.event.as_dict())
    events = mer.analyse("clip.mp4")        # a table (pandas)
    frames = mer.measure("clip.mp4")        # a row a frame: head pose, gaze, 52 blendshapes, the curve

The public names are loaded when they are first asked for: decoders' processes import this file, too, and need none of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from realtime.origin import own

if TYPE_CHECKING:
    from realtime.interface import analyse, measure, watch
    from realtime.pipeline import Pipeline, PipelineSettings, replay
    from realtime.records import Event, Frame
    from realtime.sources import open_source

__all__ = ["Event", "Frame", "Pipeline", "PipelineSettings", "analyse", "measure", "open_source", "replay", "watch"]
__version__ = "0.2.0"
_ROOMS = {
    "Event": "realtime.records",
    "Frame": "realtime.records",
    "Pipeline": "realtime.pipeline",
    "PipelineSettings": "realtime.pipeline",
    "analyse": "realtime.interface",
    "measure": "realtime.interface",
    "replay": "realtime.pipeline",
    "watch": "realtime.interface",
    "open_source": "realtime.sources",
}

# before anybody's own folder of that name can be taken for it, and before any library: it switches their telemetry off
own("engines")


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'realtime' has no attribute '{name}'")
    return getattr(import_module(_ROOMS[name]), name)
