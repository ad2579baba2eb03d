"""Names that no terminal, table or disk takes as they are, from the folder of recordings to the last export."""

import json
import os
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner
from demo_clips import demo_start
from places import ROOT

from realtime.cli import replay_one as replaying
from realtime.cli.log import main as log
from realtime.cli.replay import main as replay
from realtime.names import file_name, plain, printable
from realtime.review import Reviews
from realtime.review.data_set import export

ODD = b"caf\xe9 [/b]\x1b[31m\n\xe2\x80\xae.mp4".replace(b"/", b"-")
SHOWN = "caf\\xe9 [-b]\\x1b[31m\\x0a\\u202e.mp4"


@pytest.mark.parametrize(
    "name, shown",
    [
        ("clip ü 顔 😀.mp4", "clip ü 顔 😀.mp4"),
        (os.fsdecode(b"caf\xe9.mp4"), "caf\\xe9.mp4"),
        ("\ud800", "\\ud800"),  # half a character, as a damaged archive may leave it
        ("\x1b[2J\x07\x9b", "\\x1b[2J\\x07\\x9b"),
        ("a\nb\r\u2028", "a\\x0ab\\x0d\\u2028"),
        ("gpj\u202e.exe", "gpj\\u202e.exe"),
    ],
)
def test_a_name_that_can_be_shown_and_written(name, shown):
    assert printable(name) == shown
    printable(name).encode()
    assert printable(plain(name)) == printable(name) and plain(name).encode()  # one spelling
    assert plain(name) == name or any("\ud800" <= one <= "\udfff" for one in name)


@pytest.mark.parametrize("wish", ["..", ".", "", "\x00", "a" * 250, "ü" * 125, os.fsdecode(b"\xe9" * 250), "顔" * 80 + "a"])
def test_a_name_that_a_disk_takes(wish, tmp_path):
    name = file_name(wish)
    assert name not in ("", ".", "..") and len(name.encode()) <= 150
    (tmp_path / f"{name}.part.parquet").touch()


def test_long_names_with_one_beginning_stay_apart():
    assert file_name("a" * 200 + "1") != file_name("a" * 200 + "2") and file_name("a" * 150) == "a" * 150


def test_odd_names_end_to_end(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("in/x[").mkdir(parents=True)
    demo_start(b"in/" + ODD, 3.0)
    for name in (b"...mp4", b"x[/b].mp4", b"a" * 250 + b".mp4", b"in a, b=c'\"#~(){}$x^2$.mp4"):
        demo_start(b"in/" + name, 0.2)
    kinds = "elan,webvtt,report,parquet"
    out, model = Path("out a,b = [c] ${oc.env:HOME} 'd' #e ~(f)"), Path("net, = {g} ${oc.env:HOME}.onnx")
    for ending in (".onnx", ".json"):
        shutil.copy(ROOT / f"engines/zoo/kernel_ridge{ending}", model.with_suffix(ending))
    words = ["in", "in/...mp4", "--out", out, "--export", kinds, "--model", model]
    done = CliRunner().invoke(replay, list(map(str, words)), prog_name="mer-replay")
    assert done.exit_code == 0, done.output
    assert "\x1b" not in done.output and f"in/{SHOWN}: 1 events" in done.stdout and "x[/b].mp4: " in done.stdout
    made = {path.name for path in tmp_path.iterdir() if not path.name.startswith("log.sqlite3")}
    assert made == {"in", out.name, model.name, model.with_suffix(".json").name}
    assert len(list(out.rglob("timeline.png"))) == len(list(out.rglob("*.eaf"))) == 5
    folder = out / file_name(Path(SHOWN).stem)
    assert json.loads((folder / "events.jsonl").read_text())["source"] == f"in/{SHOWN}"
    assert (folder / "events.csv").read_text(encoding="utf-8-sig").count("\n") == 2
    ET.parse(next(folder.glob("*.eaf")))

    for words in (["list"], ["show"], ["export", "all.csv"], ["export", "all.jsonl"], ["export", "all.parquet"], ["review", "show"]):
        told = CliRunner().invoke(log, words, prog_name="mer-log")
        assert told.exit_code == 0 and "\x1b" not in told.output, told.output
    assert json.loads(Path("all.jsonl").read_text())["source"] == f"in/{SHOWN}"
    reviews = Reviews()
    (session,), (event,) = reviews.log.sessions(), reviews.log.events()
    assert event["source"] in session["sources"] and Path(session["files"][event["source"]]).read_bytes()
    (item,) = reviews.items(session["id"])
    reviews.judge(session["id"], item.key, "Ann")
    ((name, why),) = export(reviews, tmp_path / "training").left_out
    assert SHOWN in name and "not UTF-8" in why


def test_a_defect_in_one_clip_leaves_the_others(tmp_path, monkeypatch):
    for name in ("a", "b"):
        demo_start(str(tmp_path / f"{name}.mp4").encode(), 0.2)
    draw, add = replaying.draw, replaying.Trace.add

    def fails(path, *rest):
        if path.parent.name == "a":
            raise ZeroDivisionError("at the end of a")
        draw(path, *rest)

    monkeypatch.setattr(replaying, "draw", fails)
    words = [*(str(tmp_path / f"{name}.mp4") for name in "ab"), "--out", str(tmp_path / "out"), "--no-log"]
    done = CliRunner().invoke(replay, words, prog_name="mer-replay")
    assert done.exit_code == 1 and "a.mp4 ended by a defect" in done.stderr and "ZeroDivisionError: at the end of a" in done.stderr
    assert done.stderr.count("\n") < 12 and (tmp_path / "out/b/timeline.png").exists() and "b.mp4: " in done.stdout

    calls = []

    def stumbles(self, *values):
        calls.append(self)
        if self is calls[0]:
            raise KeyError("within a")
        add(self, *values)

    monkeypatch.setattr(replaying, "draw", draw)
    monkeypatch.setattr(replaying.Trace, "add", stumbles)
    words[-2] = str(tmp_path / "again")
    done = CliRunner().invoke(replay, words, prog_name="mer-replay")
    assert done.exit_code == 1 and "a.mp4 ended by a defect" in done.stderr and "KeyError: 'within a'" in done.stderr
    assert (tmp_path / "again/b/timeline.png").exists() and "b.mp4: " in done.stdout
