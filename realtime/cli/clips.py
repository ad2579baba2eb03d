"""Which clips a command line means, and where the results of each go."""

from __future__ import annotations

from pathlib import Path

from realtime.errors import UsageError

ENDINGS = set(".mp4 .m4v .mov .mkv .avi .mpg .mpeg .webm .wmv .flv .mts .m2ts .ts .ogv .3gp".split())


def find_clips(words: list[str]) -> list[tuple[Path, Path]]:
    """Clips and the name of each one's folder of results; folders are walked. Raises UsageError where there is none."""
    found: list[tuple[Path, Path]] = []
    for path in map(Path, words):
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in ENDINGS and p.is_file())
            if not inside:
                raise UsageError(f"no clip in the folder {path}: expected files ending in {', '.join(sorted(ENDINGS))}")
            found += [(clip, clip.relative_to(path).with_suffix("")) for clip in inside]
        else:
            found.append((path, Path(path.stem)))
    if not found:
        raise UsageError("no clip given: name files or folders before the settings")
    taken: dict[Path, int] = {}
    jobs = []
    for clip, name in found:
        taken[name] = taken.get(name, 0) + 1
        # a.mov beside a.mp4: the second becomes a-2
        jobs.append((clip, name if taken[name] == 1 else name.with_name(f"{name.name}-{taken[name]}")))
    return jobs
