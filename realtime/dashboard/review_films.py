"""The pictures of the events looked at last, read ahead: reading up to an event of a long recording takes its time."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from realtime.errors import MerError
from realtime.review import Item, Marks
from realtime.review_film import MARGIN_S, Film, Reel, kept_film, recording, window

FILMS = 16  # about 10 MB each
PATIENCE_S = 180.0  # of reading up to an event
NEAR_S = 60.0  # of the recording: how far is read ahead


class Films:
    """Shared by all pages of one program; all methods from any thread."""

    def __init__(self, log: Path):
        self._log = log
        self._films: OrderedDict[tuple, Film | str] = OrderedDict()
        self._reel: Reel | None = None
        self._reading = threading.Lock()  # one recording at a time
        self._counting = threading.Lock()
        self._waiting = 0  # who asks, before whom reading ahead gives way

    def known(self, item: Item, marks: Marks) -> Film | str | None:
        """The film, or in words why there is none; None where it must be read first."""
        found = self._films.get(_key(item))
        return None if isinstance(found, Film) and not found.covers(marks) else found

    def get(self, session: dict, several: list[tuple[Item, Marks]], wanted: Callable[[], bool]) -> None:
        """Reads the film of the first of `several` events, and goes on with the others in the background.

        Returns when it is `known`, or when it is not `wanted` any more.
        """
        if self.known(*several[0]) is not None:
            return
        with self._counting:
            self._waiting += 1
        try:
            with self._reading:
                if wanted() and self.known(*several[0]) is None:
                    self._read(session, several, wanted)
        finally:
            with self._counting:
                self._waiting -= 1
        threading.Thread(target=self._read_ahead, name="films", daemon=True).start()

    def forget(self) -> None:
        with self._reading:
            self._films.clear()
            self._close()

    def _read(self, session: dict, several: list[tuple[Item, Marks]], wanted: Callable[[], bool]) -> None:
        item, marks = several[0]
        path = recording(session, item.source)
        try:
            if path is None:
                return self._keep({_key(item): kept_film(session, item, self._log)})
            deadline = time.monotonic() + PATIENCE_S
            if self._reel is None or self._reel.path != path or not self._reel.want(_key(item), *window(marks, MARGIN_S)):
                self._close()
                self._reel = Reel(path)
                self._reel.want(_key(item), *window(marks, MARGIN_S))
            for other, said in several[1:]:
                if self.known(other, said) is None:
                    self._reel.want(_key(other), *window(said, MARGIN_S))
            self._films.pop(_key(item), None)
            while _key(item) not in self._films and wanted():
                if time.monotonic() > deadline:
                    self._close()
                    self._keep({_key(item): f"The event lies so deep in {path.name} that reading up to it took too long."})
                    break
                self._keep(self._reel.read())
        except MerError as error:
            self._keep({_key(item): str(error)})

    def _read_ahead(self) -> None:
        while not self._waiting:
            with self._reading:
                if self._reel is None or not self._reel.pending(NEAR_S):
                    if self._reel is not None and not self._reel.pending(float("inf")):
                        self._close()
                    return
                self._keep(self._reel.read())

    def _keep(self, found: dict) -> None:
        for key, one in found.items():
            self._films[key] = one
            self._films.move_to_end(key)
            while len(self._films) > FILMS:
                self._films.popitem(last=False)

    def _close(self) -> None:
        if self._reel is not None:
            self._reel.close()
            self._reel = None


def _key(item: Item) -> tuple:
    return item.session, item.key
