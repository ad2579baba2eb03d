"""The pictures of events: faces and flow as soon as an event is known, the others when a page asks for them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import cv2

from realtime.dashboard.live.outbox import with_head
from realtime.dashboard.pictures import event as pictures
from realtime.dashboard.pictures.network import scores_figure, where_it_looked
from realtime.errors import UsageError
from realtime.records import Event, Keyframes

SMALL = 112  # pixels a side of the small ones
MOST_FACTOR = 40.0
MOST_WAITING = 100  # wishes of a page
WHAT = ("scores", "flow", "strain", "magnified", "looked")  # in this order: the quickest first


def first(event: Event, keyframes: Keyframes):
    """(name, JPEG) of what is shown without being asked for: the flow, then onset and apex, small. 25 ms."""
    yield "flow", pictures.as_jpeg(pictures.flow_wheel(keyframes))
    for name, picture in zip(("onset", "apex"), pictures.thumbnails(keyframes), strict=True):
        yield name, pictures.as_jpeg(cv2.resize(picture, (SMALL, SMALL), interpolation=cv2.INTER_AREA))


class Looks:
    """One for each page. Pictures are made one after the other, beside the stream; where the network looked takes
    seconds, so it keeps none of the others waiting.

    tell(kind, content) and post(bytes) send; get(number) gives (event, keyframes, recognizer), or None where they are no
    longer in memory.
    """

    def __init__(self, tell: Callable[[str, dict], None], post: Callable[[bytes], None], get: Callable[[int], tuple | None]):
        self.tasks: set[asyncio.Task] = set()
        self._tell, self._post, self._get = tell, post, get
        self._quick, self._slow = asyncio.Lock(), asyncio.Lock()
        self._wanted: int | None = None
        self._factor = 8.0

    def first(self, event: Event, keyframes: Keyframes) -> None:
        """From any thread."""
        try:
            for name, data in first(event, keyframes):
                self._send(event.event, name, data)
        except Exception as error:
            self._missing(event.event, "flow", error)

    def look(self, number: int, what: list[str], factor: float, dark: bool) -> None:
        """Pictures of an event are wanted; they are sent as they are made.

        Args:
            number: of the event.
            what: some of WHAT.
            factor: by which the movement is enlarged.
            dark: whether the page is.

        Raises:
            UsageError: for another picture, or too many wishes at once.
        """
        if unknown := set(what) - set(WHAT):
            raise UsageError(f"there is no picture '{min(unknown)}' of an event: expected some of {', '.join(WHAT)}")
        if len(self.tasks) > MOST_WAITING:
            raise UsageError("too many pictures are asked for at once: wait a moment")
        self._wanted, self._factor = number, min(max(factor, 0.0), MOST_FACTOR)
        ordered = [name for name in WHAT if name in what]
        self._later(self._look(number, [name for name in ordered if name != "looked"], dark, self._quick))
        if "looked" in ordered:
            self._later(self._look(number, ["looked"], dark, self._slow))

    def _later(self, work) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _look(self, number: int, what: list[str], dark: bool, lock: asyncio.Lock) -> None:
        async with lock:
            found = self._get(number)
            if found is None:
                self._tell("gone", {"number": number, "text": "The pictures of this event are no longer in memory."})
                return
            event, keyframes, recognizer = found
            factor = self._factor
            make = {
                "flow": lambda: pictures.as_jpeg(pictures.flow_wheel(keyframes)),
                "strain": lambda: pictures.as_jpeg(pictures.strain(keyframes)),
                "magnified": lambda: pictures.as_webp(pictures.magnified(keyframes, factor)),
                "looked": lambda: pictures.as_jpeg(where_it_looked(keyframes, recognizer)),
            }
            for name in what:
                if self._wanted != number or (name == "magnified" and self._factor != factor):
                    return  # another event or factor was chosen meanwhile
                if name == "scores":
                    figure = scores_figure(event, dark=dark)
                    self._tell("scores", {"number": number, "figure": json.loads(figure.to_json())})
                else:
                    await self._picture(number, name, make[name])

    async def _picture(self, number: int, name: str, make: Callable[[], bytes]) -> None:
        try:
            data = await asyncio.to_thread(make)
        except Exception as error:  # one picture less is no reason to lose the others
            return self._missing(number, name, error)
        self._send(number, name, data)

    def _missing(self, number: int, name: str, error: Exception) -> None:
        self._tell("missing", {"number": number, "name": name, "text": f"This picture could not be made: {error}"})

    def _send(self, number: int, name: str, data: bytes) -> None:
        self._post(with_head({"kind": "picture", "number": number, "name": name}, data))
