"""Names: of things from outside, as they can be shown and written anywhere; and for several that must not be one another's."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Sequence

# a file's name may hold any byte but two: control characters, marks that turn the direction of writing, line separators,
# and bytes that are no UTF-8
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
NO_UNICODE = re.compile("[\ud800-\udfff]")
LONGEST = 150  # bytes of a file's name, of the 255 that most disks take: endings and numbers come behind it


def printable(name: object, kept: str = "") -> str:
    """One line of valid Unicode that does nothing to a terminal: an undecodable byte becomes \\xe9, ESC becomes \\x1b.

    Args:
        kept: characters that stay although they are of that kind, such as a newline.
    """
    return UNPRINTABLE.sub(lambda found: found[0] if found[0] in kept else _escaped(ord(found[0])), str(name))


def plain(text: str) -> str:
    """The text with what cannot be written down spelled as `printable` spells it; all else, of whatever kind, stays."""
    return NO_UNICODE.sub(lambda found: _escaped(ord(found[0])), text)


def file_name(wish: str) -> str:
    """A name for a file or folder of ours after something from outside: never "..", never too long for a disk.

    A long one is cut, with a number after it that tells it from others with the same beginning.
    """
    name = printable(wish).replace("\\", "-")
    if not name.strip("."):  # "...mp4" without its ending is the folder above
        name = "_" * max(1, len(name))
    data = name.encode()
    if len(data) <= LONGEST:
        return name
    return f"{data[: LONGEST - 9].decode(errors='ignore')}-{zlib.crc32(data):08x}"


def distinct(wishes: Sequence[Sequence[str]]) -> list[str]:
    """One name each: the first of its wishes that no other has; its last one where all are taken.

    It depends on no order: of two that wish the same name, neither gets it. Capitals are not told apart, since not
    every disk does.
    """
    place = [0] * len(wishes)
    while True:
        names = [several[at] for several, at in zip(wishes, place, strict=True)]
        counts = Counter(name.casefold() for name in names)
        moved = False
        for number, (several, name) in enumerate(zip(wishes, names, strict=True)):
            if counts[name.casefold()] > 1 and place[number] < len(several) - 1:
                place[number], moved = place[number] + 1, True
        if not moved:
            return names


def _escaped(code: int) -> str:
    if 0xDC80 <= code <= 0xDCFF:  # how Python holds a byte that it could not decode
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
