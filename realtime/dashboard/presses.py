"""A press that comes twice is done once: `page/presses.js` sends it again where the line broke before its answer came."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

HEADER = b"x-mer-press"  # names a press: the page's own name and a number
KEPT = 16  # answers, some of a megabyte; a press is repeated within seconds


class Presses:
    """ASGI middleware: the same press gets the same answer, also one that is still under way."""

    def __init__(self, app):
        self.app = app
        self._answers: OrderedDict[bytes, asyncio.Task] = OrderedDict()

    async def __call__(self, scope, receive, send):
        press = dict(scope["headers"]).get(HEADER) if scope["type"] == "http" else None
        if press is None:
            return await self.app(scope, receive, send)
        if press not in self._answers:
            self._answers[press] = asyncio.ensure_future(self._answered(scope, receive))
            while len(self._answers) > KEPT:
                self._answers.popitem(last=False)
        for message in await asyncio.shield(self._answers[press]):
            await send(message)

    async def _answered(self, scope, receive) -> list:
        messages = []

        async def keep(message):
            messages.append(message)

        await self.app(scope, receive, keep)
        return messages
