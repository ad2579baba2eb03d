"""What people point the program at by mistake, and what breaks while it is read: one line each, frames kept."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import replace

import av
import cv2
import numpy as np
import psutil
import pytest
from made_clips import cut, film, jpeg, jpegs, number_of, picture, steady
from places import DEMO

from realtime.errors import BrokenSourceError, SourceError
from realtime.sources import open_source
from realtime.sources.decoder.parent import ReaderProcess, Request
from realtime.sources.recording import file_request


def refused(spec, *words, kind=SourceError):
    with pytest.raises(kind) as caught:
        open_source(spec)
    text = str(caught.value)
    assert "\n" not in text and all(word in text for word in words), text


def test_wrong_path(tmp_path):
    refused(tmp_path / "nope.mp4", "no such file", "nope.mp4", "expected a video file")


def test_folder(tmp_path):
    refused(tmp_path, "is a folder")


def test_zero_length_file(tmp_path):
    (tmp_path / "a.mp4").touch()
    refused(tmp_path / "a.mp4", "is empty (0 bytes)")


@pytest.mark.parametrize("name", ["a.mp4", "a.txt", "a.mkv"])
def test_text_file(tmp_path, name):
    (tmp_path / name).write_text("This was never a film — not one frame of it.\n" * 40)
    refused(tmp_path / name, "is text, not a video")


def test_noise(tmp_path):
    (tmp_path / "a.mp4").write_bytes(np.random.default_rng(0).bytes(20_000))
    refused(tmp_path / "a.mp4", "cannot be read as a video", "expected a video file")


def test_sound_only(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as out:
        stream = out.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 44100), np.float32), format="fltp", layout="mono")
        frame.rate = 44100
        out.mux(stream.encode(frame))
        out.mux(stream.encode())
    refused(tmp_path / "a.mp4", "holds no video, only audio")


def test_no_frame_that_decodes(tmp_path):
    refused(jpegs(tmp_path / "a.mkv", [b"garbage" * 30] * 5), "no frame that can be decoded")


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.gif", "a.apng", "a.bmp", "a.mp4"])
def test_a_single_picture_holds_no_movement(tmp_path, name):
    if name == "a.mp4":
        film(tmp_path / name, [0.0])
    elif name in ("a.gif", "a.apng"):
        film(tmp_path / name, [0.0], name[2:], kind="rgb8" if name == "a.gif" else "rgb24")
    else:
        cv2.imwrite(str(tmp_path / name), picture(3))
    refused(tmp_path / name, name, "is a single picture, which holds no movement")


def test_two_pictures_are_a_film(tmp_path):
    with open_source(film(tmp_path / "a.gif", [0.0, 0.1], "gif", kind="rgb8")) as source:
        assert [frame.pts for frame in source] == pytest.approx([0.0, 0.1])


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tiff"])
def test_a_picture_too_large_is_refused_before_it_is_decoded(tmp_path, name, monkeypatch):
    """30,000 × 8,000 pixels in a quarter of a megabyte: decoded, they would take 0.7 GB."""
    cv2.imwrite(str(tmp_path / name), np.zeros((8000, 30000), np.uint8))
    refused(tmp_path / name, "pictures of 30000×8000 pixels", "at most 35 million", "make them smaller")
    monkeypatch.setattr("realtime.sources.recording.Request", lambda **asked: Request(**asked, memory=128 * 2**20))
    refused(tmp_path / name, "pictures of 30000×8000 pixels")  # the line came without the memory


def test_pictures_too_long_to_be_cut_are_refused(tmp_path):
    film(tmp_path / "a.gif", [0.0, 0.1], "gif", kind="rgb8")
    data = (tmp_path / "a.gif").read_bytes()
    (tmp_path / "a.gif").write_bytes(data[:6] + b"\xff\xff" + data[8:])  # the width that the header says
    refused(tmp_path / "a.gif", "pictures of 65535×", "at most 32766 a side", "make them smaller")


def test_pictures_that_become_too_large_are_left_out(tmp_path):
    large = cv2.imencode(".jpg", np.zeros((8000, 8000), np.uint8))[1].tobytes()
    clip = jpegs(tmp_path / "a.mkv", [jpeg(0), jpeg(1), large, jpeg(3)])
    with closing(ReaderProcess(replace(file_request(clip), memory=256 * 2**20))) as reader:
        assert [number_of(reader.read(10.0).pixels) for _ in range(3)] == [0, 1, 3]
        assert reader.read(10.0) is None and reader.warnings == ["pictures damaged, left out"]


def test_what_macos_leaves_beside_a_file(tmp_path):
    (tmp_path / "._a.mp4").write_bytes(bytes.fromhex("0005160700020000") + b"Mac OS X        " + bytes(4000))
    refused(tmp_path / "._a.mp4", "is what macOS leaves beside a file", "name the file without '._'")


def test_mp4_without_its_index(tmp_path):
    whole = film(tmp_path / "a.mp4", steady(2, 30))
    refused(cut(whole, tmp_path / "b.mp4", 0.5), "cut short", "moov")


@pytest.mark.parametrize("as_live", [False, True])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_a_film_that_breaks_off_gives_what_it_has(tmp_path, name, as_live):
    if name == "a.avi":
        whole = jpegs(tmp_path / name, [jpeg(number) for number in range(50)])
    else:
        whole = film(tmp_path / name, steady(2, 30), options={"movflags": "faststart"} if name == "a.mp4" else {})
    seen = []
    with open_source(cut(whole, tmp_path / f"b{name}", 0.6), as_live=as_live) as source:
        with pytest.raises(BrokenSourceError, match=r"broke off at \d\.\d\d s of [12]\.\d\d s"):
            for frame in source:
                seen.append(frame.pts)
        assert source.state == "ended" and list(source) == []
    assert 5 < len(seen) < 55 and seen == sorted(set(seen))


def test_a_decoder_that_crashes(tmp_path):
    with open_source(film(tmp_path / "a.mp4", steady(2, 100))) as source:
        next(source)
        os.kill(source._reader._child.pid, signal.SIGSEGV)
        with pytest.raises(BrokenSourceError, match="crashed.*SIGSEGV"):
            list(source)
    assert source.counts.frames < 200


def test_a_decoder_that_hangs(tmp_path, monkeypatch):
    monkeypatch.setattr("realtime.sources.recording.HANG_SECONDS", 0.5)
    with open_source(film(tmp_path / "a.mp4", steady(2, 100))) as source:
        next(source)
        os.kill(source._reader._child.pid, signal.SIGSTOP)
        with pytest.raises(BrokenSourceError, match="hung"):
            list(source)
    assert source._reader._child.returncode == -signal.SIGKILL


def test_closing_from_another_thread_ends_the_reading(tmp_path):
    with open_source(film(tmp_path / "a.mp4", steady(2, 100))) as source:
        next(source)
        os.kill(source._reader._child.pid, signal.SIGSTOP)  # so that the reader waits
        threading.Timer(0.3, source.close).start()
        assert len(list(source)) < 100


def test_unknown_camera():
    refused(97, "no camera 97")


def test_addresses(tmp_path):
    refused("ftp://host/clip.mp4", "cannot open ftp://", "rtsp")
    refused("http://127.0.0.1:1/video", "Connection refused")
    refused("rtsp://me:secret@127.0.0.1:1/video", "rtsp://me:***@127.0.0.1:1/video", "Connection refused")


def test_a_playlist_in_disguise_reaches_no_network(tmp_path):
    (tmp_path / "a.mp4").write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:1/secret.ts\n#EXT-X-ENDLIST\n")
    refused(tmp_path / "a.mp4")


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGKILL])
def test_no_child_outlives_its_parent(tmp_path, by):
    clip = film(tmp_path / "a.mp4", steady(2, 100))
    program = (
        "import sys, time\n"
        "from realtime.sources import open_source\n"
        f"with open_source({str(clip)!r}) as source:\n"
        "    next(source)\n"
        "    print(source._reader._child.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    child = psutil.Process(int(parent.stdout.readline()))
    time.sleep(0.5)  # the ring is full: the child waits for its parent and writes nothing that could fail
    parent.send_signal(by)
    parent.wait(60)
    parent.stdout.close()
    deadline = time.monotonic() + 60
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the decoder outlived the program"
        time.sleep(0.05)


def test_a_damaged_end_is_no_break(tmp_path):
    """The last packet of a film is often cut by a recorder that was switched off: less than 0.5 s is forgiven."""
    packets = [jpeg(number) for number in range(50)]
    packets[-2:] = [b"garbage" * 20] * 2
    with open_source(jpegs(tmp_path / "a.mkv", packets)) as source:
        assert len(list(source)) == 48


def test_a_header_that_lies_about_its_decoder_is_the_files_fault(tmp_path):
    clip = film(tmp_path / "a.mkv", steady(0.5, 30))
    data = clip.read_bytes()
    at = data.index(b"\xff\xe1") + 2  # behind it the length of what the decoder has to know
    clip.write_bytes(data[:at] + b"\xff\xff" + data[at + 2 :])
    with pytest.raises(SourceError) as caught, open_source(clip) as source:
        list(source)
    assert "\n" not in str(caught.value)


def test_a_file_that_asks_for_more_memory_than_it_may_have():
    request = replace(file_request(DEMO), memory=2**20)
    with pytest.raises(SourceError, match="broke off|more memory"):
        reader = ReaderProcess(request)
        while reader.read(10.0) is not None:
            pass
