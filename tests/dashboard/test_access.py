"""Who may reach the page and what it takes, without starting it."""

import fcntl
import os
import socket
from fractions import Fraction
from pathlib import Path

import pytest

for part in ("gradio", "websockets"):
    pytest.importorskip(part, reason=f"{part} is not installed (pip install 'mer-live[demo]')")
from realtime.cli.demo import main
from realtime.dashboard.server import access
from realtime.dashboard.shared import DemoSettings, Limits, Shared
from realtime.errors import SourceError, UsageError


def refused(capsys, *args):
    """The one line that mer-demo ends with."""
    with pytest.raises(SystemExit) as end:
        main(list(args), prog_name="mer-demo")
    said = capsys.readouterr().err
    assert end.value.code == 2 and said.count("\n") == 1, said
    return said


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_another_host_needs_a_password(capsys, monkeypatch, host):
    monkeypatch.delenv(access.PASSWORD, raising=False)
    said = refused(capsys, "--host", host, "--no-browser")
    assert access.PASSWORD in said and "--password-file" in said


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_this_machine_needs_none(host):
    access.check_host(host, None)


def test_a_password_is_long_enough_and_leaves_the_environment(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv(access.PASSWORD, "short")
    assert "5 characters" in refused(capsys, "--host", "0.0.0.0")
    assert access.PASSWORD not in os.environ
    (tmp_path / "p").write_text("correct horse\n")
    assert access.read_password(tmp_path / "p") == "correct horse"
    assert "cannot read the password file" in refused(capsys, "--password-file", str(tmp_path / "none"))


def test_there_is_no_flag_for_a_password(capsys):
    assert "No such option" in refused(capsys, "--password", "secret123")


def test_a_taken_port_says_which_to_try(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"try --port {port + 1}" in refused(capsys, "--port", str(port), "--no-browser")


def test_private_folder_is_emptied_also_after_a_crash(tmp_path, monkeypatch):
    monkeypatch.setattr(access.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(access.tempfile, "tempdir", str(tmp_path))
    crashed = tmp_path / f"{access.PREFIX}crashed"
    crashed.mkdir()
    (crashed / "lock").touch()
    (crashed / "face.png").write_text("left behind")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "lock").touch()
    (tmp_path / f"{access.PREFIX}link").symlink_to(elsewhere)
    alive = tmp_path / f"{access.PREFIX}alive"
    alive.mkdir()
    with open(alive / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = access.PrivateFolder()
        assert not crashed.exists() and alive.exists() and (elsewhere / "lock").exists()
    assert folder.path.stat().st_mode & 0o777 == 0o700
    (folder.path / "sub").mkdir()
    folder.close()
    assert not folder.path.exists()


@pytest.mark.parametrize(
    "name, safe",
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\a.mp4", "a.mp4"),
        ("a\nb\x00.mp4", "ab.mp4"),
        ("...", "recording"),
        ("<img src=x onerror=alert(1)>.mp4", "<img src=x onerror=alert(1)>.mp4"),
        ("x" * 400 + ".mp4", "x" * 116 + ".mp4"),
    ],
)
def test_names_from_a_browser_are_plain(name, safe):
    assert access.safe_name(name) == safe


def test_what_is_no_recording_is_refused_by_its_name_alone(tmp_path):
    for name, content in {"text.mp4": b"these are words\n" * 50, "empty.mp4": b"", "notes.txt": b"words"}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SourceError) as error:
            access.check_upload(tmp_path / name, Limits())
        assert name in str(error.value) and str(tmp_path) not in str(error.value)


def test_size_and_length_are_limited(tmp_path):
    clip = _three_hours(tmp_path / "long.mp4")
    with pytest.raises(SourceError, match="3.0 hours long: at most 2"):
        access.check_upload(clip, Limits())
    with pytest.raises(SourceError, match="at most 1e-06 GB are taken"):
        access.check_upload(clip, Limits(upload_gb=1e-6))
    assert access.check_upload(clip, Limits(hours=4)).width == 64


def test_downloads_are_of_one_session_and_end_with_it(tmp_path):
    shared = Shared(DemoSettings(), tmp_path, tmp_path / "log.sqlite3")
    ended = []
    shared.at_session_end(ended.append)
    made = shared.folder("one") / "events.csv"
    made.write_text("a")
    token = shared.offer(made, "one").split("/")[3]
    assert shared.offered(token) == made
    (shared.folder("one") / "link").symlink_to("/etc/passwd")
    for outside in (made, Path("/etc/passwd"), shared.folder("one") / "link"):
        with pytest.raises(ValueError):
            shared.offer(outside, "two" if outside == made else "one")
    shared.end_session("one")
    assert shared.offered(token) is None and not made.exists() and ended == ["one"]


def test_read_only_refuses_by_name():
    with pytest.raises(UsageError, match="Deleting is switched off"):
        Shared(DemoSettings(), Path("."), Path("log"), read_only=True).refuse_if_read_only("Deleting")


def _three_hours(path: Path) -> Path:
    import av
    import numpy as np

    with av.open(str(path), "w") as out:
        stream = out.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 64
        stream.codec_context.time_base = Fraction(1, 25)
        for minute in range(0, 181, 20):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), minute, np.uint8), format="rgb24")
            frame.pts, frame.time_base = minute * 60 * 25, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path
