"""A folder of labelled faces, for SA-AT's teacher: ROOT/<emotion>/<person>_<anything>.jpg."""

from __future__ import annotations

from pathlib import Path

from realtime.errors import UsageError
from train.data import folders
from train.data.clip import Clip, LeftOut


def images(root: Path) -> list[Clip | LeftOut]:
    """Every picture as an image of its folder's emotion.

    The subject is the file's name up to the first "_", or the whole name where there is none: then every picture
    counts as a person of its own. Raises UsageError where there is no picture.
    """
    if not root.is_dir():
        raise UsageError(f"no folder '{root}': set data.root to one that holds a folder of pictures for each emotion")
    found: list[Clip | LeftOut] = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")):
        for path in folders.images(folder):
            name = f"{folder.name}/{path.name}"
            label = folder.name.strip().lower()
            found.append(Clip("images", path.stem.split("_")[0], name, "image", label, "", (path,), 0, name))
    if not found:
        raise UsageError(f"no pictures in '{root}': expected folders named after emotions, with .jpg, .png or .bmp")
    return folders.checked(found, root)
