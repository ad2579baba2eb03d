"""`mer-train prepare data=casme2 data.root=…`: a data set's faces, found and aligned once."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from realtime.errors import UsageError


def prepare(settings, console: Console) -> Path:
    """Prepare the set that `settings.data` names (name, root, cache) with `settings.workers` processes; returns the cache.

    Raises MerError for what a person can put right; what is prepared by then stays, and the same command goes on.
    """
    from train.data import prepare as preparing
    from train.data.loaders import LOADERS

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
        rows, left = preparing.prepare(data.name, root, clips, cache, settings.workers, console)
    except KeyboardInterrupt:
        done = len(list((cache / "clips").glob("*.npz")))
        console.print(f"{done} clips are prepared and stay; the same command goes on from there")
        raise
    preparing.report(rows, left, cache, console)
    return cache
