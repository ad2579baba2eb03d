"""What was found in a recording, as files for other programs and for people: one function a format, all with one call.

    found = Found("clip.mp4", events, trace)
    write("elan", found, folder)        # → folder/clip.eaf

What people made of a session in Review is a `Found`, too: `realtime.review.corrected`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from realtime.names import distinct, file_name
from realtime.output.exports.found import CARE, MOST_PICTURES, Found, clean, replace, replace_bytes, write_text

__all__ = ["CARE", "KINDS", "MOST_PICTURES", "Found", "replace_bytes", "write", "write_all", "write_as"]


def write(kind: str, found: Found, folder: Path, separator: str = ",") -> Path:
    """Write one of KINDS into `folder`, over an older one, and say where.

    Args:
        separator: of a CSV.

    Raises:
        OutputError: it cannot be written.
        MissingPartError: Parquet needs pyarrow, SPSS pyreadstat, a TextGrid praatio.
    """
    path = Path(folder) / f"{found.stem}{KINDS[kind][0]}"
    write_as(kind, found, path, separator)
    return path


def write_as(kind: str, found: Found, path: Path, separator: str = ",") -> None:
    """The same as a file of one's own naming."""
    _, writer = KINDS[kind]
    replace(path, lambda part: writer(part, found, *([separator] if kind == "csv" else [])))


def write_all(several: Sequence[Found], folder: Path, separator: str = ",") -> None:
    """All that people take away, into `folder`: one table (CSV, XLSX) with its codebook, markers where there are some (CSV), and for each recording ELAN, WebVTT
    and the report (HTML, PDF).

    Raises:
        OutputError: it cannot be written.
    """
    from realtime.output.exports.tables import columns_of, write_codebook, write_markers, write_table

    folder = Path(folder)
    for ending in (".csv", ".xlsx"):
        write_table(folder / f"events{ending}", several, separator)
    write_codebook(folder, columns_of(several), separator)
    write_markers(folder / "markers.csv", several, separator)
    stems = distinct([(found.stem, file_name(clean(found.name)), f"{found.stem}-{number}") for number, found in enumerate(several, 1)])
    for found, stem in zip(several, stems, strict=True):
        for kind in ("elan", "webvtt", "report", "pdf"):
            write_as(kind, found, folder / f"{stem}{KINDS[kind][0]}")


def _table(kind: str) -> Callable[..., None]:
    def write_it(path: Path, found: Found, separator: str = ",") -> None:
        from realtime.output.exports.tables import write_part

        write_part(kind, path, [found], separator)

    return write_it


def _elan(path: Path, found: Found) -> None:
    from realtime.output.exports.elan import eaf

    path.write_bytes(eaf(found, path.parent))


def _webvtt(path: Path, found: Found) -> None:
    from realtime.output.exports.webvtt import vtt

    write_text(path, vtt(found))


def _html(path: Path, found: Found) -> None:
    from realtime.output.exports.report import html

    write_text(path, html(found))


def _pdf(path: Path, found: Found) -> None:
    from realtime.output.exports.pdf import pdf

    path.write_bytes(pdf(found))


def _for_studies(name: str) -> Callable[[Path, Found], None]:
    def write_it(path: Path, found: Found) -> None:
        from realtime.output.exports import for_studies

        getattr(for_studies, name)(path, found)

    return write_it


KINDS = {
    "csv": (".csv", _table("csv")),
    "excel": (".xlsx", _table("excel")),
    "jsonl": (".jsonl", _table("jsonl")),
    "parquet": (".parquet", _table("parquet")),
    "elan": (".eaf", _elan),
    "webvtt": (".vtt", _webvtt),
    "report": (".html", _html),
    "pdf": (".pdf", _pdf),
    "spss": (".sav", _table("spss")),
    "textgrid": (".TextGrid", _for_studies("textgrid")),
    "boris": (".boris.txt", _for_studies("boris")),
    "bids": ("_events.tsv", _for_studies("bids")),
}
