"""Which cameras there are and what they offer, with a stand-in for the kernel's answers."""

import fcntl
import os
import struct

import pytest
from click.testing import CliRunner

from realtime.cli.live import main
from realtime.errors import SourceError, UsageError
from realtime.sources import SourceInfo, SourceSettings, cameras
from realtime.sources.checks import no_camera

# of /dev/video0: formats, their sizes, their rates; /dev/video1 keeps its metadata, /dev/video10 says no more than its name
MJPG = int.from_bytes(b"MJPG", "little")
SIZES = [(1280, 720), (640, 480)]
RATES = {(1280, 720): [(1, 30)], (640, 480): [(1001, 30000), (1, 60)]}


def kernel(file, question, answer):
    device, number = os.readlink(f"/proc/self/fd/{file}"), struct.unpack_from("I", answer)[0]
    if question == 0x80685600:
        struct.pack_into("2I", answer, 84, 0x84A00001, 0x04A00000 if device.endswith("1") else 0x04200001)
    elif question == 0xC0405602 and device.endswith("o0") and number == 0:
        struct.pack_into("I", answer, 44, MJPG)
    elif question == 0xC02C564A and struct.unpack_from("2I", answer) == (number, MJPG) and number < len(SIZES):
        struct.pack_into("3I", answer, 8, 1, *SIZES[number])
    elif question == 0xC034564B and number < len(rates := RATES[struct.unpack_from("2I", answer, 8)]):
        struct.pack_into("3I", answer, 16, 1, *rates[number])
    else:
        raise OSError(22, "Invalid argument")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    monkeypatch.setattr(cameras.sys, "platform", "linux")
    monkeypatch.setattr(cameras, "DEVICES", tmp_path)
    monkeypatch.setattr(cameras, "NAMES", tmp_path / "names")
    monkeypatch.setattr(fcntl, "ioctl", kernel)
    for number, name in ((0, "Logitech C920\n"), (1, "Logitech C920"), (10, "Front\x1b[31m camera")):
        (tmp_path / f"video{number}").touch()
        (tmp_path / f"names/video{number}").mkdir(parents=True)
        (tmp_path / f"names/video{number}/name").write_text(name)
    (tmp_path / "video-index").touch()


def test_they_are_listed_with_what_they_offer(machine):
    assert [str(camera) for camera in cameras.known()] == ["0 (Logitech C920)", "10 (Front\\x1b[31m camera)"]
    assert cameras.modes(0) == [cameras.Mode("MJPG", 1280, 720, (30.0,)), cameras.Mode("MJPG", 640, 480, (60.0, 30000 / 1001))]
    assert cameras.modes(10) == cameras.modes(7) == []
    said = CliRunner().invoke(main, ["--list-cameras"])
    assert said.exit_code == 0 and said.output.splitlines()[:2] == ["0  Logitech C920", "   MJPG  1280×720 at 30; 640×480 at 60, 29.97"]
    assert "cameras here: 0 (Logitech C920), 10 (Front" in no_camera(97)


def test_a_range_of_sizes_and_rates_is_told_by_its_ends(machine, monkeypatch):
    def stepwise(file, question, answer):
        if question == 0xC02C564A and answer[0] == 0:
            struct.pack_into("7I", answer, 8, 3, 160, 1920, 8, 120, 1080, 8)
        elif question == 0xC034564B and answer[0] == 0:
            struct.pack_into("5I", answer, 16, 2, 1, 90, 1, 5)
        elif question in (0xC02C564A, 0xC034564B):
            raise OSError(22, "Invalid argument")
        else:
            kernel(file, question, answer)

    monkeypatch.setattr(fcntl, "ioctl", stepwise)
    assert [str(mode) for mode in cameras.modes(0)] == ["1920×1080 at 90, 5", "160×120 at 90, 5"]
    assert all(mode.range and mode.any_rate for mode in cameras.modes(0))


@pytest.mark.parametrize(("said", "number"), [("0", 0), ("7", 7), ("logi", 0), ("FRONT", 10)])
def test_a_name_is_a_camera(machine, said, number):
    assert cameras.number_of(said) == number


@pytest.mark.parametrize(("said", "why"), [("c", "several"), ("zed", "no camera is called 'zed'"), ("", "no camera is called")])
def test_a_name_that_is_no_one_cameras_lists_them(machine, said, why):
    with pytest.raises(SourceError, match=rf"{why}.*cameras here: 0 \(Logitech C920\), 10"):
        cameras.number_of(said)


def given(width, height, fps):
    return SourceInfo("camera 0", width, height, fps, True, None, True)


def test_what_a_camera_does_not_give_is_said_with_what_it_offers(machine):
    line = cameras.falls_short(0, SourceSettings(width=1280, height=720, fps=60), given(1280, 720, 30.0))
    assert line == "asked for 1280×720 at 60 frames/s, it gives 1280×720 at 30 frames/s; it offers 1280×720 at 30; 640×480 at 60, 29.97"
    assert "it offers" not in cameras.falls_short(10, SourceSettings(width=320), given(640, 480, None))
    for asked in (SourceSettings(), SourceSettings(width=1280), SourceSettings(fps=30), SourceSettings(width=1280, height=720, fps=29.97)):
        assert cameras.falls_short(0, asked, given(1280, 720, 30.0)) is None


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (["--size", "1281x720"], "offers no 1281×720: it"),
        (["--size", "1280x720", "--fps", "60"], "offers no 1280×720 at 60 frames/s: it"),
        (["--fps", "200"], "offers no 200 frames/s: it"),
    ],
)
def test_what_a_camera_does_not_offer_is_refused_before_it_is_opened(machine, asked, why):
    said = CliRunner().invoke(main, ["--camera", "logi", *asked, "--no-log", "--quiet"])
    assert said.exit_code == 2 and len(said.output.splitlines()) == 1
    assert f"camera 0 (Logitech C920) {why} offers 1280×720 at 30; 640×480 at 60, 29.97; ask for one of these" in said.output


def test_what_it_offers_or_does_not_tell_of_is_not_refused(machine, monkeypatch):
    for asked in (SourceSettings(), SourceSettings(width=640), SourceSettings(width=640, height=480, fps=60), SourceSettings(fps=29.97)):
        cameras.refuse(0, asked)
    cameras.refuse(10, SourceSettings(width=5))
    ranges = [cameras.Mode("YUYV", 1920, 1080, (90.0, 5.0), True, True), cameras.Mode("YUYV", 160, 120, (90.0, 5.0), True, True)]
    monkeypatch.setattr(cameras, "modes", lambda index: ranges)
    cameras.refuse(0, SourceSettings(width=1280, height=720, fps=50))
    for asked in (SourceSettings(width=2000), SourceSettings(height=100), SourceSettings(fps=100)):
        with pytest.raises(UsageError, match="offers no"):
            cameras.refuse(0, asked)


def test_without_a_camera_the_list_is_one_line(machine, tmp_path):
    for device in tmp_path.glob("video*"):
        device.unlink()
    said = CliRunner().invoke(main, ["--list-cameras"])
    assert said.exit_code == 3 and said.output == "mer-live: this machine shows no camera (no /dev/video*)\n"


@pytest.mark.parametrize("size", ["1280", "0x720", "1280x720x3"])
def test_a_size_is_two_numbers(size):
    said = CliRunner().invoke(main, ["--camera", "0", "--size", size])
    assert said.exit_code == 2 and f"'{size}' is no size: expected width and height, such as 1280x720" in said.output


@pytest.mark.parametrize("size", [["--size", "1280x720"], ["--width", "1280", "--height", "720"]])
def test_name_and_size_reach_the_camera(machine, monkeypatch, size):
    asked = []
    monkeypatch.setattr("realtime.cli.live.open_source", lambda spec, settings, **_: asked.append((spec, settings)) or 1 / 0)
    CliRunner().invoke(main, ["--camera", "front", *size, "--fps", "60", "--no-log"])
    [(spec, settings)] = asked
    assert (spec, settings.width, settings.height, settings.fps) == (10, 1280, 720, 60.0)
