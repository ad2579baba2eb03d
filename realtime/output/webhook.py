"""`--webhook URL`: each event line is posted to an address, as JSON, while they happen."""

from __future__ import annotations

from urllib.parse import urlsplit

import urllib3

from realtime.errors import OutputError, UsageError
from realtime.output.sinks import Sink, json_line
from realtime.records import Event

ANSWER_S = 5.0  # how long an answer may take
RETRIES = urllib3.Retry(total=4, backoff_factor=0.5, status_forcelist=(408, 429, 500, 502, 503, 504), allowed_methods=None, redirect=0)


class WebhookSink(Sink):
    """Posts events one by one, each tried five times within about eight seconds. It belongs into a `Writer` of its own: an address that is
    slow must not hold up the files.

    An event that could not be delivered is counted, and the next one is tried: the address may be back.
    """

    def __init__(self, url: str):
        """
        Raises:
            UsageError: that is no address.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"--webhook {url}: expected an address such as http://localhost:8000/events")
        self.name = f"webhook {parts.hostname}"  # the rest may hold a key
        self._url, self._lost, self._down = url, 0, False
        self._pool = urllib3.PoolManager(timeout=ANSWER_S, retries=RETRIES)

    def write(self, event: Event) -> None:
        try:
            answer = self._pool.request("POST", self._url, body=json_line(event.as_dict()), headers={"Content-Type": "application/json"})
        except urllib3.exceptions.HTTPError as error:
            return self._failed(f"does not answer ({type(error.__cause__ or error).__name__})")
        if answer.status >= 300:
            return self._failed(f"answers {answer.status}")
        self._down = False

    provisional = write

    def close(self) -> None:
        self._pool.clear()
        if self._lost:
            error = OutputError(f"{self.name}: {self._lost} events were not delivered")
            error.lost = self._lost
            raise error

    def _failed(self, why: str) -> None:
        self._lost += 1
        if not self._down:  # said once an outage
            self._down = True
            self.say(f"{self.name} {why}: an event was not delivered; the next ones are tried")
