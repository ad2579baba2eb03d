"""Which clips a command line means, and where the results of each go."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from realtime.errors import UsageError
from realtime.names import distinct, file_name
from realtime.sources import VIDEO_ENDINGS, is_stream
from realtime.sources.addresses import without_password
from realtime.sources.checks import pictures_in

OURS = ("events.jsonl", "recording.json")  # what lies beside an annotated.mp4 of ours
TAIL = 2**16  # bytes at a film's end in which it says that it is one of ours
HIDDEN, ANNOTATED = "hidden", "annotated by mer-live"
NAMED = 3  # of those left out


@dataclass
class Clips:
    """The clips that a command line means.

    Attributes:
        jobs: each clip and the name of its folder of results, without what a word of the command line means twice.
        left_out: the files of a folder that were passed over, by why.
    """

    jobs: list[tuple[Path, Path]]
    left_out: dict[str, list[Path]] = field(default_factory=dict)

    def words(self) -> list[str]:
        """What was left out, a line for each reason."""
        return [f"left out ({why}): {_listed(files)}" for why, files in self.left_out.items()]


def find_clips(words: list[str], whose: Callable[[Path, Path], bool | None] = lambda clip, name: None) -> Clips:
    """Clips and the name of each one's folder of results; folders are walked, but for hidden files and videos of our own. Where no
    video lies below a folder, each folder of pictures there is a clip.

    A clip's folder is called after it: "a" of a.mp4; "a.mp4" where an a.mov is there, too, or "a" is another clip's. The
    order of files plays no part.

    Args:
        whose: whether an earlier run has left this clip's results in a folder (True), another's (False), or none (None).

    Raises:
        UsageError: there is no clip, and for an address.
    """
    found: dict[Path, tuple[Path, Path]] = {}  # where it really is → the clip as named, and seen from its word
    clips = Clips([])
    for word in words:  # as a path it would lose a slash, and with it what tells that a password is in it
        if is_stream(word):
            raise UsageError(f"mer-replay takes files: mer-live --source {without_password(word, user=True)}")
    for path in map(Path, words):
        inside = [path]
        if path.is_dir():
            films = sorted(p for p in path.rglob("*") if p.suffix.lower() in VIDEO_ENDINGS and p.is_file())
            inside = []
            for film in films or _series(path):
                why = _why_not(film, path)
                (clips.left_out.setdefault(why, []) if why else inside).append(film)
            if not inside:
                but = f" ({'; '.join(clips.words())})" if clips.left_out else ""
                raise UsageError(f"no clip in the folder {path}{but}: expected files ending in {', '.join(VIDEO_ENDINGS)}, or folders of pictures")
        for clip in inside:
            found.setdefault(clip.absolute(), (clip, Path(clip.name) if clip == path else clip.relative_to(path)))
    if not found:
        raise UsageError("no clip given: name files or folders before the settings")
    wishes = []
    for real, (clip, seen) in found.items():
        *others, last = _wishes(real, seen)
        held = {name: whose(clip, name) for name in others}
        own = [name for name in others if held[name]]  # where its results are, there they stay
        wishes.append([str(name) for name in (*own, *(name for name in others if held[name] is None), last)])
    names = distinct(wishes)
    clips.jobs = [(clip, Path(name)) for (clip, _), name in zip(found.values(), names, strict=True)]
    return clips


def _wishes(real: Path, seen: Path) -> list[Path]:
    """Names for a clip's folder of results, the last of which no other clip has: never outside the folder of all results,
    whatever the clip is called."""
    parent = Path(*map(file_name, seen.parent.parts))
    stem, name = file_name(seen.name if real.is_dir() else seen.stem), file_name(seen.name)
    above = real.parents[len(seen.parts) - 1].name  # of two folders with clips of the same names
    wishes = [parent / stem, parent / name]
    wishes += [Path(file_name(above)) / wish for wish in wishes] if above else []
    return [*wishes, parent / f"{stem}-{zlib.crc32(str(real).encode(errors='backslashreplace')):08x}"]


def _series(folder: Path) -> list[Path]:
    """The folders of pictures at and below `folder`; what we have drawn ourselves is none."""
    below = [folder, *(path for path in sorted(folder.rglob("*")) if path.is_dir())]
    return [path for path in below if len(pictures_in(path)) > 1 and not any((path / name).exists() for name in OURS)]


def _why_not(film: Path, folder: Path) -> str | None:
    if any(part.startswith(".") for part in film.relative_to(folder).parts):
        return HIDDEN
    if film.name == "annotated.mp4" and any((film.parent / name).exists() for name in OURS):
        return ANNOTATED
    return ANNOTATED if "annotated" in film.name and _says_that_it_is_ours(film) else None


def _listed(files: list[Path]) -> str:
    more = f" and {len(files) - NAMED} more" if len(files) > NAMED else ""
    return ", ".join(str(file) for file in files[:NAMED]) + more


def _says_that_it_is_ours(film: Path) -> bool:
    from realtime.output.video import COMMENT

    try:
        with open(film, "rb") as file:
            file.seek(max(0, film.stat().st_size - TAIL))
            return COMMENT.encode() in file.read()
    except OSError:
        return False  # whoever opens it will say more
