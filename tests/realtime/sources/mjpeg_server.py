"""A network camera for the tests: MJPEG over HTTP on 127.0.0.1, run as a program of its own.

    python mjpeg_server.py PORT [WIDTH HEIGHT]     # 0 picks a free port; the port is printed

To make it stall, stop the process (SIGSTOP); to make it die, kill it. It runs alone because a stream that is served
by the process that reads it can time out.
"""

from __future__ import annotations

import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np

FPS = 50
WIDTH, HEIGHT = (int(argument) for argument in (sys.argv[2:4] or (160, 120)))


def jpeg(number: int) -> bytes:
    """A grey picture with a white bar that wanders, so that no two neighbours are alike."""
    picture = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    picture[:, number % WIDTH : number % WIDTH + 8] = 255
    return cv2.imencode(".jpg", picture)[1].tobytes()


class Camera(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path != "/video":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        start = time.monotonic()
        try:
            for number in range(100_000):
                time.sleep(max(0.0, start + number / FPS - time.monotonic()))
                data = jpeg(number)
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                self.wfile.write(head.encode() + data + b"\r\n")
        except OSError:
            pass  # the reader hung up

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Camera)
    print(server.server_port, flush=True)
    server.serve_forever()
