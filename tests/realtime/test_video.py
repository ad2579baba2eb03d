import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from made_events import event

from realtime.errors import OutputError
from realtime.output.video import AnnotatedVideo, annotate

DATA = Path(os.environ.get("MER_DATA", Path(__file__).parents[3] / "shared" / "data"))


def read(path):
    """(times of frames, duration in seconds, last picture) of a video."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        duration = float(stream.duration * stream.time_base)
        return [frame.time for frame in frames], duration, frames[-1].to_ndarray(format="bgr24")


def picture(width=64, height=48, value=128):
    return np.full((height, width, 3), value, np.uint8)


def test_frames_keep_their_own_times_and_the_last_its_length(tmp_path):
    times = np.cumsum([5.0, 0.014, 0.042, 0.005, 0.1, 0.033, 0.033])  # a source that does not begin at 0
    with AnnotatedVideo(tmp_path / "v.mp4", 64, 48) as video:
        for time in times:
            video.write(picture(), time)
        video.close(last_s=0.25)
    got, duration, _ = read(tmp_path / "v.mp4")
    assert got == pytest.approx(times - 5.0, abs=1e-4)
    assert duration == pytest.approx(times[-1] - 5.0 + 0.25, abs=1e-3)


def test_last_frame_lasts_as_long_as_usual_by_default(tmp_path):
    with AnnotatedVideo(tmp_path / "v.mp4", 64, 48) as video:
        for index in range(50):
            video.write(picture(), index / 25)
    assert read(tmp_path / "v.mp4")[1] == pytest.approx(2.0, abs=1e-3)


@pytest.mark.parametrize("name", ["face_noface.mov", "single_face.mp4"])
def test_duration_equals_the_source(tmp_path, name):
    clip = DATA / "clips" / name
    if not clip.exists():
        pytest.skip(f"{clip} is not there (MER_DATA names the folder of test data)")
    times, duration, _ = read(clip)
    with AnnotatedVideo(tmp_path / "v.mp4", 64, 48) as video:
        for time in times:
            video.write(picture(), time)
    got, written, _ = read(tmp_path / "v.mp4")
    assert got == pytest.approx(times, abs=1e-4) and written == pytest.approx(duration, abs=0.02)


def test_odd_and_changing_sizes(tmp_path):
    with AnnotatedVideo(tmp_path / "v.mp4", 63, 47) as video:
        video.write(picture(63, 47, 200), 0.0)
        video.write(picture(128, 96, 200), 0.04)
    last = read(tmp_path / "v.mp4")[2]
    assert last.shape == (48, 64, 3) and abs(last.astype(int) - 200).max() < 6  # nothing black at the edge


def test_video_without_frames_closes(tmp_path):
    AnnotatedVideo(tmp_path / "v.mp4", 64, 48).close()


def test_unwritable_places_are_told_at_the_start(tmp_path):
    with pytest.raises(OutputError, match="no space left"):
        AnnotatedVideo("/dev/full", 64, 48)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="a file stands"):
        AnnotatedVideo(tmp_path / "file" / "v.mp4", 64, 48)
    with pytest.raises(OutputError, match="is a directory"):
        AnnotatedVideo(tmp_path, 64, 48)


def test_disk_that_fills_midway_leaves_no_broken_video(tmp_path):
    # a limit on file size stands in for the full disk; it holds for a whole process, so for one of its own
    script = """
import resource, signal, sys
import numpy as np
from realtime.errors import OutputError
from realtime.output.video import AnnotatedVideo

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
noise = np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)
video = AnnotatedVideo(sys.argv[1], 320, 240)
try:
    for index in range(100):
        video.write(np.roll(noise, 37 * index), index / 30)
    video.close()
except OutputError as error:
    print(index, error)
video.close()  # again: nothing more to say
"""
    path = tmp_path / "v.mp4"
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True)
    assert "file too large" in done.stdout and not path.exists()


@pytest.mark.parametrize("size", [(640, 480), (321, 241), (1920, 1080), (40, 30)])
def test_annotate_draws_on_a_copy(size):
    plain = picture(*size)
    width, height = size
    box = (width // 4, height // 4, width // 2, height // 2)
    curve = [(t, 0.05, 0.1) if t < 7 else (t, None, float("nan")) for t in np.arange(0, 9, 0.02)]
    shown = annotate(plain, [(box, event(onset=8.0))], curve, event(onset=8.0), now=8.5)
    assert (plain == 128).all() and shown.shape == plain.shape
    assert (shown[box[1] - 1 : box[1] + 2, box[0] : box[2]] != 128).any()  # the box
    assert (shown[: height // 4, : width // 2] != 128).any()  # the label
    assert (shown[-3:] != 128).all()  # the strip
    assert (annotate(plain, [], [], None, now=0.0) != plain).any()


def test_of_two_faces_each_has_its_own_label_at_its_own_box():
    plain, left, right = picture(640, 480), (60, 100, 200, 260), (400, 100, 540, 260)
    one, other = event(1, onset=8.0, face=0), event(2, onset=8.1, face=1, label="positive")

    def inked(first, second, last):  # below the left box, below the right one, in the corner
        shown = annotate(plain, [(left, first), (right, second)], [], last, now=8.5).astype(int)
        areas = shown[266:290, 60:260], shown[266:290, 400:600], shown[12:40, 12:100]
        return [(abs(area - 128).max() > 60) for area in areas]

    assert inked(one, None, one) == [True, False, False]
    assert inked(None, other, other) == [False, True, False]  # it was shown in the corner, and the left face was boxed
    assert inked(one, other, other) == [True, True, False]
    # with one face left, what the other one showed is not said of it
    assert (annotate(plain, [(left, None)], [], other, now=8.5) == annotate(plain, [(left, None)], [], None, now=8.5)).all()
