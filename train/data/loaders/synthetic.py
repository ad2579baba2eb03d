"""Synthetic sets, as `mer-synth` writes them: ROOT/truth.csv and ROOT/<clip>.mp4 (see `train.synthesis.clip`)."""

from __future__ import annotations

from pathlib import Path

from train.data import annotations, folders
from train.data.clip import Clip, LeftOut
from train.data.loaders.generic import moments

COLUMNS = {
    "subject": ("Subject",),
    "filename": ("Filename",),
    "onset": ("onset_s",),
    "apex": ("apex_s",),
    "offset": ("offset_s",),
    "action_units": ("Action Units",),
    "label": ("Estimated Emotion",),
    "kind": ("kind",),
}


def synthetic(root: Path) -> list[Clip | LeftOut]:
    """Every expression, micro and macro, as a span of its video, in seconds.

    Those that a blink, speech or a head movement disturbs stay in: a live face does the same. One that begins before
    the video does (onset below 0) is left out. Raises UsageError where the table or a column is missing.
    """
    table = annotations.find(root, "truth", what="a set made by mer-synth")
    found: list[Clip | LeftOut] = []
    for row in annotations.read(table, COLUMNS, optional=("action_units",)):
        video, kind = table.parent / row["filename"], row["kind"].lower()
        name = f"{video.stem}@{row['onset']}"
        times = moments(row["onset"], row["apex"], row["offset"])
        if isinstance(times, str):
            found.append(LeftOut(name, row.where, times))
        elif kind not in ("micro", "macro") or not row["label"]:
            why = f"the kind '{kind}' is not micro or macro, or there is no emotion ('{row['label']}')"
            found.append(LeftOut(name, row.where, why))
        elif not video.is_file():
            found.append(LeftOut(name, row.where, f"no video '{video}'"))
        else:
            facts = ("synthetic", row["subject"], name, kind, row["label"].lower(), row["action_units"])
            found.append(Clip(*facts, (), 0, row.where, video, times))
    return folders.checked(found, root)
