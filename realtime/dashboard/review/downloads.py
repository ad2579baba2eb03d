"""What a reviewed session can be taken away as: its events as people left them."""

from __future__ import annotations

import zipfile
from html import escape
from pathlib import Path

from realtime.output.exports import KINDS, write_as
from realtime.output.exports.tables import TABLES, write_table
from realtime.review import Reviews
from realtime.review.corrected import corrected

# kind → (its name, what it is for); where a file holds pictures of a face, that is said
MENU = {
    "excel": ("Excel", "a table: what was found, what each reviewer said"),
    "csv": ("CSV", "the same for other programs"),
    "elan": ("ELAN", "a tier for each reviewer, to put beside the recording"),
    "webvtt": ("WebVTT", "the events as subtitles, for a player"),
    "report": ("Report (HTML)", "one page; holds pictures of the face where some were kept"),
    "pdf": ("Report (PDF)", "the same on paper; holds pictures of the face where some were kept"),
    "jsonl": ("JSONL", "for programs, one event a line"),
    "parquet": ("Parquet", "for programs, as a data frame"),
}


def make(kind: str, reviews: Reviews, session: int, folder: Path) -> Path:
    """The finished file in `folder`: a table of all recordings of the session, or a file for each of them, several in an archive.

    Args:
        kind: of MENU.

    Raises:
        MerError: where it cannot be written.
        OSError: where the folder has gone with its page.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    several, ending = corrected(reviews, session), KINDS[kind][0]
    name = f"session-{session}-corrected"
    if ending in TABLES:
        write_table(folder / f"{name}{ending}", several)
        return folder / f"{name}{ending}"
    if len(several) == 1:
        path = folder / f"{several[0].stem}-corrected{ending}"
        write_as(kind, several[0], path)
        return path
    with zipfile.ZipFile(folder / f"{name}-{kind}.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for number, found in enumerate(several, 1):
            part = folder / f"part{ending}"
            write_as(kind, found, part)
            packed.write(part, f"{number:02d}-{found.stem}{ending}")
            part.unlink()
    return folder / f"{name}-{kind}.zip"


def menu() -> str:
    """A button that opens the list; review.js closes it, and hands on what was chosen."""
    items = "".join(
        f'<button type="button" data-kind="{kind}"><b>{escape(name)}</b><span>{escape(about)}</span></button>' for kind, (name, about) in MENU.items()
    )
    return (
        '<details class="mr-menu rv-menu"><summary>Download corrected</summary>'
        f'<div class="mr-formats" role="group" aria-label="Formats">{items}</div></details>'
    )
