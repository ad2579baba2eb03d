"""Annotation tables as people and their programs really leave them."""

import shutil
import zipfile

import pytest
from places import DATA

openpyxl = pytest.importorskip("openpyxl")

from realtime.errors import UsageError
from train.data import annotations
from train.data.annotations import Clip, number, seconds
from train.data.annotations import read as read_rows
from train.data.loaders import casme2, generic

CASES = DATA.parent / "cases"
COLUMNS = {"subject": ("Subject",), "onset": ("Onset",)}


def book(path, cells, merged=()):
    made = openpyxl.Workbook()
    for place, value in cells.items():
        made.active[place] = value
    for one in merged:
        made.active.merge_cells(one)
    made.save(path)
    return path


def read(path):
    return [(row["subject"], row["onset"]) for row in read_rows(path, COLUMNS)]


SMALL = {"A1": "Subject", "B1": "Onset", "A2": "s1", "B2": 5}


def test_a_cell_at_the_far_corner_costs_nothing(tmp_path):
    assert read(book(tmp_path / "a.xlsx", SMALL | {"XFD1048576": "x"})) == [("s1", "5")]


def test_a_merged_range_that_spans_the_sheet_costs_nothing(tmp_path):
    file = book(tmp_path / "a.xlsx", SMALL, ["D1:D2"])
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'"D1:D2"', b'"D1:XFD1048576"'))
    assert read(tmp_path / "b.xlsx") == [("s1", "5")]


def test_a_merged_cell_speaks_for_each_of_its_rows(tmp_path):
    cells = SMALL | {"B3": 6, "B4": 7, "A5": "s2", "B5": 8}
    assert read(book(tmp_path / "a.xlsx", cells, ["A2:A4"])) == [("s1", "5"), ("s1", "6"), ("s1", "7"), ("s2", "8")]


@pytest.mark.parametrize(
    "text", ["Subject,Onset\ns1,5\n", "Subject;Onset\r\ns1;5\r\n", "\ufeffSubject\tOnset\ns1\t5\n", "sep=;\nSubject;Onset\ns1;5"]
)
def test_commas_semicolons_and_tabs(tmp_path, text):
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    assert read(tmp_path / "a.csv") == [("s1", "5")]


@pytest.mark.parametrize(
    "content", [b"", b"\x00\x01", b"\xff\xfeS\x00", b'Subject,Onset\n"s1', b"Subject,Onset\n" + b"x" * 200_000, b"Subject,On\xe9"]
)
def test_a_damaged_csv_is_one_line(tmp_path, content):
    (tmp_path / "a.csv").write_bytes(content)
    try:
        read_rows(tmp_path / "a.csv", COLUMNS)
    except UsageError as error:
        assert "\n" not in str(error) and "a.csv" in str(error)


@pytest.mark.parametrize("cut", [0, 10, 0.3, 0.9])
def test_a_damaged_xlsx_is_one_line(tmp_path, cut):
    file = book(tmp_path / "a.xlsx", SMALL)
    whole = file.read_bytes()
    file.write_bytes(whole[: cut if isinstance(cut, int) else int(cut * len(whole))])
    with pytest.raises(UsageError, match="a.xlsx") as caught:
        read(file)
    assert "\n" not in str(caught.value)


def test_xml_that_is_damaged_inside_is_one_line(tmp_path):
    file = book(tmp_path / "a.xlsx", SMALL)
    for part in ("xl/worksheets/sheet1.xml", "xl/workbook.xml"):
        with zipfile.ZipFile(file) as old, zipfile.ZipFile(tmp_path / "b.xlsx", "w") as new:
            for name in old.namelist():
                new.writestr(name, old.read(name)[: len(old.read(name)) // 2] + b"<x&" if name == part else old.read(name))
        with pytest.raises(UsageError, match="b.xlsx") as caught:
            read(tmp_path / "b.xlsx")
        assert "\n" not in str(caught.value)


def test_a_table_that_unpacks_to_too_much_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(annotations, "MOST_BYTES", 100)
    with pytest.raises(UsageError, match="unpacks to more"):
        read(book(tmp_path / "a.xlsx", SMALL))


@pytest.mark.parametrize("text", ["9" * 400, "9" * 5000, "1e400", "-1", "nan", "inf", "1." + "0" * 400, "9" * 400 + ".5", ""])
def test_numbers_without_end(text):
    assert number(text) is None and seconds(text) is None


def test_numbers_as_people_write_them():
    assert number("46") == number("46.0") == 46
    assert seconds("2.04") == seconds("2,04") == 2.04 and seconds(",5") == 0.5


def test_paths_that_no_disk_takes_are_left_out(tmp_path):
    rows = "\n".join(f"{path},s1,1,2,3,happiness" for path in ("x" * 5000, "a\x00b", "..", "/", "clip.mp4/x"))
    (tmp_path / "a.csv").write_text(f"path,subject,onset,apex,offset,label\n{rows}\n")
    with pytest.raises(UsageError, match="no usable clip") as caught:
        generic(tmp_path)
    assert "\n" not in str(caught.value)


def test_the_cases_that_were_reported(tmp_path):
    if not CASES.is_dir():
        pytest.skip("the reported cases are absent")
    shutil.copy(CASES / "CASME2-merged-cells.xlsx", tmp_path / "CASME2-coding-20140508.xlsx")
    for subject, name, first, last in (
        ("01", "EP02_01f", 100, 121),
        ("01", "EP03_02", 218, 242),
        ("02", "EP04_02f", 338, 360),
        ("02", "EP13_04", 448, 473),
        ("03", "EP19_05f", 578, 598),
    ):
        folder = tmp_path / f"sub{subject}" / name
        folder.mkdir(parents=True)
        for frame in range(first, last + 1):
            (folder / f"img{frame}.jpg").touch()
    clips = casme2(tmp_path)
    assert [type(clip) for clip in clips] == [Clip] * 5 and len({clip.subject for clip in clips}) == 3
    (tmp_path / "set/clips").mkdir(parents=True)
    (tmp_path / "set/clips/P01.mp4").touch()
    shutil.copy(CASES / "semicolon.csv", tmp_path / "set")
    (clip,) = generic(tmp_path / "set")
    assert clip.label == "surprise" and clip.times == (2.04, 2.18, 2.36)
