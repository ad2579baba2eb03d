"""JSON that came from a browser, or from whoever says to be one."""

from __future__ import annotations

import json
import math

from realtime.errors import UsageError
from realtime.names import plain

DEEPEST = 16  # lists and objects in one another: Gradio's own go to four
NOT_SOUND = "the page sent something that the server does not understand: reload it"


def read(text: str | bytes) -> dict:
    """The object that `text` is.

    Raises:
        UsageError: where it is none, is deep, or holds what cannot be computed with or written down: NaN, Infinity, half a character.
    """
    try:
        found = json.loads(text, parse_constant=_refuse)
        sound = isinstance(found, dict) and _sound(found)
    except (ValueError, RecursionError):  # of a number of 5,000 digits, too
        sound = False
    if not sound:
        raise UsageError(NOT_SOUND)
    return found


def written(text: str) -> bool:
    """Whether a text can be written down: half a character ("\\ud800") and the end of all texts ("\\0") cannot."""
    return "\0" not in text and plain(text) == text


def all_plain(found: object) -> object:
    """`plain` for every text in lists and dictionaries."""
    if isinstance(found, str):
        return plain(found)
    if isinstance(found, dict):
        return {all_plain(key): all_plain(value) for key, value in found.items()}
    return type(found)(map(all_plain, found)) if type(found) in (list, tuple) else found


def word(event, name: str) -> str:
    """What the page tells with an event of Gradio's under `name`; "" where it is no word."""
    told = event._data if isinstance(event._data, dict) else {}
    return told[name] if isinstance(told.get(name), str) else ""


def _refuse(word: str):
    raise ValueError(word)


def _sound(found: object) -> bool:
    waiting = [(found, 0)]
    while waiting:
        one, deep = waiting.pop()
        if deep > DEEPEST or (isinstance(one, float) and not math.isfinite(one)) or (isinstance(one, str) and not written(one)):
            return False
        if isinstance(one, dict):
            waiting += [(part, deep + 1) for pair in one.items() for part in pair]
        elif isinstance(one, list):
            waiting += [(part, deep + 1) for part in one]
    return True
