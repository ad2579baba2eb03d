"""A press that comes twice is done once: `page/presses.js` sends it again where the line broke before its answer came."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

HEADER = b"x-mer-press"  # names a press: the page's own name and a number
KEPT = 16  # answers; a press is repeated within seconds
MOST = 8 * 2**20  # bytes of all of them; one that has gone is not done again
LONGEST = 100  # characters of a press's name
GONE = b"That is done, but its answer is not kept: reload the page.\n"


class Presses:
    """ASGI middleware: the same press gets the same answer, also one that is still under way."""

    def __init__(self, app):
        self.app = app
        self._answers: OrderedDict[bytes, asyncio.Task] = OrderedDict()
        self._sizes: dict[bytes, int] = {}  # of those that are kept whole

    async def __call__(self, scope, receive, send):
        press = dict(scope["headers"]).get(HEADER) if scope["type"] == "http" else None
        if press is None or len(press) > LONGEST:
            return await self.app(scope, receive, send)
        if press not in self._answers:
            self._answers[press] = asyncio.ensure_future(self._answered(press, scope, receive))
            while len(self._answers) > KEPT:
                self._sizes.pop(self._answers.popitem(last=False)[0], None)
        for message in await asyncio.shield(self._answers[press]):
            await send(message)

    async def _answered(self, press: bytes, scope, receive) -> list:
        messages = []

        async def keep(message):
            messages.append(message)

        await self.app(scope, receive, keep)
        if press in self._answers:
            self._sizes[press] = sum(len(message.get("body", b"")) for message in messages)
            asyncio.get_running_loop().call_soon(self._forget)  # who waits for this one gets it
        return messages

    def _forget(self) -> None:
        """The oldest answers, so that all together are not larger than MOST."""
        while sum(self._sizes.values()) > MOST:
            press = next(iter(self._sizes))
            del self._sizes[press]
            self._answers[press] = gone = asyncio.get_running_loop().create_future()
            gone.set_result(
                [
                    {"type": "http.response.start", "status": 410, "headers": [(b"content-type", b"text/plain")]},
                    {"type": "http.response.body", "body": GONE},
                ]
            )
