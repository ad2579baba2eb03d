"""Events as Parquet, for machines: the fields of `Event.as_dict`, with a column for each score."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from realtime.errors import MissingPartError

FIRST = ("event", "source", "face", "onset_s", "apex_s", "offset_s", "label")
LAST = ("model", "latency_ms", "kind", "confidence")
WHOLE = ("session", "event", "face")
WORDS = ("source", "label", "model", "kind", "reviewer", "verdict", "incomplete", "action_units", "note", "utc")


def write_parquet(path: Path, classes: Iterable[str], rows: list[dict], before: Iterable[str] = (), after: Iterable[str] = ()) -> None:
    """rows: as `Event.as_dict`, with what `before` and `after` name. Numbers are float64 also where there are no rows:
    files of one kind have one schema. Raises MissingPartError, OSError."""
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError as error:
        raise MissingPartError('Parquet needs pyarrow: pip install "mer-live[parquet]", or take CSV') from error
    names = [*before, *FIRST, *(f"score_{name}" for name in classes), *LAST, *after]
    kinds = dict.fromkeys(WHOLE, pa.int64()) | dict.fromkeys(WORDS, pa.string())
    schema = pa.schema([(name, kinds.get(name, pa.float64())) for name in names])
    flat = [row | {f"score_{name}": value for name, value in row["scores"].items()} for row in rows]
    pyarrow.parquet.write_table(pa.Table.from_pylist([{name: row.get(name) for name in names} for row in flat], schema), path)
