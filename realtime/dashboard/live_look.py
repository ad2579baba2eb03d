"""The pictures of events: two small ones as soon as an event is known, all of them for the one that was chosen."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Callable

import cv2

from realtime.dashboard import pictures
from realtime.records import Event, Keyframes

SMALL = 112  # pixels a side of the small ones
MOST_FACTOR = 40.0


class Looks:
    """One for each page. tell(kind, content) and post(bytes) send; get(number) gives (event, keyframes, recognizer), or None
    where they are no longer in memory. Pictures are made one after the other, beside the stream."""

    def __init__(self, tell: Callable[[str, dict], None], post: Callable[[bytes], None], get: Callable[[int], tuple | None]):
        self.tasks: set[asyncio.Task] = set()
        self._tell, self._post, self._get = tell, post, get
        self._one = asyncio.Lock()
        self._wanted: int | None = None
        self._factor = 0.0

    def thumbnails(self, event: Event, keyframes: Keyframes) -> None:
        """From any thread."""
        for name, picture in zip(("onset", "apex"), pictures.thumbnails(keyframes), strict=True):
            small = cv2.resize(picture, (SMALL, SMALL), interpolation=cv2.INTER_AREA)
            self._post(with_head({"kind": "picture", "number": event.event, "name": name}, pictures.as_jpeg(small)))

    def look(self, number: int, factor: float, dark: bool) -> None:
        self._later(self._look(number, _bounded(factor), dark))

    def magnify(self, number: int, factor: float) -> None:
        self._later(self._magnify(number, _bounded(factor)))

    def _later(self, work) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _look(self, number: int, factor: float, dark: bool) -> None:
        self._wanted = number
        async with self._one:
            found = self._get(number)
            if found is None:
                self._tell("gone", {"number": number, "text": "The pictures of this event are no longer in memory."})
                return
            event, keyframes, recognizer = found
            self._tell("scores", {"number": number, "figure": json.loads(pictures.scores_figure(event, dark=dark).to_json())})
            for name, make in (
                ("magnified", lambda: pictures.as_webp(pictures.magnified(keyframes, factor))),
                ("flow", lambda: pictures.as_jpeg(pictures.flow_wheel(keyframes))),
                ("strain", lambda: pictures.as_jpeg(pictures.strain(keyframes))),
                ("looked", lambda: pictures.as_jpeg(pictures.where_it_looked(keyframes, recognizer))),
            ):
                if self._wanted != number:
                    return  # another was chosen meanwhile
                await self._picture(number, name, make)

    async def _magnify(self, number: int, factor: float) -> None:
        self._factor = factor
        async with self._one:
            found = self._get(number)
            if found is not None and self._factor == factor:
                await self._picture(number, "magnified", lambda: pictures.as_webp(pictures.magnified(found[1], factor)))

    async def _picture(self, number: int, name: str, make: Callable[[], bytes]) -> None:
        try:
            data = await asyncio.to_thread(make)
        except Exception as error:  # one picture less is no reason to lose the others
            self._tell("missing", {"number": number, "name": name, "text": f"This picture could not be made: {error}"})
            return
        self._post(with_head({"kind": "picture", "number": number, "name": name}, data))


def with_head(head: dict, data: bytes) -> bytes:
    """Length of the JSON head (4 bytes), the head, one picture."""
    text = json.dumps(head).encode()
    return struct.pack("<I", len(text)) + text + data


def _bounded(factor: float) -> float:
    return min(max(factor, 0.0), MOST_FACTOR)
