"""The clip that comes along, and how it is called."""

from importlib.resources import files

from realtime.sources.base import SourceInfo

DEMO_CLIP = str(files("realtime").joinpath("assets/demo.mp4"))


def called(info: SourceInfo) -> str:
    """A source's name for people and for its events: nobody has typed where the demo clip lies."""
    return "demo.mp4" if info.name == DEMO_CLIP else info.name
