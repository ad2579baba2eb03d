"""What a person may choose on the live page: the settings, also while the stream runs, and what is watched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from realtime.errors import SourceError, UsageError
from realtime.sources import Source, SourceSettings, is_stream, open_source
from realtime.sources.browser import Packets
from realtime.sources.demo import DEMO_CLIP
from realtime.watching import LiveSettings

RANGES = {"threshold": (2.0, 30.0), "longest": (0.1, 1.0), "certainty": (0.0, 0.99)}
SURER, FAINTER = 1.3, 0.7  # times the usual threshold


@dataclass(frozen=True)
class Choice:
    """What can be changed while it runs.

    Attributes:
        threshold: of the curve, in deviations above rest.
        longest: seconds of a micro-expression.
        certainty: the verifier's probability from which a movement is reported, in [0, 1].
        measures: head pose, gaze and blendshapes of every frame.
    """

    model: str
    engine: str
    threshold: float
    longest: float
    certainty: float
    measures: bool = False

    @classmethod
    def of(cls, settings: LiveSettings) -> Choice:
        spotter = settings.spotter
        return cls(settings.network, settings.engine, spotter.sensitivity, spotter.max_duration, spotter.confidence, settings.faces.measures)

    def changed(self, wanted: dict) -> Choice:
        """With what a page sent.

        Raises:
            UsageError: for what is no number, or beyond RANGES.
        """
        try:
            numbers = {name: float(wanted.get(name, getattr(self, name))) for name in ("threshold", "longest", "certainty")}
        except (TypeError, ValueError):
            raise UsageError("the settings of the spotter must be numbers") from None
        for name, (least, most) in RANGES.items():
            if not least <= numbers[name] <= most:
                raise UsageError(f"{name} is {numbers[name]:g}: expected {least:g} to {most:g}")
        measures = wanted.get("measures", self.measures) is True
        return Choice(str(wanted.get("model", self.model)), str(wanted.get("engine", self.engine)), **numbers, measures=measures)

    def applied(self, settings: LiveSettings) -> LiveSettings:
        spotter = replace(settings.spotter, sensitivity=self.threshold, max_duration=self.longest, confidence=self.certainty)
        return replace(settings, network=self.model, engine=self.engine, spotter=spotter, faces=replace(settings.faces, measures=self.measures))


def levels(usual: Choice) -> dict[str, tuple[float, float]]:
    """How much is reported, in words → (threshold, certainty); in the middle what the settings say."""
    least, most = RANGES["threshold"]
    return {
        "only what is clear": (round(min(SURER * usual.threshold, most), 1), round((1 + usual.certainty) / 2, 2)),
        "usual": (usual.threshold, usual.certainty),
        "faint movements, too": (round(max(FAINTER * usual.threshold, least), 1), round(0.6 * usual.certainty, 2)),
    }


LEAST_QUEUE, QUEUE_SECONDS = 15, 0.25  # frames that may wait for the pipeline: what waits is shown that much later
LONGEST_NUMBER, SHOWN = 3, 80  # digits of a camera; characters of what was typed that are said again
USUAL_FPS, MOST_FPS = 30.0, 240.0
BROWSER = "browser camera"  # as a source is named
DEMO = "demo"  # what a page names the clip that comes along


def camera(wish: dict, settings: SourceSettings, tell: Callable[[str, dict], None]) -> Packets:
    """Fed with the chunks that the page sends.

    Args:
        wish: what the page said: codec, width and height in pixels, fps.
        tell: (kind, content) → to the page.

    Raises:
        SourceError: for a codec or a size that there is not.
    """
    fps = min(float(wish.get("fps") or USUAL_FPS), MOST_FPS)
    queue = min(max(LEAST_QUEUE, round(QUEUE_SECONDS * fps)), settings.queue)
    return Packets(
        BROWSER,
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
    """Opens a camera's number, a file, an address, or the clip that comes along.

    Raises:
        UsageError: for an empty one. What is there but no file is a SourceError of the opening: reading a device or a pipe may never end.
    """
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
