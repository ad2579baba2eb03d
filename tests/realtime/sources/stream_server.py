"""A network camera for the tests: a film's own packets as MPEG-TS over TCP on 127.0.0.1, at the film's own pace, run as a program of its own.

python stream_server.py FILM PORT [SECONDS]     # it serves one reader, from the first picture on
"""

from __future__ import annotations

import socket
import sys
import time

import av


class Sent:
    """What the muxer writes goes to the reader at once."""

    def __init__(self, connection: socket.socket):
        self._connection = connection

    def write(self, data: bytes) -> int:
        self._connection.sendall(data)
        return len(data)


def serve(film: str, connection: socket.socket, seconds: float) -> None:
    source = av.open(film)
    stream = source.streams.video[0]
    container = av.open(Sent(connection), "w", format="mpegts", options={"flush_packets": "1"})
    out = container.add_stream_from_template(stream, opaque=True)
    begin = time.monotonic()
    for packet in source.demux(stream):
        if packet.dts is None or packet.dts * packet.time_base > seconds:
            break
        time.sleep(max(0.0, begin + float(packet.dts * packet.time_base) - time.monotonic()))
        packet.stream = out
        container.mux(packet)
    container.close()


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", int(sys.argv[2]))) as listening:
        print(listening.getsockname()[1], flush=True)
        accepted, _ = listening.accept()
        with accepted:
            serve(sys.argv[1], accepted, float((sys.argv[3:4] or ["inf"])[0]))
