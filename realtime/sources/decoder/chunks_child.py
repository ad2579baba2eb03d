"""The child's side of `browser`: decode chunks into a ring of shared memory, one answer for each.

parent → child   the request (JSON); then, mixed: the number of a free slot (one byte), or a null byte and a chunk
child → parent   opened (before the first frame), frame (slot −1: the chunk held no picture), warning, error, defect
"""

from __future__ import annotations

import json
import mmap
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from queue import SimpleQueue

import av
import numpy as np
from av.error import FFmpegError

from engines.isolated import limit_memory
from realtime.errors import MerError, SourceError
from realtime.sources.decoder.child import RING_BYTES, SLOTS
from realtime.sources.decoder.upright import Upright


def main(messages_fd: int, slots_fd: int, memory_fd: int) -> None:
    """Decode until the parent goes away; never returns."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    messages, incoming = Connection(messages_fd, readable=False), Connection(slots_fd, writable=False)
    request = json.loads(incoming.recv_bytes())
    free: SimpleQueue[int] = SimpleQueue()
    chunks: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_take_in, args=(incoming, free, chunks), daemon=True).start()

    def send(kind: str, **content) -> None:
        messages.send_bytes(json.dumps({"kind": kind, **content}).encode())

    try:
        _serve(request, send, free, chunks, memory_fd)
    except MerError as error:
        send("error", type=type(error).__name__, text=str(error))
    except MemoryError:
        send("error", type="SourceError", text=f"a chunk from {request['name']} needs more memory than it may have")
    except BaseException:
        send("defect", text=traceback.format_exc())
    os._exit(0)


def _serve(request: dict, send: Callable, free: SimpleQueue, chunks: SimpleQueue, memory_fd: int) -> None:
    codec = av.CodecContext.create(request["codec"], "r")
    codec.thread_count = 1  # threads delay by a picture each
    codec.options = {"max_pixels": str(request["most_pixels"]), "flags": "low_delay"}
    bgr = Upright(None, request["size"], lambda cause: send("warning", cause=cause))
    width, height = request["size"]
    count = max(4, min(SLOTS, RING_BYTES // (width * height * 3)))
    os.ftruncate(memory_fd, count * width * height * 3)
    ring = np.frombuffer(mmap.mmap(memory_fd, count * width * height * 3), np.uint8).reshape(count, height, width, 3)
    for slot in range(count):
        free.put(slot)
    limit_memory(request["memory"])
    opened = False
    while True:
        picture = _decoded(codec, chunks.get(), request["most_pixels"])
        if not opened:
            if picture is None:
                raise SourceError(f"{request['name']} sent something that is no {request['codec'].upper()} video")
            send("opened", width=width, height=height, slots=count, fps=None, duration=None, nominal=1 / 30)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # from here on libraries would only repeat themselves
            opened = True
        slot = -1
        if picture is not None:
            pixels = bgr(picture)
            slot = free.get()
            ring[slot] = pixels
        send("frame", slot=slot)


def _decoded(codec: av.CodecContext, chunk: bytes, most_pixels: int) -> av.VideoFrame | None:
    try:
        frames = codec.decode(av.Packet(chunk)) if chunk else []
    except FFmpegError:
        return None
    fitting = [frame for frame in frames if frame.width * frame.height <= most_pixels]
    return fitting[-1] if fitting else None


def _take_in(incoming: Connection, free: SimpleQueue, chunks: SimpleQueue) -> None:
    """Sort what comes; when the parent is gone, however it went, end at once."""
    try:
        while True:
            message = incoming.recv_bytes()
            if len(message) == 1:
                free.put(message[0])
            else:
                chunks.put(message[1:])
    except (EOFError, OSError):
        os._exit(1)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
