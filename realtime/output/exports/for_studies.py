"""Events for the programs that a study is analysed in: Praat, BORIS, BIDS, SPSS."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from realtime.errors import MissingPartError
from realtime.output.event_table import DECIMALS, MEANINGS, csv_text, known, meaning
from realtime.output.exports.found import Found, clean, write_text
from realtime.output.exports.tiers import ESTIMATED, tiers_of

BIDS = ("onset", "duration", "trial_type", "label", "apex", "confidence", "score", "face", "estimated_units")


def textgrid(path: Path, found: Found) -> None:
    """A TextGrid: an interval tier for each kind, face and reviewer, another for its estimated action units, a point tier for its apexes.

    Raises:
        MissingPartError: it needs praatio.
    """
    try:
        from praatio.data_classes.interval_tier import IntervalTier
        from praatio.data_classes.point_tier import PointTier
        from praatio.data_classes.textgrid import Textgrid
    except ModuleNotFoundError as error:
        raise MissingPartError("a TextGrid needs praatio: pip install 'mer-live[coders]'") from error
    end = max(found.seconds, 0.001, *(one.end / 1000 for tier in tiers_of(found) for one in tier.annotations))
    grid = Textgrid(0, end)
    for tier in tiers_of(found):
        spans = [(span.begin / 1000, span.end / 1000, one.value) for one in tier.annotations for span in [one.of if tier.kind == "property" else one]]
        if tier.kind in ("moment", "marker"):
            grid.addTier(PointTier(tier.name, [(begin, value) for begin, _, value in spans], 0, end))
        elif tier.kind != "property" or tier.name.endswith(ESTIMATED):
            grid.addTier(IntervalTier(tier.name, spans, 0, end))
    grid.save(str(path), format="long_textgrid", includeBlankSpaces=True)


def boris(path: Path, found: Found) -> None:
    """What BORIS pastes as events (Observations → Edit → Paste): time, subject, code, modifier, comment, by tabs; a start and a stop each."""
    lines = []
    for event in found.events:
        subject = f"face {event.face + 1}" if event.face else "face"
        code, comment = _flat(event.label), f"{event.kind}, apex {event.apex_s:.3f} s"
        comment += f", action units (estimated) {event.estimated_units}" if event.estimated_units else ""
        lines += [(at, f"{at:.3f}\t{subject}\t{code}\t\t{comment}\n") for at in (event.onset_s, max(event.offset_s, event.onset_s + 0.001))]
    lines += [(one.time_s, f"{one.time_s:.3f}\t\t{_flat(one.label)}\t\tmarker of {_flat(one.stream)}\n") for one in found.marked]
    write_text(path, "".join(line for _, line in sorted(lines)))


def bids(path: Path, found: Found) -> None:
    """events.tsv as BIDS asks for it: onset and duration in seconds, trial_type micro, macro or marker; n/a for what is not known."""
    rows = [
        {
            "onset": f"{event.onset_s:.3f}",
            "duration": f"{event.offset_s - event.onset_s:.3f}",
            "trial_type": event.kind,
            "label": _flat(event.label),
            "apex": f"{event.apex_s:.3f}",
            "confidence": f"{event.confidence:.2f}" if known(event.confidence) else "n/a",
            "score": f"{event.score:.2f}" if known(event.score) else "n/a",
            "face": str(event.face),
            "estimated_units": event.estimated_units or "n/a",
        }
        for event in found.events
    ]
    rows += [
        dict.fromkeys(BIDS, "n/a") | {"onset": f"{one.time_s:.3f}", "duration": "0", "trial_type": "marker", "label": _flat(one.label)}
        for one in found.marked
    ]
    rows.sort(key=lambda row: float(row["onset"]))
    write_text(path, csv_text(BIDS, rows, "\t").lstrip("\ufeff"))  # BIDS knows no byte order mark


def _flat(words: str) -> str:
    return " ".join(clean(words).split())


def spss(path: Path, names: Sequence[str], rows: Iterable[dict]) -> None:
    """A .sav table: names that SPSS takes, and what each column means as its label.

    Raises:
        MissingPartError: it needs pyreadstat.
    """
    try:
        import pandas
        import pyreadstat
    except ModuleNotFoundError as error:
        raise MissingPartError(f"SPSS needs {error.name}: pip install 'mer-live[coders]', or take CSV") from error
    rows = [{name: clean(value) if isinstance(value := row.get(name), str) else value for name in names} for row in rows]
    table = pandas.DataFrame(rows, columns=list(names))
    for name in names:  # an empty column has no type of its own
        words = any(isinstance(row[name], str) for row in rows) or not any(known(row[name]) for row in rows) and name not in DECIMALS
        table[name] = table[name].fillna("").astype(str) if words and name in MEANINGS else pandas.to_numeric(table[name], errors="coerce")
    pyreadstat.write_sav(table, str(path), column_labels=[meaning(name)[:250] for name in names])
