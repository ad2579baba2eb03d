"""Events as a table for people: the columns of every CSV and XLSX, how a cell is written, and what each column means.

Machines read the same events as JSONL or Parquet, whose fields are those of `Event.as_dict`.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence

from realtime.errors import UsageError

BOM = "\ufeff"  # by this Excel knows that a CSV is UTF-8
SEPARATORS = {",": ",", ";": ";", "tab": "\t", "\t": "\t"}
FIRST = (
    "event",
    "source",
    "face",
    "onset_s",
    "apex_s",
    "offset_s",
    "duration_s",
    "onset_time",
    "apex_time",
    "offset_time",
    "label",
    "kind",
    "certainty_movement",
    "certainty_label",
    "estimated_units",
    "certainty_units",
)
LAST = ("model", "latency_ms")
DECIMALS = {
    "onset_s": 3,
    "apex_s": 3,
    "offset_s": 3,
    "duration_s": 3,
    "certainty_movement": 2,
    "certainty_label": 2,
    "latency_ms": 1,
    "recording_s": 3,
    "judged": 2,
}
MEANINGS = {
    "session": "Number of the session in the event log (mer-log list).",
    "incomplete": "Why the session may have missed events (too busy, killed, interrupted, …); empty where nothing is known to be missing.",
    "reviewer": "Who judged the event; empty where nobody has. One line for each reviewer of an event.",
    "verdict": "accepted, corrected or added by the reviewer; not reviewed: as the program found it.",
    "event": "Number of the event within its recording, in the order found; m1, m2, … for one that a reviewer added.",
    "source": "The recording, as it was named on the command line, or the camera.",
    "face": "Which face: 0 is the first that came into view.",
    "onset_s": "Begin of the movement, seconds from the beginning of the recording.",
    "apex_s": "Peak of the movement, seconds from the beginning of the recording.",
    "offset_s": "End of the movement, seconds from the beginning of the recording.",
    "duration_s": "From onset to offset, seconds.",
    "onset_time": "The onset as minutes:seconds (hours:minutes:seconds from one hour on).",
    "apex_time": "The apex, likewise.",
    "offset_time": "The offset, likewise.",
    "label": "Which expression; 'unsure' where no class was likely enough, or the network knows no macro-expressions.",
    "kind": "micro: half a second at most; macro: longer, or larger.",
    "certainty_movement": "Is it a movement? Probability from 0 to 1 that a micro- or macro-expression was there at all ('confidence' in JSONL).",
    "certainty_label": "Which one? Probability from 0 to 1 of the likeliest class (the largest score), given that it is a movement. "
    "Empty where a reviewer chose the label.",
    "estimated_units": "FACS action units as a network estimates them, such as 4+L12 (L, R: one side); no FACS coder has checked it. "
    "Empty where none was seen or nothing estimated.",
    "certainty_units": "Estimated probability from 0 to 1 of each of these units, in their order, such as '4 0.91, L12 0.66'.",
    "model": "The network that named it.",
    "latency_ms": "From the arrival of the offset's picture to the named event, milliseconds.",
    "utc": "When the apex was seen, date and time in UTC (ISO 8601); of cameras and streams only.",
    "action_units": "FACS action units as the reviewer typed them, such as 1+2.",
    "note": "The reviewer's note.",
    "clip": "The recording, as it was named on the command line.",
    "folder": "Where its own results are, seen from this table.",
    "recording_s": "How long it is, seconds; empty where it could not be opened.",
    "events": "How many movements were found; 0 says something only for the time that was judged.",
    "micro": "How many of them are micro-expressions.",
    "macro": "How many of them are macro-expressions.",
    "judged": "Share of the time, from 0 to 1, in which a movement would have been noticed.",
    "not_judged": "Why the rest of the time was not judged, and for how many seconds.",
    "failure": "Why it could not be worked through to its end; empty where it was.",
}
SCORE = "Probability from 0 to 1 of the class '{}'; the scores of an event sum to 1."


def columns(classes: Iterable[str], before: Iterable[str] = (), after: Iterable[str] = ()) -> list[str]:
    """The columns of a table: `before`, an event's own with a score_<class> for each class, and `after`."""
    return [*before, *FIRST, *(f"score_{name}" for name in classes), *LAST, *after]


def cells(row: dict) -> dict:
    """`Event.as_dict`, perhaps with more fields, → column → str, number or None for what is not known."""
    confidence, scores, units = row.get("confidence"), row["scores"], row.get("unit_confidences") or {}
    return {
        **{name: value for name, value in row.items() if name not in ("scores", "confidence", "unit_confidences")},
        "duration_s": round(row["offset_s"] - row["onset_s"], 3),
        **{f"{moment}_time": clock(row[f"{moment}_s"]) for moment in ("onset", "apex", "offset")},
        "certainty_movement": confidence,
        "certainty_label": max(scores.values(), default=None),
        "certainty_units": ", ".join(f"{unit} {value:.2f}" for unit, value in units.items()),
        **{f"score_{name}": score for name, score in scores.items()},
    }


def clock(seconds: float, decimals: int = 3) -> str:
    """62.5 → "01:02.500"; from an hour on "1:01:02.500"; decimals 0 to 3."""
    unit = 10**decimals
    ticks = round(abs(seconds) * unit)
    minutes, rest = divmod(ticks, 60 * unit)
    words = f"{rest // unit:02d}" + (f".{rest % unit:0{decimals}d}" if decimals else "")
    words = f"{minutes:02d}:{words}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{words}"
    return f"-{words}" if seconds < 0 and ticks else words


def separator_of(word: str) -> str:
    """What `--csv-separator` was given → the character.

    Raises:
        UsageError: it is none of those that a table may have.
    """
    if word not in SEPARATORS:
        raise UsageError(f"unknown CSV separator '{word}': expected , or ; or tab")
    return SEPARATORS[word]


def csv_head(names: Sequence[str], separator: str = ",") -> str:
    """The first line of a CSV, to be written as UTF-8."""
    return BOM + _line(names, separator)


def csv_row(row: dict, names: Sequence[str], separator: str = ",") -> str:
    """One line. A semicolon goes with decimal commas: spreadsheets of the countries that use it expect both, and would
    take 12.41 for a date."""
    return _line([_written(row.get(name), name, "," if separator == ";" else ".") for name in names], separator)


def csv_text(names: Sequence[str], rows: Iterable[dict], separator: str = ",") -> str:
    """A whole table."""
    return csv_head(names, separator) + "".join(csv_row(row, names, separator) for row in rows)


def decimals(name: str) -> int | None:
    """How many a column's numbers are written with; None: as they are."""
    return 2 if name.startswith("score_") else DECIMALS.get(name)


def known(value) -> bool:
    return value is not None and not (isinstance(value, float) and math.isnan(value))


def meaning(name: str) -> str:
    return SCORE.format(name.removeprefix("score_")) if name.startswith("score_") else MEANINGS.get(name, "")


def codebook(names: Sequence[str]) -> list[dict]:
    """What stands in the columns: rows of "column" and "meaning"."""
    return [{"column": name, "meaning": meaning(name)} for name in names]


def _line(words: Sequence[str], separator: str) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="\n").writerow(words)
    return text.getvalue()


def _written(value, name: str, point: str) -> str:
    if not known(value):
        return ""
    if name.endswith("_time"):
        return value.replace(".", point)
    if isinstance(value, str):
        return harmless(value)
    places = decimals(name)
    return (str(value) if places is None else f"{value:.{places}f}").replace(".", point)


def harmless(words: str) -> str:
    """A spreadsheet takes text that begins so for a formula, and a file can be named =HYPERLINK(…): the quote makes it text."""
    return f"'{words}" if words[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else words
