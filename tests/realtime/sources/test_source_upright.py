"""Pictures as a player shows them: turned and mirrored as the display matrix says, square pixels, the right stream, none damaged."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from made_clips import film, jpegs, number_of, picture, steady

from realtime.errors import SourceError, UsageError
from realtime.sources import SourceSettings, open_source

# of a picture 64×48: how it is to be laid, as (a, b, c, d) of the matrix, and as what numpy makes of it
LAID = {
    (1, 0, 0, 1): lambda p: p,
    (-1, 0, 0, 1): np.fliplr,
    (1, 0, 0, -1): np.flipud,
    (-1, 0, 0, -1): lambda p: np.rot90(p, 2),
    (0, 1, -1, 0): lambda p: np.rot90(p, -1),  # a quarter clockwise
    (0, -1, 1, 0): np.rot90,
    (0, 1, 1, 0): lambda p: p.swapaxes(0, 1),
    (0, -1, -1, 0): lambda p: np.rot90(p, 2).swapaxes(0, 1),
}


@pytest.mark.parametrize("matrix", LAID)
def test_all_eight_ways_to_lay_a_picture(tmp_path, matrix):
    corner = picture(0)
    corner[:24, :32] = 255, 0, 0
    corner[24:, :32] = 255, 255, 255
    clip = jpegs(tmp_path / "a.mp4", [cv2.imencode(".jpg", corner)[1].tobytes()] * 3)
    data = clip.read_bytes()
    at = data.index(b"tkhd") + 4 + 40  # version 0: the matrix follows 40 bytes of the box's body
    a, b, c, d = (65536 * part for part in matrix)
    turned = b"".join(n.to_bytes(4, "big", signed=True) for n in (a, b, 0, c, d, 0, 0, 0, 2**30))
    clip.write_bytes(data[:at] + turned + data[at + 36 :])
    expected = LAID[matrix](corner)
    with open_source(clip) as source:
        assert (source.info.height, source.info.width) == expected.shape[:2]
        assert np.abs(next(source).pixels.astype(int) - expected).mean() < 3


@pytest.mark.parametrize(("aspect", "size"), [("2:1", (128, 48)), ("1:2", (64, 96)), ("16:15", (68, 48)), ("1:1", (64, 48)), ("1:99", (64, 48))])
def test_pixels_become_square(tmp_path, aspect, size):
    clip = film(tmp_path / "a.mp4", steady(0.2, 20), aspect=Fraction(*map(int, aspect.split(":"))))
    with open_source(clip) as source:
        assert (source.info.width, source.info.height) == size
        assert [number_of(frame.pixels) for frame in source] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("asked", "size"), [({"height": 24}, (32, 24)), ({"width": 48, "height": 24}, (32, 24)), ({"width": 16}, (16, 12)), ({"height": 480}, (64, 48))]
)
def test_larger_pictures_are_made_as_small_as_is_asked(tmp_path, asked, size):
    clip = film(tmp_path / "a.mp4", steady(0.2, 20))
    with open_source(clip, settings=SourceSettings(**asked)) as source:
        assert (source.info.width, source.info.height) == size
        assert [number_of(frame.pixels) for frame in source] == [0, 1, 2, 3]
        assert not source.counts.warnings


def test_a_picture_made_smaller_is_the_mean_of_its_pixels(tmp_path):
    fine = np.tile(np.uint8([[[0], [200]], [[200], [0]]]), (24, 32, 3))
    clip = jpegs(tmp_path / "a.mp4", [cv2.imencode(".jpg", fine, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()] * 2)
    with open_source(clip, settings=SourceSettings(height=24)) as source:
        assert np.abs(next(source).pixels.astype(int) - 100).max() < 8


@pytest.mark.parametrize("side", ["width", "height"])
def test_a_side_of_nothing_is_refused(tmp_path, side):
    with pytest.raises(UsageError, match=f"source.{side} must be above 0, got 0"):
        open_source(film(tmp_path / "a.mp4", steady(0.1, 20)), settings=SourceSettings(**{side: 0}))


@pytest.mark.parametrize("rate", [0.0, -25.0, 1e-320, 1e-10, 1e300, float("inf"), float("nan")])
@pytest.mark.parametrize("as_live", [True, False])
def test_a_rate_that_cannot_be_is_refused(tmp_path, rate, as_live):
    with pytest.raises(UsageError, match="source.fps must be 1 to 100000 frames a second, got"):
        open_source(film(tmp_path / "a.mp4", steady(0.1, 20)), as_live=as_live, settings=SourceSettings(fps=rate))


def test_the_default_stream_is_taken_or_the_largest_or_the_one_asked_for(tmp_path):
    def sizes(marked: int | None):
        clip = tmp_path / f"{marked}.mkv"
        with av.open(str(clip), "w") as out:
            streams = []
            for place, (width, height) in enumerate([(64, 48), (160, 120), (96, 72)]):
                stream = out.add_stream("mjpeg", rate=25)
                stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p"
                stream.disposition = av.stream.Disposition.default if place == marked else av.stream.Disposition(0)
                streams.append(stream)
            for number in range(4):
                for stream in streams:
                    frame = av.VideoFrame.from_ndarray(picture(number, stream.width, stream.height), format="bgr24")
                    frame.pts, frame.time_base = number, Fraction(1, 25)
                    out.mux(stream.encode(frame))
            for stream in streams:
                out.mux(stream.encode())
        return clip

    def width(clip, number=None):
        with open_source(clip, settings=SourceSettings(stream=number)) as source:
            assert len(list(source)) == 4
            said = [cause for cause in source.counts.warnings if "source.stream=N" in cause]
            assert bool(said) == (number is None)
            return source.info.width

    assert width(sizes(0)) == 64
    unmarked = sizes(None)
    assert width(unmarked) == 160 and width(unmarked, 2) == 96
    with pytest.raises(SourceError, match=r"no video stream 7.*0 \(64×48, 25 frames/s\), 1 \(160×120, 25 frames/s\), 2"):
        open_source(unmarked, settings=SourceSettings(stream=7))


def test_damaged_pictures_are_left_out_and_counted(tmp_path):
    """Half of a picture lost: the decoder fills the hole with what lies around, and says so."""
    noise = np.random.default_rng(0)
    with av.open(str(tmp_path / "a.mkv"), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        stream.options = {"g": "1", "preset": "ultrafast", "tune": "zerolatency", "x264-params": "slices=4"}
        for number in range(20):
            frame = av.VideoFrame.from_ndarray(noise.integers(0, 255, (120, 160, 3), np.uint8), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            for packet in stream.encode(frame):
                if number == 7:
                    cut = av.Packet(bytes(packet)[: packet.size // 2])
                    cut.stream, cut.time_base, cut.pts, cut.dts = stream, packet.time_base, packet.pts, packet.dts
                    packet = cut
                out.mux(packet)
        out.mux(stream.encode())
    with open_source(tmp_path / "a.mkv") as source:
        pts = [frame.pts for frame in source]
    assert pts == pytest.approx([n / 25 for n in range(20) if n != 7], abs=2e-3)
    assert source.counts.warnings == {"pictures damaged, left out": 1}


def test_half_a_jpeg_is_no_picture(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    whole = cv2.imencode(".jpg", noise)[1].tobytes()
    with open_source(jpegs(tmp_path / "a.mkv", [whole] * 3 + [whole[: len(whole) // 2]] + [whole] * 3)) as source:
        assert len(list(source)) == 6
    assert source.counts.warnings == {"pictures damaged, left out": 1}


@pytest.mark.parametrize(
    ("codec", "kind"),
    [
        ("libx264", "yuv420p10le"),
        ("libx264", "yuv444p"),
        ("libx264", "yuvj420p"),
        ("ffv1", "gray16le"),
        ("ffv1", "gray"),
        ("ffv1", "yuva420p"),
        ("ffv1", "bgra"),
        ("ffv1", "gbrp12le"),
        ("rawvideo", "uyvy422"),
    ],
)
def test_odd_kinds_of_pixels_keep_their_brightness(tmp_path, codec, kind):
    clip = film(tmp_path / "a.mkv", steady(1, 20), codec, kind=kind)
    with open_source(clip) as source:
        assert [round(frame.pixels.mean()) for frame in source] == pytest.approx([10 * n for n in range(20)], abs=5)
