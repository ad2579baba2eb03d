"""The connections to the page: a request must come in time, and there are only so many of them at once."""

from __future__ import annotations

import asyncio
import time

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 10.0  # for the head of a request, however it trickles; before it nobody has logged in
MOST = 400  # connections; a program may have 1024 files open


class Connection(H11Protocol):
    """uvicorn itself waits for a head for ever, and so for the rest of a body whose request is answered already."""

    _late: asyncio.TimerHandle | None = None
    since = 0.0  # monotonic seconds: when the wait for a request began

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._watch()
        if len(self.connections) > MOST:
            idle = [other for other in self.connections if getattr(other, "waiting", False)]  # this one at the latest
            min(idle, key=lambda other: other.since).transport.abort()

    @property
    def waiting(self) -> bool:
        """For a request, or for its end."""
        return self.cycle is None or self.cycle.response_complete

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def handle_websocket_upgrade(self, event) -> None:
        super().handle_websocket_upgrade(event)
        self._leave()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._leave()

    def _watch(self) -> None:
        if self not in self.connections:  # lost, or a WebSocket by now
            return
        if not self.waiting:
            self._leave()
        elif self._late is None:
            self.since = time.monotonic()
            self._late = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _leave(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
