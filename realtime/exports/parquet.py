"""Events as Parquet."""

from __future__ import annotations

from pathlib import Path

from realtime.errors import MissingPartError


def write_parquet(path: Path, names: list[str], rows: list[dict]) -> None:
    """rows: flat, see `sinks.flat`. Numbers are float64 also where there are no rows: files of one kind have one schema.
    Raises MissingPartError, OSError."""
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError as error:
        raise MissingPartError('Parquet needs pyarrow: pip install "mer-live[parquet]", or take CSV') from error
    kinds = dict.fromkeys(("session", "event", "face"), pa.int64())
    kinds |= dict.fromkeys(("source", "label", "model", "kind"), pa.string())
    schema = pa.schema([(name, kinds.get(name, pa.float64())) for name in names])
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows, schema), path)
