"""The cameras of this machine: their numbers, names, and the sizes and rates that they offer.

On Linux the kernel is asked (V4L2, <linux/videodev2.h>), through the standard library alone; elsewhere `cv2-enumerate-cameras` knows the
names, where it is installed.
"""

from __future__ import annotations

import os
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path

from realtime.errors import SourceError, UsageError
from realtime.names import printable
from realtime.sources.base import SourceInfo, SourceSettings

DEVICES, NAMES = Path("/dev"), Path("/sys/class/video4linux")
QUERYCAP, ENUM_FMT, ENUM_FRAMESIZES, ENUM_FRAMEINTERVALS = 0x80685600, 0xC0405602, 0xC02C564A, 0xC034564B
CAPTURE = 1  # a capability as well as a kind of buffer
CAPTURES = CAPTURE | 0x1000  # the second: with a plane in each buffer
SAYS_ITS_OWN = 0x80000000  # the capabilities of this device stand apart from those of all devices of the hardware
DISCRETE = 1  # one size or rate; else the smallest, the largest and the step
MOST = 200  # answers to one question: a driver that goes on for longer has no end


@dataclass(frozen=True)
class Camera:
    """One camera.

    Attributes:
        index: what `--camera` takes.
        name: "" where none is known.
    """

    index: int
    name: str = ""

    def __str__(self) -> str:
        return f"{self.index} ({self.name})" if self.name else str(self.index)


@dataclass(frozen=True)
class Mode:
    """A size that a camera offers, pixels; of a range the smallest and the largest.

    Attributes:
        kind: of its pictures, as four letters: "MJPG".
        rates: frames a second, the highest first; of a range its ends.
        range: whether this is one end of a range of sizes, the other being a mode of the same kind.
        any_rate: whether any rate between the ends is to be had.
    """

    kind: str
    width: int
    height: int
    rates: tuple[float, ...]
    range: bool = False
    any_rate: bool = False

    def __str__(self) -> str:
        rates = ", ".join(f"{rate:.4g}" for rate in self.rates)
        return f"{self.width}×{self.height}" + (f" at {rates}" if rates else "")


def known() -> list[Camera]:
    """The cameras of this machine by their numbers; what takes no pictures (a camera's second device, for its metadata) is left out."""
    if sys.platform != "linux":
        return _elsewhere()
    found = []
    for device in DEVICES.glob("video*"):
        number = device.name.removeprefix("video")
        if number.isdecimal() and _takes_pictures(device):
            name = ""
            with suppress(OSError):
                name = printable((NAMES / device.name / "name").read_text(errors="replace").strip())
            found.append(Camera(int(number), name))
    return sorted(found, key=lambda camera: camera.index)


def listed() -> str:
    """As "cameras here: 0 (Integrated Camera), 2", or why there are none."""
    if there := known():
        return f"cameras here: {', '.join(map(str, there))}"
    if sys.platform == "linux":
        return "this machine shows no camera (no /dev/video*)"
    return "this machine shows no camera (pip install cv2-enumerate-cameras, which lists them on this system)"


def number_of(said: str) -> int:
    """What a person calls a camera, its number or a part of its name in any case → its number.

    Raises:
        SourceError: none has such a name, or several.
    """
    with suppress(ValueError):
        return int(said)
    matching = [camera for camera in known() if said.strip().casefold() in camera.name.casefold()] if said.strip() else []
    if len(matching) != 1:
        what = f"'{printable(said)}' is a part of several cameras' names" if matching else f"no camera is called '{printable(said)}'"
        raise SourceError(f"{what}: {listed()}; use a number, or more of a name")
    return matching[0].index


def modes(index: int) -> list[Mode]:
    """What a camera offers, each kind's largest size first; empty where it cannot be had (not Linux, no such camera, a driver that does not say)."""
    if sys.platform != "linux":
        return []
    with suppress(OSError), _Device(DEVICES / f"video{index}") as device:
        return list(device.modes())
    return []


def refuse(index: int, asked: SourceSettings) -> None:
    """Where what a camera offers is known, and what is asked for is none of it.

    Raises:
        UsageError: one line with what it offers.
    """
    offered = modes(index)
    fitting = [mode for mode in offered if _has_size(mode, offered, asked.width, asked.height)]
    if not offered or (asked.width is asked.height is asked.fps is None) or any(_has_rate(mode, asked.fps) for mode in fitting):
        return
    name = next((str(camera) for camera in known() if camera.index == index), str(index))
    size = f"{asked.width or 'any'}×{asked.height or 'any'}" if asked.width or asked.height else ""
    wanted = " at ".join(filter(None, (size, f"{asked.fps:.4g} frames/s" if asked.fps and fitting else "")))
    raise UsageError(
        f"camera {name} offers no {wanted}: it offers {_listed(offered)}; ask for one of these (--size, --fps), or leave it to the camera"
    )


def _has_size(mode: Mode, offered: list[Mode], width: int | None, height: int | None) -> bool:
    ends = [other for other in offered if other.range and other.kind == mode.kind] if mode.range else [mode]
    return all(
        wanted is None or min(sides) <= wanted <= max(sides)
        for wanted, sides in ((width, [end.width for end in ends]), (height, [end.height for end in ends]))
    )


def _has_rate(mode: Mode, fps: float | None) -> bool:
    if fps is None or not mode.rates:
        return True
    return any(abs(rate - fps) < 0.01 * fps for rate in mode.rates) or (mode.any_rate and min(mode.rates) <= fps <= max(mode.rates))


def falls_short(index: int, asked: SourceSettings, given: SourceInfo) -> str | None:
    """One line where a camera gives another size or rate than it was asked for, with what it offers; None where it does not."""
    size = (asked.width or given.width, asked.height or given.height)
    if size == (given.width, given.height) and (asked.fps is None or given.fps is None or abs(asked.fps - given.fps) < 0.01 * asked.fps):
        return None
    wanted, got = (
        f"{w}×{h}" + (f" at {fps:.4g} frames/s" if fps else "") for w, h, fps in ((*size, asked.fps), (given.width, given.height, given.fps))
    )
    offers = _listed(modes(index))
    return f"asked for {wanted}, it gives {got}" + (f"; it offers {offers}" if offers else "")


def _listed(offered: list[Mode]) -> str:
    """As "1280×720 at 30; 640×480 at 60, 30", of whatever kind."""
    sizes: dict[tuple[int, int], set[float]] = {}
    for mode in offered:
        sizes.setdefault((mode.width, mode.height), set()).update(mode.rates)
    return "; ".join(
        str(Mode("", width, height, tuple(sorted(rates, reverse=True)))) for (width, height), rates in sorted(sizes.items(), reverse=True)
    )


def _elsewhere() -> list[Camera]:
    try:
        from cv2_enumerate_cameras import enumerate_cameras
    except ImportError:
        return []
    return [Camera(one.index % 100, printable(one.name)) for one in enumerate_cameras()]  # OpenCV counts its ways in hundreds


def _takes_pictures(device: Path) -> bool:
    try:
        with _Device(device) as opened:
            return opened.takes_pictures()
    except OSError:  # it may not be opened by this user: who tries will be told why
        return True


class _Device:
    """What a V4L2 device says of itself. Raises OSError where it says nothing."""

    def __init__(self, path: Path):
        self._path = path

    def __enter__(self) -> _Device:
        from fcntl import ioctl  # not on Windows

        self._ioctl: Callable = ioctl
        self._file = os.open(self._path, os.O_RDWR | os.O_NONBLOCK)
        return self

    def __exit__(self, *exc: object) -> None:
        os.close(self._file)

    def takes_pictures(self) -> bool:
        answer = bytearray(104)
        self._ioctl(self._file, QUERYCAP, answer)
        whole, own = struct.unpack_from("2I", answer, 84)
        return bool((own if whole & SAYS_ITS_OWN else whole) & CAPTURES)

    def modes(self) -> Iterator[Mode]:
        for answer in self._answers(ENUM_FMT, 64, CAPTURE):
            pixels = struct.unpack_from("I", answer, 44)[0]
            sizes: set[tuple[int, int]] = set()
            span = False
            for size in self._answers(ENUM_FRAMESIZES, 44, pixels):
                kind, *numbers = struct.unpack_from("7I", size, 8)
                low_w, high_w, _, low_h, high_h, _ = numbers
                span = kind != DISCRETE
                sizes.update([(numbers[0], numbers[1])] if kind == DISCRETE else [(low_w, low_h), (high_w, high_h)])
            letters = printable(answer[44:48].decode("latin-1").strip())
            for width, height in sorted(sizes, key=lambda size: size[0] * size[1], reverse=True):
                rates, any_rate = self._rates(pixels, width, height)
                yield Mode(letters, width, height, rates, span, any_rate)

    def _rates(self, pixels: int, width: int, height: int) -> tuple[tuple[float, ...], bool]:
        """The rates, and whether any between them is to be had."""
        rates, span = set(), False
        for answer in self._answers(ENUM_FRAMEINTERVALS, 52, pixels, width, height):
            kind, *numbers = struct.unpack_from("5I", answer, 16)  # seconds as numerator and denominator: the one, or the shortest and the longest
            span = kind != DISCRETE
            for seconds, parts in [numbers[:2]] if kind == DISCRETE else [numbers[:2], numbers[2:]]:
                if seconds:
                    rates.add(parts / seconds)
        return tuple(sorted(rates, reverse=True)), span

    def _answers(self, question: int, size: int, *about: int) -> Iterator[bytearray]:
        """To a question that counts, from 0 until the driver refuses."""
        for number in islice(count(), MOST):
            answer = bytearray(size)
            struct.pack_into(f"{1 + len(about)}I", answer, 0, number, *about)
            try:
                self._ioctl(self._file, question, answer)
            except OSError:
                return
            yield answer
