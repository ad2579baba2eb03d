"""Small data sets as they are published, whose pictures show a face that moves; made and prepared once for all tests.

    def test_a_table(small_sets, tmp_path):
        root = small_sets.root("casme2")      # as it is published: for `mer-train prepare data=casme2 data.root=…`
        cache = small_sets.cache("casme2")    # prepared: for data.cache, data.more, data.pretrain, data.test
        words = small_sets.words("casme2")    # ["data=casme2", "data.cache=…"], for `mer-train` and `mer-bench`

`small_sets` is a fixture of tests/train/conftest.py; what is asked for is made then, in about two seconds a set, and shared by all
workers, so nobody writes there (data.cache's own inputs/ apart). Each of PEOPLE people shows every emotion of the set's largest
grouping once, in LENGTH frames with the apex in the middle; each emotion is another movement, so that networks can learn it.
casme3 holds a clip more of its first person, whose apex is its onset, and one of its second, whose offset is, too. `images` are
stills of the apex, for SA-AT's teacher.
"""

from functools import cache
from pathlib import Path

import cv2
import made_faces
import numpy as np
from click.testing import CliRunner
from made_once import once
from made_sets import CASME2, MMEW, SAMM, xlsx

PEOPLE = 3
LENGTH = 7  # frames of a clip
FIRST = 11  # the number of its first frame, where its folder holds this clip alone
APEX = LENGTH // 2  # frames after the first

# where a face moves, by points of the mesh, and whither (pixels at the apex: right, down)
MOVES = {
    "happiness": ((61, -1, -3), (291, 1, -3)),
    "surprise": ((105, 0, -3), (334, 0, -3)),
    "disgust": ((105, 0, 3), (334, 0, 3)),
    "anger": ((55, 2, 3), (285, -2, 3)),
    "sadness": ((61, 0, 3), (291, 0, 3)),
    "fear": ((55, 0, -3), (285, 0, -3)),
    "contempt": ((291, 2, -3),),
    "repression": ((17, 0, -3),),
    "others": ((61, -3, 0),),
}
CLASSES = {"negative": "disgust", "positive": "happiness"}
EMOTIONS = {
    "casme2": ("happiness", "disgust", "repression", "surprise", "others"),
    "samm": ("happiness", "anger", "contempt", "surprise", "others"),
    "smic": ("negative", "positive", "surprise"),
    "mmew": ("happiness", "disgust", "surprise", "fear", "sadness", "others"),
    "casme3": ("anger", "disgust", "fear", "happiness", "others", "sadness", "surprise"),
    "dfme": ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise"),
    "4dme": ("negative", "positive", "surprise", "repression", "others"),
    "ckplus": ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise"),
    "images": ("anger", "disgust", "fear", "happiness", "sadness", "surprise"),
}


class SmallSets:
    """See the module."""

    def __init__(self, tmp_path_factory):
        self._factory = tmp_path_factory

    def root(self, name: str) -> Path:
        """The folder of the set `name`, a key of EMOTIONS."""
        return once(self._factory, f"small-{name}", globals()[f"_{name}"])

    def cache(self, name: str) -> Path:
        """Where it was prepared."""
        root = self.root(name)
        return once(self._factory, f"small-{name}-prepared", lambda folder: _prepare(name, root, folder))

    def words(self, name: str) -> list[str]:
        """The words of a command that choose it; of "composite" the three sets of MEGC2019."""
        if name == "composite":
            return ["data=composite", f"data.cache=[{','.join(str(self.cache(one)) for one in ('casme2', 'samm', 'smic'))}]"]
        return [f"data={name}", f"data.cache={self.cache(name)}"]


def _prepare(name: str, root: Path, folder: Path) -> None:
    from train.cli import main

    done = CliRunner().invoke(main, ["prepare", f"data={name}", f"data.root={root}", f"data.cache={folder}"])
    assert done.exit_code == 0, done.output


def _casme2(root: Path) -> None:
    rows = []
    for person, number, emotion in _everybody("casme2"):
        name = f"EP{number:02d}_01f"
        rows.append([person, name, None, *_moments(), None, "4", emotion])
        _clip(root / f"CASME2-RAW/sub{person:02d}/{name}", "img{}.jpg", person, emotion)
    xlsx(root / "CASME2-coding-20140508.xlsx", [CASME2, *rows])


def _samm(root: Path) -> None:
    lines = [["SAMM Micro-Expression FACS Codes"], *([[None]] * 12), SAMM]
    for person, number, emotion in _everybody("samm"):
        name = f"{person:03d}_{number}_1"
        lines.append([f"{person:03d}", name, number, *_moments(), LENGTH, 0.045, "4", "Other" if emotion == "others" else emotion.title(), 3, None])
        _clip(root / f"SAMM/{person:03d}/{name}", f"{person:03d}_{{:05d}}.jpg", person, emotion)
    xlsx(root / "SAMM_Micro_FACS_Codes_v2.xlsx", lines, "MICRO_ONLY", before=["README"])


def _smic(root: Path) -> None:
    for person, _, emotion in _everybody("smic"):
        folder = root / f"HS/s{person}/micro/{emotion}/s{person}_{emotion[:2]}_01"
        _clip(folder, "reg_image{:03d}.bmp", person, emotion)


def _mmew(root: Path) -> None:
    rows = []
    for person, number, emotion in _everybody("mmew"):
        name = f"S{person:02d}-{number:02d}-001"
        rows.append([person, name, *_moments(), "4", emotion, None])
        _clip(root / f"Micro_Expression/{emotion}/{name}", "{}.jpg", person, emotion)
        if emotion != "others":
            _clip(root / f"Macro_Expression/S{person:02d}/{emotion}/S{person:02d}-{number:02d}-002", "{}.jpg", person, emotion)
    xlsx(root / "MMEW_Micro_Exp.xlsx", [MMEW, *rows])


def _casme3(root: Path) -> None:
    """A recording a person, one clip after the other in it; two more show no movement."""
    spoken = {"happiness": "happy", "sadness": "sad", "others": "Others"}
    micro = [["Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion"]]
    macro = [["sub", "seq", "onset", "apex", "offset", "AU", "emotion"]]
    for person, number, emotion in _everybody("casme3"):
        moments, label = [str(n) for n in _moments(100 * number)], spoken.get(emotion, emotion)
        micro.append([f"spNO.{person}", "a", *moments, "4", "III", label])
        _clip(root / f"part_A/spNO.{person}/a/color", "{}.jpg", person, emotion, 100 * number)
        if emotion in ("happiness", "disgust", "surprise"):
            macro.append([f"spNO.{person}", "b", *moments, "4", label])
            _clip(root / f"part_A/spNO.{person}/b/color", "{}.jpg", person, emotion, 100 * number)
    micro.append(["spNO.1", "a", "101", "101", "106", "4", "III", "anger"])
    micro.append(["spNO.2", "a", "202", "202", "202", "4", "III", "disgust"])
    xlsx(root / "annotation/cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx", micro, "label")
    xlsx(root / "annotation/cas(me)3_part_A_MaE_label_JpgIndex_v2_emotion.xlsx", macro)


def _dfme(root: Path) -> None:
    """The second person's clips are those of the test."""
    head = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Emotion", "AU"]
    rows: dict[str, list] = {"training": [head], "testB": [head]}
    for person, number, emotion in _everybody("dfme"):
        part, folder = ("testB", "test_data_B/test_data_B") if person == 2 else ("training", "train_data/train_data")
        rows[part].append([f"sub{person:04d}", f"sub{person:04d}_{number:02d}", *_moments(0), emotion.title(), "4+7"])
        _clip(root / folder / f"sub{person:04d}_{number:02d}", "{:05d}.png", person, emotion, 0)
    for part, lines in rows.items():
        xlsx(root / f"full_release_annotation/{part}_full_with_AU.xlsx", lines)


def _4dme(root: Path) -> None:
    """With a macro-expression of each person, and of the first one a clip of two emotions that are one of three classes."""
    lines = [[None, "SubID", "VideoNo", "longclipNo", "MENo", "fold_name", None, None, "Onset", "Apex", "Offset", "AU", None, "Emotion"]]
    inner = "{0}_short_gray_video/{0} short gray video"
    for person, number, emotion in _everybody("4dme"):
        label = "Negative, Repression" if (person, emotion) == (1, "repression") else emotion.title()
        name = f"{person:02d}_{number}_1"
        lines.append([None, f"{person:02d}", number, 1, 1, name, None, None, *_moments(1826), "4", None, label])
        _clip(root / inner.format("micro") / f"{person:02d}/{name}", "Frame_{:09d}.jpg", person, emotion, 1826)
        if emotion == "surprise":
            lines.append([None, f"{person:02d}", number, 2, 1, f"{name}_2", None, None, *_moments(2826), "1+2", None, label])
            _clip(root / inner.format("macro") / f"{person:02d}/{name}_2", "Frame_{:09d}.jpg", person, emotion, 2826)
    xlsx(root / "Micro_and_Macro-expression_labels_new_2D.xlsx", lines)


def _ckplus(root: Path) -> None:
    numbers = ("neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
    for person, number, emotion in _everybody("ckplus"):
        who, which = f"S{person:03d}", f"{number:03d}"
        _clip(root / f"cohn-kanade-images/{who}/{which}", f"{who}_{which}_{{:08d}}.png", person, emotion, 1, APEX + 1)
        note = root / f"Emotion/{who}/{which}/{who}_{which}_{APEX + 1:08d}_emotion.txt"
        note.parent.mkdir(parents=True)
        note.write_text(f"   {numbers.index(emotion)}.0000000e+00\n")


def _images(root: Path) -> None:
    for person, number, emotion in _everybody("images"):
        file = root / f"{emotion}/p{person:02d}_{number}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_picture(person, emotion, APEX, ".jpg"))


def _everybody(name: str):
    """(person, number of the clip, emotion), both from 1 on."""
    return [(person, number, emotion) for person in range(1, PEOPLE + 1) for number, emotion in enumerate(EMOTIONS[name], 1)]


def _moments(first: int = FIRST) -> tuple[int, int, int]:
    return first, first + APEX, first + LENGTH - 1


def _clip(folder: Path, pattern: str, person: int, emotion: str, first: int = FIRST, length: int = LENGTH) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(length):
        file = folder / pattern.format(first + number)
        file.write_bytes(_picture(person, emotion, number, file.suffix))


@cache
def _picture(person: int, emotion: str, number: int, suffix: str) -> bytes:
    """The face of a person (the same one, in another light) so many frames after the onset, as a file."""
    face = _face(CLASSES.get(emotion, emotion), number)
    light = face.astype(np.float32) * (0.8 + 0.1 * person)
    quality = [cv2.IMWRITE_JPEG_QUALITY, 95] if suffix == ".jpg" else []
    return cv2.imencode(suffix, np.clip(light, 0, 255).astype(np.uint8), quality)[1].tobytes()


@cache
def _face(emotion: str, number: int) -> np.ndarray:
    face, points = made_faces.FACE, made_faces._landmarks(made_faces.FACE)
    y, x = np.mgrid[: face.shape[0], : face.shape[1]].astype(np.float32)
    strength = np.sin(np.pi * number / (LENGTH - 1))
    moved_x, moved_y = x.copy(), y.copy()
    for point, right, down in MOVES[emotion]:
        at = points[point]
        here = strength * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / 72)
        moved_x -= right * here
        moved_y -= down * here
    return cv2.remap(face, moved_x, moved_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
