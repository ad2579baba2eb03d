"""Cameras, with a stand-in for OpenCV in the child process: no machine that runs the tests need have a camera."""

from itertools import accumulate, pairwise

import pytest

from realtime.errors import SourceError
from realtime.sources import SourceSettings, open_source
from realtime.sources.clock import LEAST_STEP

# Camera 0 gives at most 640×480 uncompressed and 30 fps, camera 1 keeps no time, camera 2 dies after 20 pictures
# the first time, camera 3 opens but gives no picture. What was asked is written to `asked.txt`.
STAND_IN = """
import os, time
import numpy as np
HERE = os.path.dirname(__file__)
CAP_V4L2, CAP_PROP_FRAME_WIDTH, CAP_PROP_FRAME_HEIGHT, CAP_PROP_FPS = 200, 3, 4, 5
CAP_PROP_FOURCC, CAP_PROP_POS_MSEC, CAP_PROP_CONVERT_RGB, IMREAD_COLOR = 6, 0, 16, 1

class VideoWriter:
    @staticmethod
    def fourcc(*letters):
        return sum(ord(letter) << 8 * place for place, letter in enumerate(letters))

class VideoCapture:
    def __init__(self, index, backend):
        assert backend == CAP_V4L2
        self.index, self.given, self.n = index, {3: 640.0, 4: 480.0, 5: 30.0}, 0
        self.start = time.monotonic()
        self.first = not os.path.exists(os.path.join(HERE, "opened"))
        open(os.path.join(HERE, "opened"), "w").close()
    def isOpened(self):
        return self.index < 4
    def set(self, prop, value):
        with open(os.path.join(HERE, "asked.txt"), "a") as file:
            print(prop, value, file=file)
        self.given[prop] = value
        if CAP_PROP_FOURCC not in self.given:
            self.given[3], self.given[4] = min(self.given[3], 640.0), min(self.given[4], 480.0)
        self.given[5] = min(self.given[5], 30.0)
    def get(self, prop):
        if prop == CAP_PROP_POS_MSEC:
            return 0.0 if self.index == 1 else 5_000.0 + 33.0 * self.n
        return self.given.get(prop, 0.0)
    def read(self):
        self.n += 1
        if self.index == 3 or (self.index == 2 and self.first and self.n > 20):
            return False, None
        time.sleep(max(0.0, self.start + self.n / 100 - time.monotonic()))
        pixels = np.full((int(self.given[4]), int(self.given[3]), 3), self.n % 250, np.uint8)
        if self.given.get(CAP_PROP_CONVERT_RGB, 1):
            return True, pixels
        jpeg = b"\\xff\\xd8" + bytes([self.n % 250]) + b"\\xff\\xd9" + b"left over"  # the driver's buffer is larger than the picture
        return True, np.frombuffer(jpeg if self.index < 2 else b"raw" * 9, np.uint8).reshape(1, -1)

def imdecode(data, how):
    return np.full((720, 1280, 3), data[2], np.uint8)
"""


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    (tmp_path / "cv2.py").write_text(STAND_IN)
    monkeypatch.syspath_prepend(tmp_path)  # the child looks where its parent looks
    return tmp_path


def take(source, number):
    return [next(source) for _ in range(number)]


def test_it_reports_what_the_camera_gave(stand_in):
    with open_source(0, settings=SourceSettings(width=1280, height=720, fps=60)) as source:
        frames = take(source, 10)
    assert (source.info.name, source.info.width, source.info.height) == ("camera 0", 1280, 720)
    assert source.info.fps == 30 and source.info.live and source.info.now and source.info.duration is None
    assert frames[0].pixels.shape == (720, 1280, 3)
    asked = (stand_in / "asked.txt").read_text().split("\n")
    assert asked[:3] == ["3 1280", "4 720", "5 60"]
    assert asked[3].startswith("6 ")  # it gave less, so compressed pictures were tried
    assert source.counts.said == ["asked for 1280×720 at 60 frames/s, it gives 1280×720 at 30 frames/s"]


def test_a_cameras_own_jpegs_can_be_kept_and_what_is_none_is_let_be(stand_in):
    with open_source(0, settings=SourceSettings(width=1280, height=720)) as source:
        assert source.codec == "mjpeg"
        pictures = []
        take(source, 3)
        source.tap(lambda picture, pts: pictures.append(picture))
        while not any(picture.encoded for picture in pictures):
            take(source, 1)
        take(source, 5)
        source.tap(None)
    for picture in pictures[-3:]:
        (one,) = picture.encoded
        assert one.key and one.data == b"\xff\xd8" + bytes([picture.pixels[0, 0, 0]]) + b"\xff\xd9" and one.pts == picture.pts
    with open_source(0) as source:
        assert source.codec is None  # uncompressed
    with open_source(2, settings=SourceSettings(width=1280, height=720)) as source:
        pictures.clear()
        source.tap(lambda picture, pts: pictures.append(picture))
        take(source, 20)
        assert pictures and not any(picture.encoded for picture in pictures) and source.counts.said == ["1 picture damaged, left out"]


def test_times_are_the_drivers(stand_in):
    with open_source(0) as source:
        frames = take(source, 10)
    assert source.info.width == 640 and not (stand_in / "asked.txt").exists()
    first = frames[0]
    for frame in frames:  # 33 ms from picture to picture, though they come every 10 ms
        pictures = int(frame.pixels[0, 0, 0]) - int(first.pixels[0, 0, 0])
        assert frame.pts == pytest.approx(0.033 * pictures)


def test_without_driver_times_it_is_the_arrival(stand_in):
    with open_source(1) as source:
        frames = take(source, 10)
    steps = [max(later.arrival - before.arrival, LEAST_STEP) for before, later in pairwise(frames)]  # of those that a busy machine hands over at once
    assert [frame.pts for frame in frames] == pytest.approx([0.0, *accumulate(steps)])


def test_an_unplugged_camera_is_reopened(stand_in):
    with open_source(2) as source:
        frames = []
        for frame in source:
            frames.append(frame)
            if (source.counts.gaps and len(frames) > 30) or len(frames) > 500:
                break
    assert source.counts.reopenings == 1 and "unplugged" in source.counts.gaps[0].cause
    assert all(before.pts < after.pts for before, after in zip(frames, frames[1:]))


def test_cameras_that_do_not_open(stand_in):
    with pytest.raises(SourceError, match="no picture"):
        open_source(3)
    with pytest.raises(SourceError, match="no camera 9|camera 9 .* would not open"):
        open_source(9)


@pytest.mark.parametrize("index", [-1, 2**31, 99999999999])
def test_an_index_that_no_driver_counts_to(index):
    with pytest.raises(SourceError, match=f"no camera {index}"):
        open_source(index)
