"""To whom a queue belongs: a browser, so that it survives a reload. It knows itself by a key that is made here and that
nobody can guess; the page keeps it in its own storage and hands it back (page/timeline.js)."""

from __future__ import annotations

import secrets
import threading
import time


class Owners:
    """Which page (Gradio's session hash) shows the queue of which key. All methods from any thread."""

    def __init__(self):
        self._pages: dict[str, str] = {}
        self._seen: dict[str, float] = {}  # key → when a page asked last, monotonic seconds
        self._guard = threading.Lock()

    def enter(self, page: str, key: object) -> str:
        """The key of a page that has just been opened: the one it hands back where it is one of ours, else a new one."""
        with self._guard:
            if not isinstance(key, str) or key not in self._seen:
                key = self._pages.get(page) or secrets.token_urlsafe(18)  # a page that asks often makes one key
            self._pages[page], self._seen[key] = key, time.monotonic()
            return key

    def of(self, page: str | None) -> str:
        """The key of a page; "" of one that has not entered."""
        return self._pages.get(page or "", "")

    def seen(self, key: str) -> bool:
        """Whether it is one of ours; if so, its page has just asked."""
        with self._guard:
            if key in self._seen:
                self._seen[key] = time.monotonic()
            return key in self._seen

    def leave(self, page: str) -> str:
        """The page is closed or reloaded; its key, which stays, or "" where another page shows the same queue."""
        with self._guard:
            key = self._pages.pop(page, "")
            return "" if key in self._pages.values() else key

    def forget(self, key: str) -> None:
        with self._guard:
            self._seen.pop(key, None)
            self._pages = {page: other for page, other in self._pages.items() if other != key}

    def idle(self, seconds: float) -> list[str]:
        """The keys that no page has shown for so long."""
        with self._guard:
            return [key for key, last in self._seen.items() if time.monotonic() - last > seconds]
