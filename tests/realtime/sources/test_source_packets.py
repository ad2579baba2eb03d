"""Chunks from a browser: their pictures and times come through, and nothing that is sent harms more than itself."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from realtime.errors import BrokenSourceError, SourceError
from realtime.sources import SourceSettings
from realtime.sources.browser import BEHIND, DAMAGED, MOST_BYTES, MOST_WAITING, NO_KEY, Packets
from realtime.sources.packet import Packet

WIDTH, HEIGHT = 160, 120


def encoded(count: int, key_every: int = 10, size=(WIDTH, HEIGHT)) -> list[Packet]:
    """VP8 of grey pictures that grow brighter by 8 a picture, at uneven times."""
    codec = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height = size
    codec.pix_fmt, codec.time_base, codec.gop_size = "yuv420p", Fraction(1, 1_000_000), key_every
    codec.bit_rate = 2_000_000
    codec.options = {"deadline": "realtime", "lag-in-frames": "0", "cpu-used": "8", "keyint_min": str(key_every)}
    packets = []
    for i in range(count):
        frame = av.VideoFrame.from_ndarray(np.full((*size[::-1], 3), 10 + 8 * i, np.uint8), format="bgr24")
        frame.pts = taken(i)
        packets += [Packet(taken(i), p.is_keyframe, bytes(p), time.monotonic()) for p in codec.encode(frame)]
    return packets


def taken(i: int) -> int:
    """When picture i was taken, microseconds: a camera that is not even, and does not start at 0."""
    return 7_000_000 + i * 33_333 + (i % 3) * 2_000


def source(**kwargs) -> Packets:
    return Packets(
        "browser camera", kwargs.pop("codec", "vp8"), *kwargs.pop("size", (WIDTH, HEIGHT)), kwargs.pop("settings", SourceSettings()), **kwargs
    )


def begin(packets: Packets) -> None:
    """Pictures before the first read are let go; the reader of these tests is the test itself."""
    packets._begun.set()


def read(packets: Packets, count: int) -> list:
    return [next(packets) for _ in range(count)]


def test_pictures_and_their_times_come_through():
    with source() as camera:
        begin(camera)
        for packet in encoded(25):
            camera.feed(packet)
        frames = read(camera, 25)
    assert [frame.pixels.shape for frame in frames] == [(HEIGHT, WIDTH, 3)] * 25
    assert [frame.pts for frame in frames] == pytest.approx([(taken(i) - taken(0)) / 1e6 for i in range(25)])
    assert [frame.pixels.mean() for frame in frames] == pytest.approx([10 + 8 * i for i in range(25)], abs=5)
    assert camera.state == "ended" and not camera.counts.drops


def test_what_the_browser_encoded_can_be_kept():
    jpegs = [
        replace(packet, key=True, data=cv2.imencode(".jpg", np.full((HEIGHT, WIDTH, 3), 9 * i, np.uint8))[1].tobytes())
        for i, packet in enumerate(encoded(9))
    ]
    with source(codec="mjpeg") as camera:
        begin(camera)
        kept = []
        camera.tap(lambda picture, pts: kept.append((pts, picture.encoded)))
        for packet in jpegs:
            camera.feed(packet)
        read(camera, 9)
    assert camera.codec == "mjpeg" and [[one.data for one in sent] for _, sent in kept] == [[packet.data] for packet in jpegs]
    assert [pts for pts, _ in kept] == pytest.approx([(taken(i) - taken(0)) / 1e6 for i in range(9)])
    with source() as camera:
        assert camera.codec is None  # VP8 does not go into MP4


def test_a_damaged_chunk_costs_what_builds_on_it_and_asks_for_a_fresh_start():
    asked = []
    good = encoded(30)
    good[5] = Packet(good[5].microseconds, False, b"\x91" * 300, 0.0)
    with source(want_key=lambda: asked.append(1)) as camera:
        begin(camera)
        for packet in good[:10]:
            camera.feed(packet)
        frames = read(camera, 5)
        while DAMAGED not in camera.counts.drops:
            time.sleep(0.01)
        for packet in good[10:]:
            camera.feed(packet)
        frames += read(camera, 20)
    # whatever VP8 made of the noise, after the next key frame all is as it was
    assert [frame.pixels.mean() for frame in frames[-20:]] == pytest.approx([10 + 8 * i for i in range(10, 30)], abs=5)
    assert asked


def test_nothing_but_garbage_ends_with_one_line():
    lines = []
    with source(trouble=lines.append) as camera:
        begin(camera)
        with pytest.raises(BrokenSourceError, match="could be decoded"):
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                camera.feed(Packet(0, True, os.urandom(2000), time.monotonic()))
                time.sleep(0.02)
                if camera.state == "ended":
                    next(camera)
    assert "no VP8 video" in lines[0] and "\n" not in lines[0]


def test_a_decoder_that_dies_is_replaced():
    lines = []
    first, second = encoded(10), encoded(10)
    with source(trouble=lines.append) as camera:
        begin(camera)
        for packet in first:
            camera.feed(packet)
        read(camera, 10)
        children = _children()
        os.kill(children[-1], signal.SIGKILL)
        for i, packet in enumerate(second):
            camera.feed(Packet(packet.microseconds + 1_000_000, packet.key, packet.data, time.monotonic()))
            if i == 0:
                while not lines:
                    time.sleep(0.01)
                camera.feed(Packet(packet.microseconds + 1_000_000, packet.key, packet.data, time.monotonic()))
        frames = read(camera, 9)
        assert camera.counts.reopenings == 1
    assert frames[0].pts > 0.3
    assert len(lines) == 1 and "SIGKILL" in lines[0]


def test_larger_pictures_than_promised_are_scaled_and_giants_are_refused():
    with source() as camera:
        begin(camera)
        for packet in encoded(3, size=(320, 240)):
            camera.feed(packet)
        assert read(camera, 3)[0].pixels.shape == (HEIGHT, WIDTH, 3)
    lines = []
    with source(trouble=lines.append) as camera:
        begin(camera)
        camera.feed(encoded(1, size=(4096, 2160))[0])
        while not lines:
            time.sleep(0.01)
    assert "no VP8 video" in lines[0]
    with pytest.raises(SourceError, match="expected even numbers"):
        source(size=(100_000, 100_000))
    with pytest.raises(SourceError, match="expected one of raw, h264, vp8"):
        source(codec="rawvideo")


def test_what_waits_is_bounded_and_counted():
    packets = encoded(6)
    asked = []
    with source(want_key=lambda: asked.append(1)) as camera:
        camera.feed(packets[1])
        assert camera.counts.drops == {NO_KEY: 1}
        with camera._news:  # the decoder gets nothing while this is held: its lock is reentrant for this thread
            camera.feed(packets[0])
            for _ in range(MOST_WAITING):
                camera.feed(packets[1])
            assert len(camera._packets) <= MOST_WAITING
        assert camera.counts.drops[BEHIND] == MOST_WAITING and asked == [1]
        with pytest.raises(SourceError, match="1048577 bytes"):
            camera.feed(Packet(0, True, b"\0" * (MOST_BYTES + 1), 0.0))


def test_a_reader_that_is_slow_loses_the_oldest_frames():
    with source(settings=SourceSettings(queue=4)) as camera:
        begin(camera)
        for packet in encoded(12):
            camera.feed(packet)
        while camera.counts.frames < 12:
            time.sleep(0.01)
        assert [frame.index for frame in read(camera, 4)] == [8, 9, 10, 11]
        assert camera.counts.drops == {"queue full": 8}


def test_jpeg_pictures_are_taken_too():
    codec = av.CodecContext.create("mjpeg", "w")
    codec.width, codec.height, codec.pix_fmt, codec.time_base = WIDTH, HEIGHT, "yuvj420p", Fraction(1, 1000)
    frame = av.VideoFrame.from_ndarray(np.full((HEIGHT, WIDTH, 3), 90, np.uint8), format="bgr24").reformat(format="yuvj420p")
    data = bytes(codec.encode(frame)[0])
    with source(codec="mjpeg") as camera:
        begin(camera)
        for i in range(3):
            camera.feed(Packet(i * 40_000, True, data, time.monotonic()))
        frames = read(camera, 3)
    assert [frame.pts for frame in frames] == pytest.approx([0, 0.04, 0.08])
    assert frames[0].pixels.mean() == pytest.approx(90, abs=5)


@pytest.mark.parametrize("layout", (1, 2))
@pytest.mark.parametrize("full", (False, True))
def test_raw_pictures_need_no_decoder(layout, full):
    colour = (60, 120, 200)
    picture = av.VideoFrame.from_ndarray(np.full((HEIGHT, WIDTH, 3), colour, np.uint8), format="bgr24")
    kind = {1: "yuvj420p" if full else "yuv420p", 2: "nv12"}[layout]
    planes = picture.reformat(format=kind, dst_colorspace="ITU601", dst_color_range="JPEG" if full else "MPEG").to_ndarray()
    with source(codec="raw") as camera:
        begin(camera)
        camera.feed(Packet(5, True, b"short", 0.0, layout, full))
        for i in range(3):
            camera.feed(Packet(i * 40_000 + 10, True, planes.tobytes(), time.monotonic(), layout, full))
        frames = read(camera, 3)
        assert not _children() and camera.counts.drops == {DAMAGED: 1}
    assert [frame.pts for frame in frames] == pytest.approx([0, 0.04, 0.08])
    assert frames[2].pixels.mean(axis=(0, 1)) == pytest.approx(colour, abs=3)


def test_raw_pictures_may_give_way_to_encoded_ones():
    planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8).tobytes()
    with source(codec="raw") as camera:
        begin(camera)
        camera.feed(Packet(6_900_000, True, planes, time.monotonic(), 1))
        assert next(camera).pts == 0
        camera.change("vp8")
        camera.feed(Packet(6_950_000, True, planes[:50], time.monotonic(), 1))  # one that was on its way
        for packet in encoded(5):
            camera.feed(packet)
        frames = read(camera, 5)
        with pytest.raises(SourceError, match="start the camera again"):
            camera.change("raw")
    assert [frame.pts for frame in frames] == pytest.approx([(taken(i) - 6_900_000) / 1e6 for i in range(5)])


def _children() -> list[int]:
    import psutil

    return [
        child.pid
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE and "sources.decoder.child" in " ".join(child.cmdline())
    ]
