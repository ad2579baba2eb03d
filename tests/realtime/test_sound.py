"""The sound of a recording in what is made of its pictures: there, whole, and at its own time."""

from fractions import Fraction

import av
import numpy as np
import pytest

from realtime.output.sound import extract_sound
from realtime.output.video import AnnotatedVideo
from realtime.sources import SourceSettings

RATE = 16_000
CLICK_S = 1.0


def recording(path, codec, late_s=0.0, stop_s=2.0):
    """Two seconds of grey pictures, which begin `late_s` after the sound, with one click at CLICK_S."""
    with av.open(str(path), "w") as made:
        pictures = made.add_stream("mpeg4", rate=25)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        pictures.time_base = pictures.codec_context.time_base = Fraction(1, 1000)
        heard = made.add_stream(codec, rate=RATE, layout="mono") if codec else None
        for number in range(50):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 128, np.uint8), format="bgr24")
            frame.pts, frame.time_base = round(1000 * (late_s + number / 25)), Fraction(1, 1000)
            made.mux(pictures.encode(frame))
            if codec and number < 25 * stop_s:
                made.mux(heard.encode(sound(number / 25)))
        for stream in filter(None, (pictures, heard)):
            made.mux(stream.encode(None))
    return path


def sound(begin):
    t = begin + np.arange(RATE // 25) / RATE
    wave = np.where((t >= CLICK_S) & (t < CLICK_S + 0.02), 0.9 * np.sin(2 * np.pi * 1000 * t), 0)
    frame = av.AudioFrame.from_ndarray((wave * 32767).astype(np.int16)[None], format="s16", layout="mono")
    frame.rate, frame.pts, frame.time_base = RATE, round(begin * RATE), Fraction(1, RATE)
    return frame


def heard(path):
    """(codec, second of the click) of a file's sound."""
    with av.open(str(path)) as film:
        name, times, loud = film.streams.audio[0].codec_context.codec.canonical_name, [], []
        for frame in film.decode(audio=0):
            wave = frame.to_ndarray()[0].astype(float)
            times.append(frame.time + np.arange(len(wave)) / frame.rate)
            loud.append(abs(wave))
    times, loud = np.concatenate(times), np.concatenate(loud)
    return name, float(times[np.argmax(loud > 0.3 * loud.max())])


def annotated(clip, path, late_s=0.0, read=None):
    with AnnotatedVideo(path, 64, 48, sound_of=clip, read=read) as video:
        for number in range(50):
            video.write(np.full((48, 64, 3), 128, np.uint8), late_s + number / 25)
    return video


@pytest.mark.parametrize(
    ("name", "codec", "late_s", "kept"),
    [
        ("a.mov", "pcm_s16le", 0.0, "aac"),
        ("a.mp4", "aac", 0.0, "aac"),
        ("a.mov", "pcm_s16le", 0.5, "aac"),
        ("a.mkv", "mp3", 0.5, "mp3"),
    ],
)
def test_the_annotated_video_keeps_the_sound_at_its_own_time(tmp_path, name, codec, late_s, kept):
    clip = recording(tmp_path / name, codec, late_s)
    before = heard(clip)[1]
    assert annotated(clip, tmp_path / "v.mp4", late_s).silent == ""
    codec, click = heard(tmp_path / "v.mp4")
    assert codec == kept and click == pytest.approx(before, abs=0.03)
    with av.open(str(tmp_path / "v.mp4")) as film:
        times = [frame.time for frame in film.decode(video=0)]
    assert len(times) == 50 and times[0] == pytest.approx(late_s, abs=0.001)
    assert extract_sound(clip, tmp_path / "s.m4a") and heard(tmp_path / "s.m4a")[1] == pytest.approx(before, abs=0.03)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "s.m4a", "v.mp4"])


def test_without_sound_or_with_a_broken_one_the_video_stays(tmp_path):
    clip = recording(tmp_path / "mute.mp4", None)
    assert annotated(clip, tmp_path / "v.mp4").silent == "" and not extract_sound(clip, tmp_path / "s.m4a")
    (tmp_path / "broken.mp4").write_bytes(b"no film at all" * 100)
    assert "v.mp4 has no sound" in annotated(tmp_path / "broken.mp4", tmp_path / "v.mp4").silent
    with av.open(str(tmp_path / "v.mp4")) as film:
        assert film.streams.video[0].frames == 50 and not film.streams.audio


def test_pictures_that_were_given_another_rate_have_left_the_sound(tmp_path):
    clip, read = recording(tmp_path / "a.mp4", "aac"), SourceSettings(fps=50)
    said = annotated(clip, tmp_path / "v.mp4", read=read).silent
    assert said.endswith("v.mp4 has no sound: with source.fps=50 the pictures no longer keep its time")
    with av.open(str(tmp_path / "v.mp4")) as film:
        assert film.streams.video[0].frames == 50 and not film.streams.audio
    assert not extract_sound(clip, tmp_path / "s.m4a", read) and not (tmp_path / "s.m4a").exists()
    mute = recording(tmp_path / "mute.mp4", None)
    assert annotated(mute, tmp_path / "m.mp4", read=read).silent == ""  # nothing was lost


def test_the_sound_is_timed_by_the_stream_that_was_read(tmp_path):
    clip = recording(tmp_path / "a.mp4", "aac")
    assert annotated(clip, tmp_path / "v.mp4", read=SourceSettings(stream=0)).silent == ""
    assert "no video stream 1 (source.stream)" in annotated(clip, tmp_path / "w.mp4", read=SourceSettings(stream=1)).silent
