"""Small trees in the real layouts of the data sets, with their known errors: tiny grey frames, real table columns."""

import csv
from pathlib import Path

import cv2
import numpy as np
from openpyxl import Workbook, load_workbook


def picture(path: Path, shade: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((8, 8, 3), shade % 256, np.uint8))
    return path


def run(folder: Path, pattern: str, numbers) -> None:
    for n in numbers:
        picture(folder / pattern.format(n), n)


def xlsx(path: Path, lines, sheet: str = "Sheet1", before=()) -> Path:
    """A workbook whose sheet `sheet` stands behind those of `before`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    book = Workbook()
    book.remove(book.active)
    for name in before:
        book.create_sheet(name).append(["nothing here"])
    page = book.create_sheet(sheet)
    for line in lines:
        page.append(line)
    book.save(path)
    return path


def table(path: Path, lines) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file).writerows(lines)
    return path


CASME2 = ["Subject", "Filename", None, "OnsetFrame", "ApexFrame", "OffsetFrame", None]
CASME2 += ["Action Units", "Estimated Emotion"]


def casme2(root: Path, frames: str = "Cropped/sub{:02d}/{}", name: str = "reg_img{}.jpg") -> Path:
    xlsx(
        root / "CASME2-coding-20140508.xlsx",
        [
            CASME2,
            [1, "EP02_01f", None, 46, 59, 86, None, "12", "happiness"],
            [1, "EP19_05f", None, 1, "/", 9, None, "4+L10", "disgust"],
            [4, "EP12_01f", None, 5, 8, 4, None, "4", "disgust"],  # an offset that cannot be: the folder ends at 20
            [26, "EP13_01", None, 10, 15, 20, None, "4", "others"],  # no such folder
            [16, "EP01_08", None, 73, 94, 110, None, "4", "disgust"],  # cut short on disk
            [26, "EP18_50", None, 10, 10, 20, None, "4", "Others "],  # no movement
        ],
    )
    for subject, clip, numbers in (
        (1, "EP02_01f", range(44, 90)),
        (1, "EP19_05f", range(1, 10)),
        (4, "EP12_01f", range(5, 21)),
        (16, "EP01_08", range(73, 97)),
        (26, "EP18_50", range(10, 21)),
    ):
        run(root / frames.format(subject, clip), name, numbers)
    return root


SAMM = ["Subject", "Filename", "Inducement Code", "Onset Frame", "Apex Frame", "Offset Frame", "Duration", "Micro"]
SAMM += ["Action Units", "Estimated Emotion", "Objective Classes", "Notes"]


def samm(root: Path) -> Path:
    lines = [["SAMM Micro-Expression FACS Codes"], *([[None]] * 12), SAMM]
    lines += [["006", "006_1_2", 1, 5562, 5565, 5570, 9, 0.045, "4", "Anger", 3, None]]
    lines += [[7, "007_3_1", 3, 12.0, -1, 20.0, 9, 0.045, "12", "Other", 7, "subject became a number"]]
    xlsx(root / "SAMM_Micro_FACS_Codes_v2.xlsx", lines, "MICRO_ONLY", before=["README"])
    run(root / "SAMM/006/006_1_2", "006_{:05d}.jpg", range(5562, 5571))
    run(root / "SAMM/007/007_3_1", "007_{:04d}.jpg", range(12, 21))
    return root


def smic(root: Path) -> Path:
    base = root / "SMIC_all_cropped/HS"
    run(base / "s1/micro/negative/s1_ne_01", "reg_image{:03d}.bmp", range(1, 12))
    run(base / "s11/micro/surprise/s11_sur_01", "reg_image{:06d}.bmp", range(500, 510))
    (base / "s11/micro/positive/s11_po_01").mkdir(parents=True)
    run(root / "SMIC_all_cropped/NIR/s11/micro/negative/s11_ne_09", "reg_image{:03d}.bmp", range(3))
    return root


MMEW = ["Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units", "Estimated Emotion", "remarks"]


def mmew(root: Path) -> Path:
    xlsx(
        root / "MMEW_Micro_Exp.xlsx",
        [
            MMEW,
            [1, "S01-01-001", 3, 7, 12, "6+12", "happiness", None],
            [2, "S02-07-001", 31, 35, 40, "4", "others", "numbers of the whole recording"],
        ],
    )
    run(root / "Micro_Expression/happiness/S01-01-001", "{}.jpg", range(1, 15))
    run(root / "Micro_Expression/repression/S02-07-001", "{}.jpg", range(1, 11))
    picture(root / "Macro_Expression/S01/anger/S01-07-001.jpg")
    run(root / "Macro_Expression/S02/fear/S02-03-002", "{}.jpg", range(1, 8))
    return root


def casme3(root: Path, cut: bool = False) -> Path:
    me = ["Subject", "Filename", "Onset", "Apex", "Offset", "AU", "Objective class", "emotion"]
    xlsx(
        root / "annotation/cas(me)3_part_A_ME_label_JpgIndex_v2.xlsx",
        [
            me,
            ["spNO.1", "a", 5, 8, 11, "4", "III", "disgust"],
            ["spNO.1", "a", 12, 12, 16, "4", "III", "disgust"],  # apex equal to onset
            ["spNO.1", "a", 13, 16, 16, "4", "III", "fear"],  # to offset
            ["spNO.1", "a", 17, 17, 17, "4", "III", "anger"],  # to both
            ["spNO.1", "a", 17, 18, 17, "4", "III", "anger"],
            ["spNO.1", "a", 20, 18, 24, "4", "III", "Others"],  # apex before onset
            ["spNO.1", "a", 20, 22, 24, "4", "III", "Others"],
            ["spNO.1", "a", 20, 22, 24, "4", "III", "Others"],  # twice
            ["spNO.2", "b", 0, 2, 4, "4", "III", "others"],  # the frames begin at 1
        ],
        "label",
        before=["info"],
    )
    mae = ["sub", "seq", "onset", "apex", "offset", "AU", "emotion"]
    macro = [mae, ["spNO.2", "b", 2, 14, 29, "6+12", "happy"]]
    xlsx(root / "annotation/cas(me)3_part_A_MaE_label_JpgIndex_v2_emotion.xlsx", macro)
    if cut:
        run(root / "frame/spNO.1_a_5", "{}.jpg", range(5, 12))
        return root
    run(root / "part_A/spNO.1/a/color", "{}.jpg", range(1, 31))
    run(root / "part_A/spNO.2/b/color", "{}.jpg", range(1, 31))
    return root


def ckplus(root: Path) -> Path:
    for person, sequence, last, emotion in (("S005", "001", 11, "   3.0000000e+00\n"), ("S010", "002", 14, "x")):
        run(root / f"cohn-kanade-images/{person}/{sequence}", f"{person}_{sequence}_{{:08d}}.png", range(1, last + 1))
        note = root / f"Emotion/{person}/{sequence}/{person}_{sequence}_{last:08d}_emotion.txt"
        note.parent.mkdir(parents=True)
        note.write_text(emotion)
    run(root / "cohn-kanade-images/S005/002", "S005_002_{:08d}.png", range(1, 4))  # never labelled
    return root


def images(root: Path) -> Path:
    for path in ("Happiness/p01_a.jpg", "Happiness/p01_b.png", "anger/face.jpg"):
        picture(root / path)
    (root / "anger/.hidden.jpg").write_bytes(b"")
    return root


def generic(root: Path) -> Path:
    table(
        root / "clips.csv",
        [
            ["path", "subject", "onset", "apex", "offset", "label", "kind"],
            ["frames/one", "anna", 2, "", 6, "Surprise", ""],
            ["film.mp4", "ben", 0.5, 0.61, 0.8, "negative", "micro"],
            ["film.mp4", "ben", 2, "", 3, "positive", "macro"],
            ["face.png", "carl", "", "", "", "anger", "image"],
            ["absent.mp4", "ben", 1, 2, 3, "positive", ""],
            ["film.mp4", "ben", 3, 2, 4, "positive", ""],
            ["film.mp4", "", 3, 3.5, 4, "positive", ""],
            ["face.png", "carl", 1, 2, 3, "anger", "micro"],
        ],
    )
    run(root / "frames/one", "{:03d}.png", range(1, 9))
    picture(root / "face.png")
    (root / "film.mp4").write_bytes(b"not decoded by a loader")
    return root


SAMM_LV = ["Subject", "Filename", "Inducement Code", "Onset", "Apex", "Offset", "Duration", "Type", "Action Units", "Notes"]


def samm_lv(root: Path) -> Path:
    lines = [["SAMM Long Videos"], *([[None]] * 8), SAMM_LV]
    lines += [["006", "006_1_1", 1, 11, 15, 20, "=F11-D11+1", "Micro - 1/2", "4+7", None]]
    lines += [[6, "006_1_2", 1, 25, -1, 40, None, "Macro", 4, "no apex"]]
    lines += [[6, "006_1_3", 1, 45, 50, 5476, None, "Macro", "R7C", "ends after the last frame"]]
    lines += [["020", "020_6_5", 6, 0, 4, 8, None, "Micro - 1/2", "12", "began before"]]
    lines += [["020", "020_7_1", 6, 1, 4, 8, None, "Micro - 1/2", "12", "no frames"]]
    lines += [["020", "020_6_6", 6, "?", 4, 8, None, "Micro - 1/2", "12", "no onset"]]
    xlsx(root / "SAMM_LongVideos_V3_Release.xlsx", lines, "FACS_Movement_Only", before=["Info"])
    faces = [["006", "006_1_1", 1, 5562, 5565, 5570, 9, 0.045, "4", "Anger", 3, None]]
    xlsx(root / "SAMM_Micro_FACS_Codes_v2.xlsx", [SAMM, *faces], "MICRO_ONLY")
    run(root / "SAMM_longvideos/006_1", "006_1_{:04d}.jpg", range(1, 61))
    run(root / "SAMM_longvideos/020_6", "020_6_{:05d}.jpg", range(1, 31))
    run(root / "cropped/020_6", "020_6_{:05d}.jpg", range(1, 31))
    return root


def cas_me2(root: Path) -> Path:
    lines = [
        [1, "disgust1_1", 5, 8, 12, "4", "negative", "micro-expression", "disgust"],
        [1, "disgust1_2", 20, 22, 0, "4+7", "negative", "macro-expression", "anger"],  # the video ends first
        [2, "happy1_1", 3, 4, 6, "12", "positive", "micro-expression", "happiness"],  # no such video
        [1, "disgust1_3", 14, 15, 17, "4", "others", "neither", "helpless"],
    ]
    path = xlsx(root / "CAS(ME)^2code_final(Updated).xlsx", lines, "CASFEcode_final")
    book = load_workbook(path)
    for name, rules in (
        ("naming rule1", [[15, "s15", 1], [16, "s16", 2]]),
        ("naming rule2", [[101, "disgust1"], ["0401", "anger1"], ["0503", "happy1"]]),
    ):
        page = book.create_sheet(name)
        for rule in rules:
            page.append(rule)
    book.save(path)
    run(root / "rawpic/s15/15_0101disgustingteeth", "img{}.jpg", range(1, 31))
    run(root / "cropped/s15/disgust1", "img{}.jpg", range(1, 31))
    return root


def megc(root: Path) -> Path:
    run(root / "SAMM_Test_cropped/001_1", "001_1_{:04d}.jpg", range(1, 41))
    run(root / "MEGC/CAS_Test_cropped/b", "img{:05d}.jpg", range(31))
    run(root / "elsewhere/c", "{}.jpg", range(1, 5))
    return root


def generic_long(root: Path) -> Path:
    table(
        root / "recordings.csv",
        [
            ["path", "subject", "kind", "onset", "apex", "offset", "label", "fps"],
            ["frames/one", "anna", "micro", 2, "", 6, "Surprise", 50],
            ["frames/one", "anna", "macro", 7, 8, 5, "", 50],  # ends before it begins
            ["film.mp4", "ben", "micro", 0.5, 0.6, 0.8, "negative", ""],
            ["film.mp4", "ben", "twitch", 2.5, 2.6, 2.8, "", ""],
            ["still.mp4", "carl", "", "", "", "", "", ""],
            ["absent.mp4", "ben", "micro", 1, 2, 3, "", ""],
            ["frames/two", "dora", "micro", 1, 2, 3, "", ""],  # no fps
        ],
    )
    run(root / "frames/one", "{:03d}.png", range(1, 9))
    run(root / "frames/two", "{:03d}.png", range(1, 9))
    for name in ("film.mp4", "still.mp4"):
        (root / name).write_bytes(b"not decoded by a loader")
    return root
