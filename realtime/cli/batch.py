"""What is known of a batch of recordings across runs: which are done, and the one table over all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from dataclasses import replace as replaced
from pathlib import Path

from realtime.errors import OutputError
from realtime.names import printable
from realtime.output.exports import KINDS, Found
from realtime.output.exports.found import replace, write_text
from realtime.output.exports.tables import recording_row, write_overview
from realtime.records import Event
from realtime.sources.checks import pictures_in

RECORD = "recording.json"
RESULTS = (
    "events.jsonl",
    "events.csv",
    "timeline.png",
    "annotated.mp4",
    "frames.csv",
    "frames.parquet",
    "measures.png",
)  # the last four where they are asked for
SHOWN = 3  # failures that the last line names


@dataclass(frozen=True)
class Wanted:
    """What is asked of each clip.

    Attributes:
        settings: the resolved configuration, plain dicts.
        exports: kinds of `realtime.output.exports`.
    """

    settings: dict
    video: bool = False
    exports: tuple[str, ...] = ()
    separator: str = ","
    frames: bool = False
    plot: tuple[str, ...] = ()

    def within(self, had: dict) -> bool:
        """Whether an earlier run, asked for `had`, has left all of it."""
        same = had.get("settings") == self.settings and had.get("separator") == self.separator
        large = all(had.get(name) or not getattr(self, name) for name in ("video", "frames"))
        same = same and (not self.plot or list(self.plot) == list(had.get("plot", ())))
        return same and large and set(self.exports) <= set(had.get("exports", ()))


@dataclass(frozen=True)
class Record:
    """How the work on one clip ended, kept as RECORD in its folder of results.

    Attributes:
        clip: as it was named.
        path: where it lies.
        size: of the file, or of all pictures of a folder, bytes.
        modified: of the file, or of its newest picture, nanoseconds.
        judged: as `Judged.as_dict`.
        failure: why its results are not whole, "" where they are.
    """

    clip: str
    path: str
    name: str
    size: int
    modified: int
    wanted: dict
    classes: tuple[str, ...] = ()
    judged: dict | None = None
    failure: str = ""

    @staticmethod
    def of(clip: Path, name: Path, wanted: Wanted, **more) -> Record:
        return Record(printable(clip), printable(clip.absolute()), printable(name), *_stamp(clip), asdict(wanted), **more)

    def is_of(self, clip: Path) -> bool:
        """Also of a clip that was moved."""
        return self.path == printable(clip.absolute()) or (Path(self.path).name, self.size, self.modified) == (printable(clip.name), *_stamp(clip))

    def keep(self, out: Path) -> None:
        """Into its folder of results.

        Raises:
            OutputError: it cannot be written.
        """
        replace(out / self.name / RECORD, lambda part: write_text(part, json.dumps(asdict(self), ensure_ascii=False, indent=1)))


class Batch:
    """The folder of results of a run, and of the runs before it.

    Attributes:
        wanted: what this one asks for.
    """

    def __init__(self, out: Path, wanted: Wanted):
        self.out, self.wanted = out, wanted

    def whose(self, clip: Path, name: Path) -> bool | None:
        """See `clips.find_clips`."""
        record = read(self.out / name)
        return None if record is None else record.is_of(clip)

    def done(self, clip: Path, name: Path) -> bool:
        """Whether nothing is left to do for a clip: it was worked through, is the same file, and nothing else is asked for."""
        record = read(self.out / name)
        same = record is not None and not record.failure and record.is_of(clip) and (record.size, record.modified) == _stamp(clip)
        return same and self.wanted.within(record.wanted) and (self.out / name / "events.jsonl").is_file()

    def words(self, jobs: list[tuple[Path, Path]], done: int) -> list[str]:
        """What a person should know before the work on `jobs` begins.

        Args:
            done: how many clips need no work.
        """
        older = [record for _, name in jobs if (record := read(self.out / name)) is not None and not record.failure]
        lines = [f"already done: {done}; --again does them anew"] if done else []
        return [*lines, f"done before, with other settings or of an older file: {len(older)}; done anew"] if older else lines

    def begin(self, clip: Path, name: Path) -> None:
        """What is begun anew is not done until it is done, and no older picture or table stands beside its unfinished results.

        Raises:
            OutputError: it cannot be written.
        """
        folder = self.out / name
        try:
            for old in [folder / RECORD, *_left(folder, clip)]:  # the record first: what follows may be cut off
                old.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"cannot write in {folder}: {error.strerror}") from error

    def failed(self, clip: Path, name: Path, why: str) -> None:
        """A clip that could not be worked through at all."""
        with suppress(OutputError):  # it may have failed for that very reason
            Record.of(clip, name, self.wanted, failure=" ".join(why.split())).keep(self.out)

    def finish(self, jobs: list[tuple[Path, Path]]) -> str:
        """Write the table over all recordings in the folder; returns the run's last line, which is about `jobs`."""
        records = {record.name: record for record in self._records()}
        found = {}
        for name, record in records.items():
            try:
                found[name] = _found(self.out / name, record)
            except (OSError, ValueError, TypeError, AttributeError) as error:
                records[name] = replaced(record, failure=f"its events.jsonl is damaged ({error}): use --again")
                found[name] = Found(Path(record.clip).name, [])
        rows = [recording_row(record.clip, name, found[name], record.judged or {}, record.failure) for name, record in records.items()]
        write_overview(self.out, rows, list(found.values()), self.wanted.separator)
        mine = [(records[name], found[name]) for _, path in jobs if (name := printable(path)) in records]
        failures = [record for record, _ in mine if record.failure]
        events = sum(one.count for _, one in mine)
        blind = [one for record, one in mine if not record.failure and not one.count and not (record.judged or {}).get("share")]
        words = [f"{len(mine)} of {len(jobs)} recordings", f"{events} event" + "s" * (events != 1)]
        if blind:  # that nothing was found there says nothing
            words[1:] = [words[1]] * (len(blind) < len(mine)) + [f"nothing could be judged in {len(blind)}"]
        if failures:
            named = "; ".join(_why(record) for record in failures[:SHOWN]) + "; …" * (len(failures) > SHOWN)
            words.append(f"{len(failures)} failed ({named})")
        return f"{', '.join(words)}, results in {printable(self.out)}"

    def _records(self) -> Iterator[Record]:
        """Of this folder of results, none of another one that lies in it."""
        for path in sorted(self.out.rglob(RECORD)):
            record = read(path.parent)
            if record is not None and record.name == printable(path.parent.relative_to(self.out)):
                yield record


def read(folder: Path) -> Record | None:
    """None where there is none, or none that can be read."""
    try:
        record = Record(**json.loads((folder / RECORD).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    kinds = {"clip": str, "path": str, "name": str, "wanted": dict, "judged": dict | None, "failure": str}
    return record if all(isinstance(getattr(record, name), kind) for name, kind in kinds.items()) else None


def _left(folder: Path, clip: Path) -> list[Path]:
    """What an earlier run has left of a clip. An export that somebody has changed since (annotations in ELAN) is theirs."""
    ours = [folder / one for one in RESULTS] if (folder / RESULTS[0]).is_file() else []
    record = read(folder)
    asked = record.wanted.get("exports") if record else None
    stem = Found(clip.name, []).stem
    exports = [folder / f"{stem}{ending}" for kind, (ending, _) in KINDS.items() if isinstance(asked, list) and kind in asked]
    return [*(path for path in exports if path.is_file() and path.stat().st_mtime_ns <= (folder / RECORD).stat().st_mtime_ns), *ours]


def _found(folder: Path, record: Record) -> Found:
    """What lies in a folder of results; of a clip that could not be opened nothing, whatever an earlier run has left there."""
    lines = []
    if record.judged is not None and (folder / "events.jsonl").exists():
        lines = (folder / "events.jsonl").read_text("utf-8").splitlines()
    known = [one.name for one in fields(Event)]
    events = [Event(**{key: value for key, value in json.loads(line).items() if key in known}) for line in lines]
    return Found(Path(record.clip).name, events, classes=record.classes)


def _stamp(clip: Path) -> tuple[int, int]:
    try:
        facts = [file.stat() for file in (pictures_in(clip) if clip.is_dir() else [clip])]
        return sum(one.st_size for one in facts), max((one.st_mtime_ns for one in facts), default=0)
    except OSError:  # gone
        return 0, 0


def _why(record: Record) -> str:
    name = Path(record.clip).name
    return record.failure if name in record.failure else f"{name}: {record.failure}"
