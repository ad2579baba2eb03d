"""A small copy of a recording from which any single frame can be had at once, whatever the recording itself was.

It is made while the recording is worked through, by us and for us: reading it needs no child process.
"""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from realtime.errors import OutputError
from realtime.output.line_file import cannot_write

TICK = Fraction(1, 90_000)  # seconds
LARGEST = 720  # pixels of the longer side
EVERY = 12  # frames from one whole picture to the next: so many are decoded to show one, at most


class Copy:
    """Written frame by frame, then read at random.

    Attributes:
        times: seconds of each frame, as given.
    """

    def __init__(self, path: Path, width: int, height: int):
        import av

        self.path, self.times = path, []
        shrink = min(1.0, LARGEST / max(width, height))
        self.width, self.height = (max(2, round(side * shrink / 2) * 2) for side in (width, height))
        codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
        quick = {"preset": "ultrafast", "crf": "21", "sc_threshold": "0"}
        options = {"bf": "0", "g": str(EVERY), **(quick if codec == "libx264" else {"qscale": "3"})}
        try:
            self._container = av.open(str(path), "w", format="mp4")
            self._stream = self._container.add_stream(codec, rate=30, options=options)
            self._stream.width, self._stream.height, self._stream.pix_fmt = self.width, self.height, "yuv420p"
            self._stream.time_base = self._stream.codec_context.time_base = TICK
        except (av.error.FFmpegError, OSError) as error:
            raise cannot_write(path, error) from error

    def write(self, pixels: np.ndarray, pts: float) -> None:
        """The next frame.

        Args:
            pixels: H×W×3 uint8 BGR.
            pts: seconds.

        Raises:
            OutputError: where it cannot be written.
        """
        import av

        small = cv2.resize(pixels, (self.width, self.height), interpolation=cv2.INTER_AREA)
        frame = av.VideoFrame.from_ndarray(small, format="bgr24")
        frame.pts, frame.time_base = round(pts / TICK), TICK
        try:
            self._container.mux(self._stream.encode(frame))
        except (av.error.FFmpegError, OSError) as error:
            raise cannot_write(self.path, error) from error
        self.times.append(pts)

    def close(self) -> None:
        """No more frames: from now on they can be read."""
        import av

        container, self._container = self._container, None
        stream, self._stream = self._stream, None  # the encoder's own pictures would stay as long as the copy
        if container is not None:
            with suppress(av.error.FFmpegError, OSError):
                container.mux(stream.encode(None))
            with suppress(av.error.FFmpegError, OSError):
                container.close()

    def __enter__(self) -> Copy:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def frame(self, number: int) -> np.ndarray:
        """Frame `number`, from 0.

        Returns:
            H×W×3 uint8 BGR.

        Raises:
            IndexError: beyond the last.
            OutputError: where the copy is gone.
        """
        import av

        if not 0 <= number < len(self.times) or self._container is not None:
            raise IndexError(f"frame {number} of {len(self.times)}")
        wanted = self.times[number] - float(TICK)
        try:
            with av.open(str(self.path), metadata_errors="replace") as container:
                stream = container.streams.video[0]
                container.seek(max(0, int(self.times[number] / stream.time_base)), stream=stream)
                for frame in container.decode(stream):
                    if frame.time >= wanted:
                        return frame.to_ndarray(format="bgr24")
        except (av.error.FFmpegError, OSError) as error:
            text = f"the copy of the recording cannot be read any more ({error}): drop the recording again"
            raise OutputError(text) from error
        raise IndexError(f"frame {number} of {len(self.times)}")
