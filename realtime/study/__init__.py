"""A study: recordings of several participants under several conditions, worked through once and told in one table.

STUDY/study.yaml       settings: [words of mer-replay], export: [kinds]
STUDY/recordings.csv   path, participant, condition, session: a person may edit it
STUDY/results/         what `mer-replay` leaves of each recording
STUDY/summary.csv, by_condition.csv, by_participant.csv, rates.png, report.html, provenance.json    `summary` makes them
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from realtime.errors import OutputError, UsageError
from realtime.output.exports.found import replace as put
from realtime.output.exports.found import write_text

FACTS = ("participant", "condition", "session")
DEFAULTS = {"settings": [], "export": ["elan"]}
NAMED = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Recording:
    """A row of recordings.csv. path: seen from the study's folder where it lies in it, else absolute."""

    path: str
    participant: str = ""
    condition: str = ""
    session: str = ""


class Study:
    """The folder of a study."""

    def __init__(self, folder: Path):
        """
        Raises:
            UsageError: there is none, or its table or settings are damaged.
        """
        self.folder, self.results = Path(folder), Path(folder) / "results"
        self.table = self.folder / "recordings.csv"
        if not (self.folder / "study.yaml").is_file():
            raise UsageError(f"{folder} is no study: mer-study init {folder} makes one")
        try:
            plan = OmegaConf.to_container(OmegaConf.load(self.folder / "study.yaml")) or {}
            if not isinstance(plan, dict):
                raise ValueError("expected names and values")
            plan = DEFAULTS | plan
            self.settings, self.export = ([str(one) for one in plan[name]] for name in ("settings", "export"))
            self.recordings = self._read()
        except (OSError, ValueError, TypeError, csv.Error, YAMLError, OmegaConfBaseException) as error:
            raise UsageError(f"{folder}: study.yaml or recordings.csv is damaged ({' '.join(str(error).split())[:200]})") from error

    @staticmethod
    def make(folder: Path) -> Study:
        """A new one, without recordings.

        Raises:
            UsageError: there is a study already.
            OutputError: it cannot be made.
        """
        folder = Path(folder)
        if (folder / "study.yaml").exists():
            raise UsageError(f"{folder} is a study already: mer-study add {folder} RECORDING…")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make {folder}: {error.strerror}") from error
        put(folder / "study.yaml", lambda part: write_text(part, OmegaConf.to_yaml(DEFAULTS)))
        put(folder / "recordings.csv", lambda part: write_text(part, _csv([])))
        return Study(folder)

    def place(self, recording: Recording) -> Path:
        """Where it lies."""
        return (self.folder / recording.path).absolute()

    def add(self, recordings: Iterable[Recording]) -> tuple[int, int]:
        """(new ones, known ones whose facts were filled in). What a row says already is kept where the new one says nothing."""
        rows = {self.place(one): one for one in self.recordings}
        new = changed = 0
        for one in recordings:
            place = self.place(one)
            path = place.relative_to(self.folder.absolute()).as_posix() if place.is_relative_to(self.folder.absolute()) else str(place)
            known = rows.get(place)
            told = {name: value for name in FACTS if (value := getattr(one, name))}
            row = replace(known or Recording(path), **told)
            new, changed = new + (known is None), changed + (known is not None and row != known)
            rows[place] = row
        self.recordings = sorted(rows.values(), key=lambda one: (one.participant, one.condition, one.session, one.path))
        put(self.table, lambda part: write_text(part, _csv(self.recordings)))
        return new, changed

    def _read(self) -> list[Recording]:
        rows = _rows(self.table)
        known = [one.name for one in fields(Recording)]
        if rows and "path" not in rows[0]:
            raise ValueError(f"its columns are {', '.join(map(str, rows[0]))}; expected {', '.join(known)}")
        return [Recording(**{name: (row.get(name) or "").strip() for name in known}) for row in rows if (row.get("path") or "").strip()]


def by_pattern(path: Path, pattern: str) -> Recording | None:
    """What a file's name says, without its ending: "p03_calm_2.mp4" by "{participant}_{condition}_{session}"; None where it does not fit.

    Raises:
        UsageError: the pattern names something else.
    """
    names = NAMED.findall(pattern)
    if not names or len(set(names)) < len(names) or not set(names) <= set(FACTS):
        raise UsageError(f"--pattern {pattern}: expected each of {', '.join('{' + name + '}' for name in FACTS)} once at most")
    parts = (f"(?P<{part}>.+?)" if place % 2 else re.escape(part) for place, part in enumerate(NAMED.split(pattern)))
    found = re.fullmatch("".join(parts), path.stem)
    return Recording(str(path.absolute()), **found.groupdict()) if found else None


def by_table(file: Path, paths: Sequence[Path]) -> list[Recording]:
    """What a table says of the recordings: a column file or path (the name is enough), and any of FACTS.

    Raises:
        UsageError: it cannot be read, has other columns, or names a file that is not among `paths`.
    """
    try:
        rows = _rows(file)
    except (OSError, ValueError, csv.Error) as error:
        raise UsageError(f"{file} cannot be read as a table: {error}") from error
    rows = [{(key or "").strip().lower(): (value or "").strip() for key, value in row.items() if not isinstance(value, list)} for row in rows]
    if not rows or not {"path", "file"} & set(rows[0]):
        raise UsageError(f"{file} has no column file or path: expected one, and {', '.join(FACTS)}")
    by_name = {path.name: path for path in paths} | {path.stem: path for path in paths}
    found = []
    for row in rows:
        name = Path(row.get("path") or row["file"]).name
        if name not in by_name:
            raise UsageError(f"{file} names {name}, which is not among the recordings that are given")
        found.append(Recording(str(by_name[name].absolute()), **{fact: row.get(fact, "") for fact in FACTS}))
    return found


def _rows(table: Path) -> list[dict]:
    """Of a CSV with commas, semicolons or tabs."""
    text = table.read_text("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text), delimiter=max(",;\t", key=text.partition("\n")[0].count)))


def _csv(recordings: Sequence[Recording]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(one.name for one in fields(Recording))
    table.writerows(map(astuple, recordings))
    return text.getvalue()
