"""A folder of pictures as a recording: in the order of their numbers, so many a second; and GIFs."""

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from made_clips import film, number_of, picture

from realtime.cli.clips import find_clips
from realtime.cli.replay import main
from realtime.errors import SourceError, UsageError
from realtime.sources import SourceSettings, open_source

AT_200 = SourceSettings(fps=200)


def series(folder, numbers, name="reg_img{}.png", size=(64, 48)):
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        cv2.imwrite(str(folder / name.format(number)), picture(number, *size))
    return folder


def read(folder, **settings):
    with open_source(folder, settings=SourceSettings(**{"fps": 200, **settings})) as source:
        frames = [(number_of(frame.pixels), round(frame.pts, 6)) for frame in source]
    return frames, source


def test_they_come_in_the_order_of_their_numbers_at_the_given_rate(tmp_path):
    frames, source = read(series(tmp_path / "EP01_02", [1, 2, 9, 10, 11, 3, 4, 5, 6, 7, 8]))
    assert frames == [(number + 1, number / 200) for number in range(11)]
    info = source.info
    assert (info.width, info.height, info.fps, info.live, info.duration) == (64, 48, 200, False, pytest.approx(11 / 200))
    assert source.counts.said == []


@pytest.mark.parametrize("ending", ["jpg", "JPEG", "bmp", "tif", "webp"])
def test_kinds_of_pictures(tmp_path, ending):
    frames, _ = read(series(tmp_path / "a", range(1, 4), "{}." + ending))
    assert [number for number, _ in frames] == [1, 2, 3]


def test_a_grey_picture_of_sixteen_bits_and_a_wrong_ending(tmp_path):
    folder = tmp_path / "a"
    folder.mkdir()
    cv2.imwrite(str(folder / "1.png"), np.full((48, 64), 20 * 257, np.uint16))
    (folder / "2.jpg").write_bytes(cv2.imencode(".png", picture(3))[1].tobytes())
    assert [number for number, _ in read(folder)[0]] == [2, 3]


def test_what_is_damaged_is_left_out_and_keeps_its_time(tmp_path):
    folder = series(tmp_path / "a", range(1, 6), "{}.jpg")
    whole = (folder / "2.jpg").read_bytes()
    (folder / "2.jpg").write_bytes(whole[: len(whole) * 2 // 3])
    (folder / "4.jpg").write_text("no picture")
    (folder / "._5.jpg").write_text("what macOS leaves")
    frames, source = read(folder)
    assert frames == [(1, 0.0), (3, 0.01), (5, 0.02)] and source.counts.said == ["2 pictures damaged, left out"]


def test_another_size_and_missing_numbers_are_said(tmp_path):
    folder = series(tmp_path / "a", [1, 2, 4, 5])
    series(folder, [6], size=(32, 24))
    frames, source = read(folder)
    assert [number for number, _ in frames] == [1, 2, 4, 5, 6]
    assert sorted(source.counts.said) == [
        "1 numbers are missing among its pictures: those that are there follow one another",
        "the frame size changed to 32×24; scaled to 64×48",
    ]


@pytest.mark.parametrize(
    ("numbers", "settings", "why"),
    [
        ([1, 2, 3], {}, r"is a folder of 3 pictures: say how many a second they are, such as --fps 200 \(source.fps=200\)"),
        ([1], {"fps": 200}, "holds a single picture, which holds no movement"),
        ([], {"fps": 200}, "is a folder: expected a video file"),
    ],
)
def test_what_is_no_series_is_one_line(tmp_path, numbers, settings, why):
    with pytest.raises(SourceError, match=why):
        open_source(series(tmp_path / "a", numbers), settings=SourceSettings(**settings))


@pytest.mark.parametrize("pattern", ["img%04d.png", "*.png"])
def test_a_pattern_is_told_how(tmp_path, pattern):
    with pytest.raises(SourceError, match=f"is a pattern of pictures: name the folder .*{tmp_path} --fps 200"):
        open_source(tmp_path / pattern)


def test_all_damaged_is_one_line(tmp_path):
    folder = tmp_path / "a"
    folder.mkdir()
    for number in (1, 2):
        (folder / f"{number}.png").write_text("no picture")
    with pytest.raises(SourceError, match="holds no frame that can be decoded"):
        open_source(folder, settings=AT_200)


def test_as_live_it_plays_at_its_rate(tmp_path):
    with open_source(series(tmp_path / "a", range(1, 11)), as_live=True, settings=SourceSettings(fps=50)) as source:
        frames = list(source)
    assert source.info.live and len(frames) == 10 and frames[-1].arrival - frames[0].arrival >= 0.17


def test_a_gif_is_a_film(tmp_path):
    clip = film(tmp_path / "a.gif", [0, 0.1, 0.2, 0.5], codec="gif", kind="gray")
    with open_source(clip) as source:
        assert [round(frame.pts, 2) for frame in source] == [0, 0.1, 0.2, 0.5]
    assert [clip.name for clip, _ in find_clips([str(tmp_path)]).jobs] == ["a.gif"]


def test_folders_of_pictures_are_clips_where_no_film_is(tmp_path):
    series(tmp_path / "sub01/EP02_01f", range(1, 4))
    series(tmp_path / "sub01/EP02.5", range(1, 4))
    series(tmp_path / "sub01/alone", [1])
    ours = series(tmp_path / "results/a", range(1, 4))
    (ours / "recording.json").touch()
    jobs = find_clips([str(tmp_path)]).jobs
    assert sorted(str(name) for _, name in jobs) == ["sub01/EP02.5", "sub01/EP02_01f"]
    assert [(clip, str(name)) for clip, name in find_clips([str(tmp_path / "sub01/EP02.5")]).jobs] == [(tmp_path / "sub01/EP02.5", "EP02.5")]
    film(tmp_path / "b.mp4", [0, 0.1])
    assert [clip.name for clip, _ in find_clips([str(tmp_path)]).jobs] == ["b.mp4"]
    with pytest.raises(UsageError, match="or folders of pictures"):
        find_clips([str(tmp_path / "sub01/alone")])


def test_replay_of_folders(tmp_path):
    series(tmp_path / "sub01/EP01", range(1, 41))
    series(tmp_path / "sub01/EP02", range(1, 41))
    words = [str(tmp_path / "sub01"), "--out", str(tmp_path / "out"), "--no-log"]
    without = CliRunner().invoke(main, words)
    assert without.exit_code == 3 and without.output.count("\n") == 1 and "folder of 40 pictures: say how many a second" in without.output
    done = CliRunner().invoke(main, [*words, "--fps", "200", "--video"])
    assert done.exit_code == 0 and "has no sound" not in done.output, done.output
    assert (tmp_path / "out/EP01/annotated.mp4").is_file() and (tmp_path / "out/EP02/recording.json").is_file()
    assert "already done: 2" in CliRunner().invoke(main, [*words, "--fps", "200", "--video"]).output
    cv2.imwrite(str(tmp_path / "sub01/EP02/reg_img40.png"), picture(7))  # one picture is another one now
    assert "already done: 1" in CliRunner().invoke(main, [*words, "--fps", "200", "--video"]).output
