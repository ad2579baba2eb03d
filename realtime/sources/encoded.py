"""Pictures as their source encoded them, for whoever keeps the stream: from the decoder's process to its parent, beside the decoded ones."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

# what MP4 takes, by FFmpeg's names; of anything else the decoded pictures are encoded
REMUXED = ("h264", "hevc", "mpeg4", "mjpeg", "vp9", "av1")
MARK = b"\0"  # a message that begins so is no JSON
ON, OFF = b"\1\1", b"\1\0"  # what the parent says: encoded pictures are wanted, or no longer


@dataclass(frozen=True, eq=False)
class Encoded:
    """One encoded picture, in the order of decoding.

    Attributes:
        codec: of REMUXED.
        key: it stands on its own, and brings what a decoder has to know.
        pts: when it is shown, dts: when it is decoded; seconds in the source's own clock, None where that says nothing.
        data: H.264 and HEVC as Annex B has them.
    """

    codec: str
    key: bool
    pts: float | None
    dts: float | None
    data: bytes = b""

    def message(self) -> bytes:
        """For the pipe to the parent; see `received`."""
        head = json.dumps(asdict(replace(self, data=b""), dict_factory=lambda pairs: {k: v for k, v in pairs if k != "data"})).encode()
        return MARK + struct.pack("<I", len(head)) + head + self.data


def received(message: bytes) -> Encoded:
    (length,) = struct.unpack_from("<I", message, 1)
    return Encoded(**json.loads(message[5 : 5 + length]), data=message[5 + length :])


class Keeping:
    """In the child: hands encoded pictures on while the parent wants them.

    Attributes:
        wanted: switched by the thread that listens to the parent.
    """

    def __init__(self, send: Callable[[bytes], None], wanted: bool):
        self.wanted = wanted
        self._send = send

    def __call__(self, picture: Encoded) -> None:
        if self.wanted:
            self._send(picture.message())
