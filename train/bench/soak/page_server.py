"""The page's server in a process of its own: the Live tab's WebSocket, as in `mer-demo`, without Gradio and the other tabs."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from realtime import heap
from realtime.dashboard.live.socket import routes
from realtime.dashboard.shared import DemoSettings, Shared
from realtime.output.log_schema import default_path


def play(told, wishes, done) -> None:
    """Serves until it is ended. told: ("port", number) first."""
    heap.bound()
    heap.keep_small(threading.Event())
    shared = Shared(DemoSettings(), Path("tmp").absolute(), default_path())
    app = FastAPI()
    routes(shared, app)
    with socket.create_server(("127.0.0.1", 0)) as door:
        told.send(("port", door.getsockname()[1]))
        uvicorn.Server(uvicorn.Config(app, log_level="warning", ws_max_size=2**24)).run(sockets=[door])
    shared.close()
