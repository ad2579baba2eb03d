"""The child's side: decode a file, a folder of pictures, a stream, a camera, or what it is sent chunk by chunk, into a ring of shared memory.

`parent` starts `main` in a process of its own, because media from strangers may crash a decoder.
This module imports little, so that the child starts fast. Messages to the parent are JSON, never pickles: a
decoder that was taken over by a file must not reach further.

    parent → child   the request (JSON); then, mixed: the number of a slot that is free again (one byte), a null byte and
                     a chunk, where the request names a codec, or whether encoded pictures are wanted (`encoded.ON`, `OFF`)
    child → parent   opened, frame (slot −1: the chunk held no picture), warning, and last of all end, error or defect (JSON);
                     where they are wanted, encoded pictures before the frames that they become (`Encoded.message`)
"""

from __future__ import annotations

import json
import mmap
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from itertools import chain
from multiprocessing.connection import Connection
from queue import SimpleQueue

import numpy as np

from engines.isolated import limit_memory
from realtime import heap
from realtime.errors import MerError, SourceError
from realtime.sources.encoded import ON, Keeping

SLOTS = 24
RING_BYTES = 128 * 2**20  # large pictures get fewer slots, never fewer than four


def main(messages_fd: int, slots_fd: int, memory_fd: int) -> None:
    """Serve one source until it ends or the parent goes away; never returns."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's: it closes us in order
    heap.keep_a_picture()
    messages, incoming = Connection(messages_fd, readable=False), Connection(slots_fd, writable=False)
    request = json.loads(incoming.recv_bytes())
    free: SimpleQueue[int] = SimpleQueue()
    chunks: SimpleQueue[bytes] = SimpleQueue()
    keep = Keeping(messages.send_bytes, request["keep"])
    threading.Thread(target=_take_in, args=(incoming, free, chunks, keep), daemon=True).start()

    def send(kind: str, **content) -> None:
        messages.send_bytes(json.dumps({"kind": kind, **content}).encode())

    try:
        _serve(request, send, free, chunks, keep, memory_fd)
        send("end")
    except MerError as error:
        send("error", type=type(error).__name__, text=str(error))
    except MemoryError:
        send("error", type="SourceError", text=f"{request['name']} needs more memory to decode than it may have: make it smaller")
    except BaseException:
        send("defect", text=traceback.format_exc())
    os._exit(0)  # no destructors: closing a network stream may wait for a peer that is gone


def _serve(request: dict, send: Callable, free: SimpleQueue[int], chunks: SimpleQueue[bytes], keep: Keeping, memory_fd: int) -> None:
    def warn(cause: str) -> None:
        send("warning", cause=cause)

    facts, pictures = _open(request, chunks, warn, keep)
    first = next(pictures, None)
    if first is None:
        raise SourceError(f"{request['name']} holds no frame that can be decoded: copy or record it again")
    height, width = first[2].shape[:2]
    count = max(4, min(SLOTS, RING_BYTES // first[2].nbytes))
    os.ftruncate(memory_fd, count * first[2].nbytes)
    ring = np.frombuffer(mmap.mmap(memory_fd, count * first[2].nbytes), np.uint8).reshape(count, height, width, 3)
    for slot in range(count):
        free.put(slot)
    send("opened", width=width, height=height, slots=count, **facts)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # from here on libraries would only repeat themselves

    for pts, arrival, pixels in chain([first], pictures):
        slot = -1
        if pixels is not None:
            slot = free.get()
            _copy(pixels, ring[slot])
        send("frame", slot=slot, pts=pts, arrival=arrival)


def _open(request: dict, chunks: SimpleQueue[bytes], warn: Callable[[str], None], keep: Keeping) -> tuple[dict, Iterator[tuple]]:
    """(facts, pictures). facts: fps, duration and nominal step, seconds or None; what its encoded pictures are, where `keep` gets them.

    pictures: (pts or None, arrival or None, H×W×3 uint8 BGR that is valid until the next one). Of chunks, whose times the
    parent knows, each has an answer: without pixels where it held no picture, but not the first.
    """
    if request["camera"] is not None:
        from realtime.sources.decoder.camera import open_camera

        return open_camera(request, warn, keep)
    if request["codec"] is not None:
        from realtime.sources.decoder.chunks import open_chunks

        limit_memory(request["memory"])
        return open_chunks(request, iter(chunks.get, None), warn)
    if os.path.isdir(request["target"]):
        from realtime.sources.decoder.pictures import open_pictures

        limit_memory(request["memory"])
        return open_pictures(request, warn)
    from realtime.sources.decoder.files import open_media

    limit_memory(request["memory"])
    return open_media(request, warn, keep)


def _copy(pixels: np.ndarray, to: np.ndarray) -> None:
    """H×W×3 each. A picture that was turned or mirrored is copied four times as fast colour by colour."""
    if pixels.flags.c_contiguous:
        to[:] = pixels
    else:
        for colour in range(3):
            to[..., colour] = pixels[..., colour]


def _take_in(incoming: Connection, free: SimpleQueue[int], chunks: SimpleQueue[bytes], keep: Keeping) -> None:
    """Sort freed slots from chunks and wishes; when the parent is gone, however it went, end at once."""
    try:
        while True:
            message = incoming.recv_bytes()
            if len(message) == 1:
                free.put(message[0])
            elif message[:1] == ON[:1]:
                keep.wanted = message == ON
            else:
                chunks.put(message[1:])
    except (EOFError, OSError):
        os._exit(1)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
