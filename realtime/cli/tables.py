"""Tables of the event log in a terminal."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from realtime.cli.console import Console

LEFT = ("started", "model", "source", "label", "who", "said", "units", "note")


def print_table(names: list[str], rows: list[list]) -> None:
    """A table whose numbers stay whole: on a narrow terminal only the source gives way."""
    rows = [[str(cell) for cell in row] for row in rows]
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    for name, cells in zip(names, zip(*rows) if rows else [()] * len(names)):
        width = max(map(len, (name, *cells)))
        table.add_column(name, justify="left" if name in LEFT else "right", **({} if name == "source" else {"no_wrap": True, "min_width": width}))
    for row in rows:
        table.add_row(*(Text(cell, no_wrap=True, overflow="ellipsis") for cell in row))
    console = Console()
    if not console.is_terminal:
        console.width = 200  # a pipe has no width: let nothing be cut
    console.print(table)
