"""`mer-bench spotting data=…`: the live loop on long recordings, measured by the micro-expression grand challenges' protocol.

A detection is true where it and an annotated expression of its kind share half of the frames of both together. Micro-
and macro-expressions are counted apart, then together, over all recordings. Spot-then-recognise (STRS): F1 of spotting
micro-expressions × unweighted F1 of the emotions named of those that were found. What was found is written as a submission
to the challenges, too; for their test set (data=megc), whose annotations nobody has, that is all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np

import realtime
from engines.zoo import ZOO, known
from realtime.errors import MerError, UsageError
from realtime.naming.recognizer import Recognizer
from realtime.parallel import each
from realtime.pipeline import Pipeline, PipelineSettings
from realtime.records import Event, Frame
from train.bench.spotting.score import Clip, Interval, Outcome, bootstrap, match, total, true_of_ten
from train.data.grouping import classes, grouping
from train.data.loaders.long_sets import LONG
from train.data.long_recordings import KINDS, LongRecording, LongSet
from train.measure.metrics import confusion

SHORT = {"micro": "me", "macro": "mae"}  # what they are called there
EMOTIONS = "casme3_4"  # negative, positive, surprise, others: the challenges' classes


@dataclass(frozen=True)
class Watched:
    """What the live loop said of one recording. events: rows of kind, onset, apex, offset (seconds), label, confidence.

    seconds: from the first frame to the last. fps: of the frames that came. failed: why it could not be watched, or "".
    """

    name: str
    seconds: float
    fps: float
    events: list[dict]
    failed: str = ""


@dataclass(frozen=True)
class Prediction:
    """A line of a submission: frames by their numbers. What the last column is called is a guess."""

    vid: str
    pred_onset: int
    pred_offset: int
    type: str
    emotion: str


def load(name: str, root: str) -> LongSet:
    """Raises UsageError for a set without long recordings, and as the loaders do."""
    if name not in LONG:
        raise UsageError(f"data={name} has no long recordings to spot in: expected one of {', '.join(LONG)} (CAS(ME)² is cas_me2)")
    if not root:
        raise UsageError(f"where is {name}? Give data.root=DIR, the folder that holds it as it was published")
    return LONG[name](Path(root).expanduser().resolve())


def watch_all(
    recordings: list[LongRecording], settings: PipelineSettings, kept: Path, jobs: int, done: Callable[[], None] = lambda: None
) -> list[Watched]:
    """Every recording through the live loop, in the order of `recordings`, in `jobs` processes.

    kept: a file of lines that grows as they are done: one that was watched by the same means is not watched again.
    """
    means = by_what_means(settings)
    before = _read(kept, means)
    with open(kept, "a", encoding="utf-8") as file:
        tasks = [one for one in recordings if one.name not in before]
        for _ in before:
            done()
        for _, watched in each(_task, settings, tasks, workers=jobs):
            before[watched.name] = watched
            if not watched.failed:
                file.write(json.dumps({"means": means, **asdict(watched)}) + "\n")
                file.flush()
            done()
    return [before[one.name] for one in recordings]


def watch(recording: LongRecording, settings: PipelineSettings) -> Watched:
    """Raises MerError where it cannot be read or holds nothing."""
    times: list[float] = []

    def timed() -> Iterator[Frame]:
        for frame in recording:
            times.append(frame.pts)
            yield frame

    events = said_of(recording.name, timed(), settings)
    if len(times) < 2:
        raise MerError("no frame could be read")
    said = [
        {"kind": e.kind, "onset": e.onset_s, "apex": e.apex_s, "offset": e.offset_s, "label": e.label, "confidence": e.confidence} for e in events
    ]
    return Watched(recording.name, times[-1] - times[0], 1 / float(np.median(np.diff(times))), said)


def said_of(name: str, frames: Iterable[Frame], settings: PipelineSettings) -> list[Event]:
    """What the live loop says of a stream of frames, with a network that all streams of this process share. Raises MerError."""
    pipeline = Pipeline(name, settings, wait=True, recognizer=_recognizer(settings.network, settings.engine))
    return [known.event for known in pipeline.follow(frames)]


def by_what_means(settings: PipelineSettings) -> str:
    """A word that changes with the settings, the networks and whatever the stream does."""
    digest = hashlib.sha256(json.dumps(asdict(settings), default=str).encode())
    for file in sorted(Path(realtime.__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    for network in filter(None, (settings.spotter.verifier, settings.network)):
        file = ZOO / f"{network}.onnx" if network in known() else Path(network)
        digest.update(file.read_bytes() if file.is_file() else b"")
    return digest.hexdigest()[:12]


def predictions(recordings: list[LongRecording], watched: list[Watched]) -> dict[str, list[Prediction]]:
    """What was found, as the challenges take it: {name of the table: its lines}."""
    rows: dict[str, list[Prediction]] = {one.table: [] for one in recordings}
    for one, said in zip(recordings, watched, strict=True):
        first = one.span[0]
        for event in said.events:
            onset, offset = (first + round(event[moment] * said.fps) for moment in ("onset", "offset"))
            rows[one.table].append(Prediction(one.name, onset, offset, SHORT[event["kind"]], event["label"]))
    return rows


def results(recordings: list[LongRecording], watched: list[Watched], rate: float) -> dict:
    """By kind and overall: counts, precision, recall, F1; and STRS. Recordings that failed are left out."""
    pairs = [(one, said) for one, said in zip(recordings, watched, strict=True) if not said.failed]
    clips = {kind: [_clip(one, said, kind) for one, said in pairs] for kind in KINDS}
    rows = {kind: _figures(total(those), those) for kind, those in clips.items()}
    both = [clip for those in clips.values() for clip in those]
    rows["overall"] = _figures(total(both), both)
    named = _named(pairs, clips["micro"])
    micro, minutes = rows["micro"], sum(said.seconds for _, said in pairs) / 60
    return {
        "recordings": len(pairs),
        "minutes": minutes,
        "kinds": rows,
        "named": named,
        "strs": micro["f1"] * named["uf1"],
        "rate": rate,
        "true_of_ten": true_of_ten(micro["recall"], micro["false"], minutes, rate),
    }


def _clip(recording: LongRecording, said: Watched, kind: str) -> Clip:
    """An expression lasts to the end of its last frame: the protocol counts frames."""
    frame = 1 / said.fps
    truth = tuple(Interval(e.onset, e.apex, e.offset + frame) for e in recording.expressions if e.kind == kind)
    found = tuple(Interval(e["onset"], e["apex"], e["offset"] + frame, e["confidence"]) for e in said.events if e["kind"] == kind)
    return Clip(recording.name, recording.subject, said.fps, said.seconds, "", truth, found)


def _figures(outcome: Outcome, clips: list[Clip]) -> dict:
    return {
        "annotated": outcome.true + outcome.missed,
        "true": outcome.true,
        "false": outcome.false,
        "precision": outcome.precision,
        "recall": outcome.recall,
        "f1": outcome.f1,
        "f1_95": bootstrap(clips)["f1"] if clips else (float("nan"),) * 2,
    }


def _named(pairs: list[tuple[LongRecording, Watched]], clips: list[Clip]) -> dict:
    """The emotions named of the micro-expressions found. A label that is no class of the challenges ("unsure") is wrong for all."""
    names, to_class = classes(EMOTIONS), grouping(EMOTIONS, "")
    truth, said = [], []
    for (recording, watched), clip in zip(pairs, clips, strict=True):
        annotated = [e for e in recording.expressions if e.kind == "micro"]
        found = [e for e in watched.events if e["kind"] == "micro"]
        for i, j in match(clip.truth, clip.detected).items():
            if (group := to_class.get(annotated[j].label)) is not None:
                truth.append(names.index(group))
                said.append(names.index(found[i]["label"]) if found[i]["label"] in names else len(names))
    matrix = confusion(np.array(truth, int), np.array(said, int), len(names) + 1)
    occur = (matrix.sum(0) + matrix.sum(1))[: len(names)]
    f1 = 2 * np.diagonal(matrix)[: len(names)] / np.maximum(occur, 1)
    return {"number": len(truth), "right": int(np.trace(matrix)), "uf1": float(f1[occur > 0].mean()) if occur.any() else float("nan")}


def _task(settings: PipelineSettings, recording: LongRecording) -> Watched:
    try:
        return watch(recording, settings)
    except MerError as error:
        return Watched(recording.name, 0.0, 0.0, [], str(error))


@cache
def _recognizer(network: str, engine: str) -> Recognizer:
    return Recognizer(network, engine)


def _read(kept: Path, means: str) -> dict[str, Watched]:
    try:
        lines = [json.loads(line) for line in kept.read_text("utf-8").splitlines() if line.endswith("}")]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(f"{kept} is damaged ({error}): remove it, or give another --out") from error
    return {line["name"]: Watched(**line) for line in lines if line.pop("means", "") == means}
