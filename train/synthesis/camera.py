"""The camera: mains flicker, exposure, sensor noise, and the H.264 file with true capture times."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from realtime.errors import OutputError

TICK = Fraction(1, 90_000)  # seconds
BANK = 1024  # pixels, the side of the stored noise that every frame's is cut from
GAMMA = 2.2


@dataclass(frozen=True)
class Flicker:
    """Mains light: `hertz` (100 or 120, twice the mains), `depth` of the ripple that the shutter leaves, `readout`
    seconds from the first row to the last (rolling shutter), `phase` radians. The frame rate aliases it.
    """

    hertz: float
    depth: float
    readout: float
    phase: float

    def gains(self, t: float, rows: int) -> np.ndarray:
        """The light of each row (rows,) in a frame that starts at `t`."""
        when = t + self.readout * np.arange(rows) / rows
        return (1 + self.depth * np.cos(2 * np.pi * self.hertz * when + self.phase)).astype(np.float32)


@dataclass(frozen=True)
class Camera:
    """face_px: width of the face in the picture, pixels. crf: H.264's quality (18 good, 30 poor).

    Noise of a pixel of value I: sqrt(read_noise² + shot_noise² · I), grey levels, new in each frame;
    fixed_pattern: grey levels, the same in each frame. shutter: open time, share of the frame interval (motion blur).
    gop: frames from one key frame to the next, 0 = as the encoder likes: many of them at a poor quality pulse.
    """

    face_px: float = 200.0
    crf: int = 21
    read_noise: float = 0.8
    shot_noise: float = 0.12
    fixed_pattern: float = 0.3
    shutter: float = 0.5
    flicker: Flicker | None = None
    gop: int = 0


class Sensor:
    """Light → the camera's picture, with all its noise. `shape`: (height, width)."""

    def __init__(self, camera: Camera, shape: tuple[int, int], seed: int):
        self._camera, self._shape, self._seed = camera, shape, seed
        random = np.random.default_rng([seed, 101])
        noise = random.standard_normal((BANK, BANK, 3), np.float32)
        noise = cv2.GaussianBlur(noise, (0, 0), 0.45)  # demosaicking shares noise between neighbours
        self._noise = np.clip(noise / noise.std() * 32, -127, 127).astype(np.int8)  # 1 standard deviation = 32
        pattern = random.standard_normal((*shape, 3), np.float32) * camera.fixed_pattern
        pattern += random.standard_normal((1, shape[1], 1), np.float32) * camera.fixed_pattern * 0.4
        self._pattern = np.round(pattern * 16).astype(np.int16)
        self._noisy = max(camera.read_noise, camera.shot_noise, camera.fixed_pattern) > 0

    def __call__(self, picture: np.ndarray, index: int, t: float, gain: float) -> np.ndarray:
        """`picture`: H×W×3 uint8. `index` decides the noise, `gain` and `t` the light. Returns H×W×3 uint8."""
        values = np.arange(256) * gain ** (1 / GAMMA)
        lit = cv2.LUT(picture, np.round(np.clip(values, 0, 400) * 16).astype(np.int16))  # sixteenths of a level
        if self._camera.flicker:
            rows = self._camera.flicker.gains(t, self._shape[0]) ** np.float32(1 / GAMMA)
            scale = np.repeat(np.round(rows * 16384).astype(np.int16), self._shape[1] * 3).reshape(lit.shape)
            lit = cv2.multiply(lit, scale, scale=1 / 16384)
        if self._noisy:
            spread = np.sqrt(self._camera.read_noise**2 + self._camera.shot_noise**2 * values) * 16
            sigma = cv2.LUT(picture, np.round(spread).astype(np.int16))
            lit = cv2.add(lit, cv2.multiply(sigma, self._cut(index), scale=1 / 32, dtype=cv2.CV_16S))
            lit = cv2.add(lit, self._pattern)
        return cv2.convertScaleAbs(cv2.max(lit, 0), alpha=1 / 16)

    def _cut(self, index: int) -> np.ndarray:
        """This frame's noise: another cut of the bank, sometimes mirrored, so that no two frames share it."""
        random = np.random.default_rng([self._seed, 102, index])
        (height, width), (top, left, flip) = self._shape, random.integers(0, 2**31, 3)
        top, left = top % (BANK - height), left % (BANK - width)
        cut = self._noise[top : top + height, left : left + width]
        return np.ascontiguousarray(cut[:, ::-1] if flip % 2 else cut).astype(np.int16)


class VideoFile:
    """An H.264 MP4 whose frames carry their true times. Raises OutputError where it cannot write."""

    def __init__(self, path: Path, shape: tuple[int, int], fps: float, crf: int, preset: str = "superfast", gop: int = 0):
        import av

        self._av, self.path, self._fps = av, path, fps
        options = {"preset": preset, "crf": str(crf), "bf": "0", "threads": "1", "tune": "zerolatency"}
        if gop:
            options["g"] = str(gop)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._container = av.open(str(path), "w", format="mp4")
            self._stream = self._container.add_stream("libx264", rate=round(fps), options=options)
            self._stream.height, self._stream.width = shape
            self._stream.pix_fmt = "yuv420p"
            self._stream.time_base = self._stream.codec_context.time_base = TICK
        except (OSError, av.error.FFmpegError) as error:
            raise OutputError(f"cannot write '{path}' ({error}): choose another folder") from error
        self._waiting = None

    def write(self, pixels: np.ndarray, pts: float) -> None:
        """pixels: H×W×3 uint8 BGR. pts: seconds, increasing."""
        frame = self._av.VideoFrame.from_ndarray(pixels, format="bgr24")
        frame.pts, frame.time_base = round(pts / TICK), TICK
        self._mux(self._stream.encode(frame))

    def close(self) -> None:
        self._mux(self._stream.encode(None))
        if self._waiting is not None:
            self._waiting.duration = round(1 / self._fps / TICK)
            self._container.mux(self._waiting)
        self._container.close()

    def _mux(self, packets) -> None:
        # a packet is written when the next one tells how long it lasted
        for packet in packets:
            if self._waiting is not None:
                self._waiting.duration = packet.pts - self._waiting.pts
                self._container.mux(self._waiting)
            self._waiting = packet

    def __enter__(self) -> VideoFile:
        return self

    def __exit__(self, *_) -> None:
        self.close()
