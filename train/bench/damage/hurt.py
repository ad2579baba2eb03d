"""Ways to damage what a command reads: bytes of any file, fields of a film's header, words of a text."""

from __future__ import annotations

import re
from collections.abc import Callable

from numpy.random import Generator

EXTREMES = [bytes.fromhex(word) for word in "00000000 ffffffff 7fffffff 80000000 00000001 01000000 0000ffff".split()]
# where films say how large, how long, how fast and which way up they are: boxes of MP4, chunks of AVI, GIF, FLV; then elements of Matroska, codes of MPEG
HEADERS = b"tkhd mvhd mdhd elst stts stsz stco stsc stsd avc1 avcC trun avih strh strf idx1 GIF89a FLV".split()
HEADERS += [bytes.fromhex(word) for word in "4489 2ad7b1 b082 ba81 23e383 000001b3 000001ba".split()]
WORDS = "0 -1 1e999 -1e999 NaN null true 99999999999999999999 0.0000000001 1e-320 1,5 ½ ٣ ../../etc /dev/full \" ' ; </ ]]> {} []".split(" ")
WORDS += ["", "\u202egnp", "\ud83d\ude00", "é\u0301", "\x00", "\x1b[31m", "a\nb", "[" * 2000, "x" * 100_000]
WORD = re.compile(r"-?\d+(?:[.,]\d+)?|\"[^\"]*\"|[A-Za-z_]\w*")

Hurt = Callable[[bytes, Generator], bytes]


def cut(data: bytes, random: Generator) -> bytes:
    return data[: random.integers(0, len(data))]


def flipped(data: bytes, random: Generator) -> bytes:
    """One to a few hundred bits, anywhere."""
    found = bytearray(data)
    for place in random.integers(0, len(data), int(2 ** random.uniform(0, 8))):
        found[place] ^= 1 << random.integers(0, 8)
    return bytes(found)


def swapped(data: bytes, random: Generator) -> bytes:
    """Two pieces have changed places."""
    a, b, c, d = sorted(random.integers(0, len(data) + 1, 4))
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def filled(data: bytes, random: Generator) -> bytes:
    """A piece is noise, or zeros, as on a disk that lost a block."""
    start = int(random.integers(0, len(data)))
    length = min(int(2 ** random.uniform(0, 13)), len(data) - start)
    return data[:start] + (random.bytes(length) if random.random() < 0.5 else bytes(length)) + data[start + length :]


def repeated(data: bytes, random: Generator) -> bytes:
    a, b = sorted(random.integers(0, len(data) + 1, 2))
    return data[:b] + data[a:]


def lied(data: bytes, random: Generator) -> bytes:
    """A field of a header says something extreme; a file without such a header has bits flipped."""
    places = [match.end() for tag in HEADERS for match in re.finditer(re.escape(tag), data)]
    if not places:
        return flipped(data, random)
    found = bytearray(data)
    for _ in range(random.integers(1, 3)):
        place = int(random.choice(places)) + int(random.integers(0, 88))
        value = EXTREMES[random.integers(len(EXTREMES))] if random.random() < 0.8 else random.bytes(4)
        value = value[: int(random.choice([1, 2, 4]))]
        found[place : place + len(value)] = value
    return bytes(found[: len(data)])


def reworded(data: bytes, random: Generator) -> bytes:
    """One to three words, numbers or quoted strings of a text are something else; the text's structure stays, mostly."""
    text = data.decode()
    for _ in range(random.integers(1, 4)):
        words = list(WORD.finditer(text))
        if not words:
            break
        one = words[random.integers(len(words))]
        new = WORDS[random.integers(len(WORDS))]
        text = text[: one.start()] + (f'"{new}"' if one[0].startswith('"') and random.random() < 0.5 else new) + text[one.end() :]
    return text.encode("utf-8", "surrogatepass")


ANY: tuple[Hurt, ...] = (cut, flipped, swapped, filled, repeated)
FILM: tuple[Hurt, ...] = (*ANY, lied, lied)
TEXT: tuple[Hurt, ...] = (*ANY, reworded, reworded, reworded, reworded)


def hurt(data: bytes, ways: tuple[Hurt, ...], random: Generator) -> tuple[bytes, str]:
    """(damaged, in which way)."""
    way = ways[random.integers(len(ways))]
    return way(data, random), way.__name__
