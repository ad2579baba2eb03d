"""`mer-train explain EVENT`: the picture that says why an event was named so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console

from realtime import settings
from realtime.errors import SourceError, UsageError
from realtime.naming.inputs import INPUTS
from realtime.naming.recognizer import moments_of
from realtime.networks import network
from realtime.output.log import Log
from realtime.pipeline import Pipeline
from realtime.records import Event, Keyframes
from realtime.sources import open_source
from realtime.watch import LiveSettings
from train.explain.figure import draw
from train.explain.heat import has, place, torch_network
from train.methods import method

PICTURES = (".png", ".pdf", ".svg", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")
SAME = 0.01  # seconds between two onsets of one event


@dataclass
class ExplainSettings:
    """What `mer-train explain` takes after the event.

    Attributes:
        event: which one of a recording, from 1.
        network: one of the zoo or an .onnx file.
        out: the PNG.
    """

    event: int = 1
    network: str = "kernel_ridge"
    out: str = "explained.png"


def explain(what: str, words: list[str], console: Console) -> Path:
    """Draw the picture that says why an event was named so.

    Args:
        what: a recording, or SESSION/EVENT of the log.

    Raises:
        MerError: a person can put it right.
    """
    try:
        typed = OmegaConf.structured(ExplainSettings)
        settings.assign(typed, dict(word.split("=", 1) for word in words))
        chosen: ExplainSettings = OmegaConf.to_object(typed)
    except (OmegaConfBaseException, ValueError) as error:
        raise UsageError(f"cannot use {' '.join(words)}: explain takes event=N, network=NAME|FILE and out=FILE.png") from error
    shipped = network(chosen.network)
    live = OmegaConf.to_object(settings.load("live", (), LiveSettings, {"network": chosen.network}))
    with console.status(f"replaying {what}"):
        event, keyframes = find(what, chosen.event, live)
    moments = moments_of(keyframes)
    inputs = INPUTS[shipped.manifest["takes"]](moments)
    made = torch_network(shipped, inputs)
    file = Path(chosen.out)
    file = file if file.suffix.lower() in PICTURES else file.with_name(f"{file.name}.png")  # as Matplotlib would, unsaid
    own = method(shipped.manifest["architecture"])
    within = "network." if "calibration" in shipped.manifest else ""  # of train.export.network.Calibrated
    layers = {title: (place(layer, within), picture) for title, (layer, picture) in own.LAYERS.items()}
    layers = {title: place for title, place in layers.items() if has(made, place[0])}
    attention = {title: (within + name, gates) for title, (name, gates) in own.ATTENTION.items() if has(made, within + name)}
    draw(event, moments, made, inputs, layers, attention, file)
    console.print(f"{event.label} {event.score:.2f} at {event.apex_s:.2f} s: wrote {file}", soft_wrap=True)
    return file


def find(what: str, number: int, live: LiveSettings) -> tuple[Event, Keyframes]:
    """The event `number` (from 1) of the recording `what`; or, where `what` is SESSION/EVENT, that event of the log.

    Raises:
        UsageError: there is no such event.
        SourceError: the recording is not there any more.
    """
    logged = _logged(*map(int, what.split("/"))) if re.fullmatch(r"\d+/\d+", what) else None
    clip = logged["clip"] if logged else what
    if not Path(clip).is_file():
        raise SourceError(f"no recording at {clip}: an event can be explained while the recording it came from is there")
    pipeline = Pipeline(Path(clip).name, live, wait=True)
    with open_source(clip) as source:
        found = [(known.event, known.keyframes) for known in pipeline.follow(source)]
    if logged:
        same = [pair for pair in found if abs(pair[0].onset_s - logged["onset_s"]) < SAME]
        if not same:
            raise UsageError(f"{clip} shows no event at {logged['onset_s']:.3f} s any more: it was found with other settings")
        return same[0]
    if not 1 <= number <= len(found):
        raise UsageError(f"{clip} has {len(found)} events, got event={number}: give the number of one of them")
    return found[number - 1]


def _logged(session: int, number: int) -> dict:
    log = Log()
    found = log.session(session)
    event = next((row for row in log.events(session) if row["event"] == number), None)
    if event is None:
        raise UsageError(f"session {session} has no event {number}: mer-log show {session} lists them")
    clips = [clip for clip in found["sources"] if event["source"] in (clip, Path(clip).name, Path(clip).stem)]
    return event | {"clip": clips[0] if clips else event["source"]}
