"""`mer-train prepare`: a data set → a prepared set (`train.data.cache`), every face found, followed and aligned once.

The live loop's own code does it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import cv2
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from realtime.errors import SourceError, UsageError
from realtime.face import alignment, geometry
from realtime.face.tracker import ANCHOR_ERROR, FaceSettings
from realtime.parallel import each
from train.data import cache as store
from train.data import cut
from train.data.annotations import Clip, LeftOut
from train.data.loaders import LOADERS
from train.settings import TrainSettings

Task = list[tuple[Clip, Path]]  # (clip, its file) of one recording, or of one clip of pictures


def from_settings(settings: TrainSettings, console: Console) -> Path:
    """Prepare the set that `settings.data` names (name, root, cache) with `settings.workers` processes; returns the cache.

    Raises:
        MerError: a person can put it right; what is prepared by then stays, and the same command goes on.
    """
    data = settings.data
    if data.name not in LOADERS:
        raise UsageError(f"data={data.name} is not prepared: expected one of {', '.join(LOADERS)}")
    if not data.root:
        raise UsageError(f"where is {data.name}? Give data.root=DIR, the folder that holds it as it was published")
    caches = [data.cache] if isinstance(data.cache, str) else list(data.cache)
    if len(caches) > 1:
        raise UsageError(f"one data set is prepared into one folder, got data.cache={','.join(caches)}")
    cache = Path(caches[0] if caches and caches[0] else f"prepared/{data.name}")
    root = Path(data.root).expanduser().resolve()
    clips = LOADERS[data.name](root)
    try:
        rows, left = prepare(data.name, root, clips, cache, settings.workers, console)
    except KeyboardInterrupt:
        done = len(list((cache / "clips").glob("*.npz")))
        console.print(f"{done} clips are prepared and stay; the same command goes on from there")
        raise
    report(rows, left, cache, console)
    return cache


def prepare(
    dataset: str,
    root: Path,
    clips: list[Clip | LeftOut],
    cache: Path,
    workers: int,
    console: Console,
    settings: FaceSettings | None = None,
) -> tuple[list[store.Row], list[LeftOut]]:
    """Cut out every clip that is not yet in `cache`; returns the rows of all that are there, and what was left out.

    A clip that is done is never done again; one that was left out is tried again.

    Args:
        dataset: the name of the set that the clips come from.
        root: its folder.

    Raises:
        UsageError: `cache` was made from or with something else.
        SourceError: no clip is usable.
    """
    settings, root = settings or FaceSettings(), root.resolve()
    left = [clip for clip in clips if isinstance(clip, LeftOut)]
    wanted: dict[str, Clip] = {}
    for clip in clips:
        if isinstance(clip, Clip):
            known = wanted.setdefault(store.file_of(clip, root), clip)
            if known is not clip:
                left.append(LeftOut(clip.name, clip.row, f"the same clip twice (also in {known.row})"))
    means = made(dataset, root, settings), {"opencv": cv2.__version__, "mediapipe": version("mediapipe")}
    older = store.claim(cache, *means)
    if older:
        console.print(f"{cache} was prepared by an older version: its clips are cut out again", soft_wrap=True)
    missing = {file: clip for file, clip in wanted.items() if not (cache / "clips" / file).exists()}
    if len(missing) < len(wanted):
        console.print(f"{len(wanted) - len(missing)} of {len(wanted)} clips are there already")
    left += _cut_all(missing, cache / "clips", workers, console, settings)
    rows = [
        store.Row(c.dataset, c.subject, c.name, c.kind, c.label, c.action_units, file, c.row, "yes" if c.still else "")
        for file, c in wanted.items()
        if (cache / "clips" / file).exists()
    ]
    store.write_tables(cache, rows, left)
    if not rows:
        raise SourceError(f"none of the {len(clips)} clips of {root} could be prepared: {cache / 'left_out.csv'} says why")
    store.write_sheet(cache, rows)
    if older:
        store.renew(cache, *means, rows)
    return rows, left


def made(dataset: str, root: Path, settings: FaceSettings) -> dict:
    """What a clip's views depend on, apart from the clip itself."""
    model = files("realtime").joinpath("assets/face_landmarker.task").read_bytes()
    constants = [alignment.REFERENCE_SECONDS, alignment.WORST_POINT, alignment.FOLLOW, ANCHOR_ERROR]
    constants += [geometry.TEMPLATE.tolist(), geometry.STABLE_IDS.tolist(), geometry.LANDMARKS_68.tolist()]
    constants += [cut.PACE, cut.BORDERS, cut.FIFTH, cut.COURSES, hashlib.sha256(model).hexdigest()]
    return {
        "dataset": dataset,
        "root": str(root),
        "format": store.FORMAT,
        "faces": {name: value for name, value in asdict(settings).items() if name != "measures"},  # they change no view
        "aligned": geometry.ALIGNED,
        "alignment": hashlib.sha256(json.dumps(constants).encode()).hexdigest()[:12],
    }


def report(rows: list[store.Row], left: list[LeftOut], cache: Path, console: Console) -> None:
    """What came of it, in a few lines."""
    people = len({(row.dataset, row.subject) for row in rows})
    kinds = ", ".join(f"{n} {kind}" for kind, n in Counter(row.kind for row in rows).items())
    console.print(f"{len(rows)} clips prepared ({kinds}; {people} people), {len(left)} left out", highlight=False)
    if left:
        reasons = defaultdict(list)
        for one in left:
            # the bracket says where, quotes and numbers say what was got: the reason is the rest
            reasons[re.sub(r" \(.*|(?<=')[^']*(?=')|-?\d[\d.]*", "", one.why).replace("''", "…")].append(one)
        table = Table("left out", "why", "for example", box=None)
        for why, those in sorted(reasons.items(), key=lambda item: -len(item[1])):
            table.add_row(str(len(those)), why, f"{those[0].name}, {those[0].row}")
        console.print(table)
        console.print(f"each with its reason: {cache / 'left_out.csv'}", soft_wrap=True, highlight=False)
    if still := sum(row.still == "yes" for row in rows):
        console.print(f"{still} clips have their apex at their onset: training leaves them out, data.still=keep takes them", soft_wrap=True)
    console.print(f"look at {cache / 'sheet.png'}: onset, apex and what lies between", soft_wrap=True, highlight=False)


def _cut_all(missing: dict[str, Clip], folder: Path, workers: int, console, settings: FaceSettings) -> list[LeftOut]:
    left: list[LeftOut] = []
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        bar = progress.add_task("preparing clips", total=len(missing))
        for task, unusable in each(_task, settings, _tasks(missing, folder), workers=workers):
            left += unusable
            progress.update(bar, advance=len(task), description=f"preparing clips ({len(left)} left out)")
    order = {clip.row: place for place, clip in enumerate(missing.values())}
    return sorted(left, key=lambda one: order[one.row])  # the same report whichever worker was faster


def _tasks(missing: dict[str, Clip], folder: Path) -> Iterator[Task]:
    recordings = defaultdict(list)
    for file, clip in missing.items():
        if clip.video is None:
            yield [(clip, folder / file)]
        else:
            recordings[clip.video].append((clip, folder / file))
    yield from recordings.values()


def _task(settings: FaceSettings, clips: Task) -> list[LeftOut]:
    """Cut out the clips of one task and write them; returns those left out."""
    paths = {id(clip): path for clip, path in clips}
    left = []
    for clip, views in _views([clip for clip, _ in clips], settings):
        if isinstance(views, str):
            left.append(LeftOut(clip.name, clip.row, views))
        else:
            store.write_arrays(paths[id(clip)], views)
    return left


def _views(clips: list[Clip], settings: FaceSettings) -> Iterator[tuple[Clip, dict | str]]:
    if clips[0].video is not None:
        yield from cut.cut_video(clips[0].video, clips, settings)
        return
    try:
        yield clips[0], cut.cut_pictures(clips[0], settings)
    except cut.Unusable as why:
        yield clips[0], str(why)
