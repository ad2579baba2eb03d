"""The pictures of the events looked at last, read ahead: reading up to an event of a long recording takes its time."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from realtime.errors import MerError
from realtime.review.film import MARGIN_S, Film, Reel, as_read, kept_film, recording, window
from realtime.review.item import Item, Marks
from realtime.sources import SourceSettings

MOST_BYTES = 160 * 2**20  # of films: ten of 30 frames/s, fewer of a fast camera's; the last one always stays
PASSES = 3  # recordings that are read at a time
PATIENCE_S = 180.0  # of reading up to an event
TURN_S = 0.2  # between two looks at whether a page that waits for its turn still wants it
NEAR_S = 60.0  # of the recording: how far is read ahead
Asked = list[tuple[Item, Marks]]  # the event that is looked at, and those that come next


class Films:
    """Shared by all pages of one program; all methods from any thread."""

    def __init__(self, log: Path):
        self._log = log
        self._films: OrderedDict[tuple, Film | str] = OrderedDict()
        self._passes: dict[tuple, _Pass] = {}
        self._guard = threading.Lock()
        self._closed = False

    def known(self, item: Item, marks: Marks) -> Film | str | None:
        """The film, or in words why there is none; None where it must be read first."""
        found = self._films.get(_key(item))
        return None if isinstance(found, Film) and not found.covers(marks) else found

    def get(self, session: dict, several: Asked, wanted: Callable[[], bool]) -> None:
        """Reads the film of the first of `several` events, and goes on with the others in the background.

        Returns when it is `known`, or when it is not `wanted` any more.
        """
        item, marks = several[0]
        path = recording(session, item.source)
        while self.known(item, marks) is None and wanted() and not self._closed:
            if path is not None:
                self._pass(path, as_read(session)).get(several, wanted)  # returns early where another page deletes a session
                continue
            try:
                self.keep({_key(item): kept_film(session, item, self._log)})
            except MerError as error:
                self.keep({_key(item): str(error)})

    def keep(self, found: dict[tuple, Film | str]) -> None:
        with self._guard:
            for key, one in found.items():
                self._films[key] = one
                self._films.move_to_end(key)
                while len(self._films) > 1 and sum(map(_size, self._films.values())) > MOST_BYTES:
                    self._films.popitem(last=False)

    def forget(self) -> None:
        with self._guard:
            passes, self._passes = self._passes, {}
        for one in passes.values():
            one.end()
        with self._guard:
            self._films.clear()

    def close(self) -> None:
        self._closed = True
        self.forget()

    def _pass(self, path: Path, settings: SourceSettings) -> _Pass:
        which = path, settings.fps, settings.stream
        with self._guard:
            idle = [other for other, one in self._passes.items() if not one.waiting]
            if which in self._passes or len(self._passes) < PASSES or not idle:
                return self._passes.setdefault(which, _Pass(path, settings, self))
            over = self._passes.pop(idle[0])
            self._passes[which] = new = _Pass(path, settings, self)
        over.end()
        return new


class _Pass:
    """The reading of one recording from its beginning to the last event asked for. waiting: how many ask right now."""

    def __init__(self, path: Path, settings: SourceSettings, films: Films):
        self.path, self._settings, self._films = path, settings, films
        self.waiting = 0
        self._reel: Reel | None = None
        self._reading = threading.Lock()
        self._counting = threading.Lock()
        self._over = False

    def get(self, several: Asked, wanted: Callable[[], bool]) -> None:
        """Until the film of the first is known, it is not wanted any more, or the pass has ended."""
        with self._counting:
            self.waiting += 1
        try:
            while wanted() and not self._over:
                if self._reading.acquire(timeout=TURN_S):
                    try:
                        if self._films.known(*several[0]) is None:
                            self._read(several, wanted)
                        break
                    finally:
                        self._reading.release()
        finally:
            with self._counting:
                self.waiting -= 1
        threading.Thread(target=self._read_ahead, name="films", daemon=True).start()

    def end(self) -> None:
        self._over = True
        with self._reading:
            self._close()

    def _read(self, several: Asked, wanted: Callable[[], bool]) -> None:
        item, marks = several[0]
        try:
            deadline = time.monotonic() + PATIENCE_S
            if self._reel is None or not self._reel.want(_key(item), *window(marks, MARGIN_S)):
                self._close()
                self._reel = Reel(self.path, self._settings)
                self._reel.want(_key(item), *window(marks, MARGIN_S))
            for other, said in several[1:]:
                if self._films.known(other, said) is None:
                    self._reel.want(_key(other), *window(said, MARGIN_S))
            found = {}
            while _key(item) not in found and wanted() and not self._over:
                if time.monotonic() > deadline:
                    self._close()
                    found = {_key(item): f"The event lies so deep in {self.path.name} that reading up to it took too long."}
                else:
                    found = self._reel.read()
                self._films.keep(found)
        except MerError as error:
            self._films.keep({_key(item): str(error)})

    def _read_ahead(self) -> None:
        """What comes next, until somebody asks again, who goes first."""
        while not self.waiting and not self._over:
            with self._reading:
                if self._reel is None or not self._reel.pending(NEAR_S):
                    if self._reel is not None and not self._reel.pending(float("inf")):
                        self._close()
                    return
                self._films.keep(self._reel.read())

    def _close(self) -> None:
        if self._reel is not None:
            self._reel.close()
            self._reel = None


def _size(film: Film | str) -> int:
    """Bytes. Words weigh as much as a small picture, so that they do not become many."""
    return 2**16 if isinstance(film, str) else sum(view.pixels.nbytes for view in film.views)


def _key(item: Item) -> tuple:
    return item.session, item.key
