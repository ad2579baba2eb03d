"""What the four tabs share: settings, networks, private folders, downloads, and what is tidied up at the end."""

from __future__ import annotations

import hashlib
import secrets
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from engines.runtime import ENGINES
from realtime.dashboard.server.uploads import Uploads
from realtime.errors import MerError, UsageError
from realtime.naming.recognizer import Recognizer
from realtime.networks import naming
from realtime.watching import LiveSettings

MOST_PAGES = 100  # open at a time, whose files and choices are kept
HEAVY = 2  # at once, of what keeps a core busy for long: Gradio's concurrency_limit of these handlers


@dataclass
class Limits:
    """What the page takes from a browser.

    Attributes:
        upload_gb: a file's size.
        hours: a recording's length.
        work_hours: how long the analysis of one may take.
    """

    upload_gb: float = 4.0
    hours: float = 2.0
    work_hours: float = 6.0


@dataclass
class DemoSettings(LiveSettings):
    """Everything that `configs/demo.yaml` holds: what `mer-live` knows, and the limits for what is uploaded."""

    limits: Limits = field(default_factory=Limits)


@dataclass
class Shared:
    """One for each running `mer-demo`. All methods may be called from any thread.

    Attributes:
        temp: private (0700), emptied at the end.
        uploads: a folder in it, the only one that Gradio keeps files in.
        log: the event log, which need not exist yet.
        read_only: no control that writes is built, and every request under /mer/ other than GET and a WebSocket is refused before it
            reaches a tab.
    """

    settings: DemoSettings
    temp: Path
    log: Path
    read_only: bool = False
    _networks: dict[tuple[str, str], Recognizer] = field(default_factory=dict, repr=False)
    _offers: dict[str, tuple[Path, str]] = field(default_factory=dict, repr=False)
    _pages: OrderedDict[str, None] = field(default_factory=OrderedDict, repr=False)
    _at_session_end: list[Callable[[str], None]] = field(default_factory=list, repr=False)
    _at_end: ExitStack = field(default_factory=ExitStack, repr=False)
    _guard: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _loading: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __post_init__(self):
        self.uploads = Uploads(self.temp / "gradio")

    def networks(self) -> list[str]:
        """Those that name a movement: of the zoo, and the one that mer-demo was started with. Nothing else is loaded."""
        return list(dict.fromkeys([*naming(), self.settings.network]))

    def recognizer(self, model: str, engine: str = "auto") -> Recognizer:
        """The network, loaded once for all.

        Raises:
            ModelError: where it cannot be loaded.
            UsageError: for one that the page does not offer.
        """
        if model not in self.networks():
            raise UsageError(f"the page offers no network '{str(model)[:60]}': expected one of {', '.join(self.networks())}")
        if engine not in ENGINES:
            raise UsageError(f"there is no engine '{str(engine)[:60]}': expected one of {', '.join(ENGINES)}")
        with self._loading:
            if (model, engine) not in self._networks:
                self._networks[model, engine] = Recognizer(model, engine)
            return self._networks[model, engine]

    def forget_networks(self) -> None:
        """The next `recognizer` looks again at what there is: an engine was built or removed."""
        with self._loading:
            self._networks.clear()

    def folder(self, session: str) -> Path:
        """The folder of one browser session (`gr.Request.session_hash`), made where it is missing; gone with the page."""
        folder = self.temp / "sessions" / hashlib.sha256(session.encode()).hexdigest()[:32]
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def offer(self, path: Path, session: str) -> str:
        """URL (it begins with "/") of a finished file in the session's folder, good until the session ends.

        It cannot be guessed; the browser saves the file, whatever it is.

        Raises:
            ValueError: for a file that lies elsewhere.
        """
        path = Path(path).resolve(strict=True)
        if not path.is_relative_to(self.folder(session).resolve()):
            raise ValueError(f"{path} is not in the session's folder: only exports made there are offered")
        with self._guard:
            again = (token for token, offer in self._offers.items() if offer == (path, session))
            token = next(again, None) or secrets.token_urlsafe(24)
            self._offers[token] = path, session
        return f"/mer/download/{token}/{quote(path.name)}"

    def offered(self, token: str) -> Path | None:
        """The file behind a token of `offer`, None where there is none (any more)."""
        with self._guard:
            path, _ = self._offers.get(token, (None, ""))
        return path if path is not None and path.is_file() else None

    def at_session_end(self, call: Callable[[str], None]) -> None:
        """`call(session)` when a page is closed or reloaded, before its folder is removed."""
        self._at_session_end.append(call)

    def seen(self, session: str) -> list[str]:
        """A page asks for something; the pages that were silent for the longest where there are more than MOST_PAGES: whoever
        calls ends them with `end_session`."""
        with self._guard:
            self._pages[session] = None
            self._pages.move_to_end(session)
            return [self._pages.popitem(last=False)[0] for _ in range(len(self._pages) - MOST_PAGES)]

    def end_session(self, session: str) -> None:
        with self._guard:
            self._pages.pop(session, None)
        for call in self._at_session_end:
            try:
                call(session)
            except MerError:
                pass  # the person has gone; the rest must be tidied nevertheless
        with self._guard:
            self._offers = {token: offer for token, offer in self._offers.items() if offer[1] != session}
        shutil.rmtree(self.folder(session), ignore_errors=True)

    def at_end(self, call: Callable[[], None]) -> None:
        """`call()` when the program ends, the latest first, before `temp` is emptied. For children and open files."""
        self._at_end.callback(call)

    def close(self) -> None:
        self._at_end.close()

    def refuse_if_read_only(self, what: str) -> None:
        """For a handler that writes.

        Raises:
            UsageError: "<what> is switched off: …".
        """
        if self.read_only:
            raise UsageError(f"{what} is switched off: mer-demo was started with --read-only")
