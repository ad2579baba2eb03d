"""What a chosen event shows: its two key moments, the motion between them made large, and where it was.

Pictures are H×W×3 uint8 RGB, SIDE pixels a side or wider; nothing here knows of a page. The rest of the view is in
`attention` (where the network looked) and `scores` (Plotly).
"""

from __future__ import annotations

import io
from functools import cache
from weakref import WeakKeyDictionary

import cv2
import numpy as np

from engines.flow import CPU
from realtime.naming.inputs.flow_map import strain as strain_of
from realtime.records import FaceView, Keyframes, evenly

SIDE = 336  # pixels a side of every picture
SLOW = 26  # frames of slow motion from onset to apex
HELD = 5  # more of the apex, so that the eye can rest there
MOST_FLOWS = 7  # views between onset and apex whose motion is measured
SMOOTH = 4.0  # sigma in pixels of a view: what is finer is noise, which a large factor would show as ripples
ROUNDS = 6  # of the search for the point that lands on a pixel
LEAST_CHANGE = 8.0  # of 255: a difference this small is drawn cold
LEAST = 0.35  # pixels: flow this weak is drawn pale, or the noise of a still face would fill the colour wheel

# kept for as long as the keyframes live: onset → apex alone, and the way there
_flows: WeakKeyDictionary[Keyframes, np.ndarray] = WeakKeyDictionary()
_motions: WeakKeyDictionary[Keyframes, tuple[list[FaceView], list[np.ndarray]]] = WeakKeyDictionary()


def thumbnails(keyframes: Keyframes) -> tuple[np.ndarray, np.ndarray]:
    """The face at onset and at apex.

    Returns:
        Two pictures, SIDE×SIDE×3 uint8 RGB.
    """
    return tuple(_large(_rgb(view.pixels)) for view in (keyframes.onset, keyframes.apex))


def magnified(keyframes: Keyframes, factor: float) -> list[np.ndarray]:
    """Slow motion from onset to apex, every movement `factor` times as far as it was (1: as it was; 0: none).

    Lagrangian magnification: a point x of the onset that moved by u is shown at x + factor·u, with the colours that it had
    where it truly was. The first call measures the flow (TV-L1), later ones with another factor only draw.

    Returns:
        SLOW + HELD pictures, SIDE×SIDE×3 uint8 RGB.
    """
    views, flows = _motion(keyframes)
    pictures = [_rgb(view.pixels) for view in views]
    times = np.array([view.pts for view in views])
    return [_large(_at(moment, times, pictures, flows, factor)) for moment in _slow(times)]


def flow_wheel(keyframes: Keyframes) -> np.ndarray:
    """Onset → apex in colours: direction as hue, distance as depth of colour, with the wheel as its legend.

    Returns:
        SIDE×SIDE×3 uint8 RGB.
    """
    flow = _flow(keyframes)
    flow = flow - np.median(flow, axis=(0, 1))  # what the alignment left of the head's own motion
    most = max(float(np.percentile(np.hypot(*np.moveaxis(flow, 2, 0)), 99.5)), LEAST)
    face = cv2.cvtColor(keyframes.apex.pixels, cv2.COLOR_BGR2GRAY)[..., None] / 255
    # the face shows through faintly, so that one sees what it is that moved
    picture = _large((_coloured(flow, most) * (0.72 + 0.28 * face)).astype(np.uint8))
    return _with_wheel(picture, most / _width(keyframes))


def strain(keyframes: Keyframes) -> np.ndarray:
    """Optical strain from onset to apex as heat over the face: where the skin was stretched or pressed together.

    Returns:
        SIDE×SIDE×3 uint8 RGB.
    """
    heat = cv2.GaussianBlur(strain_of(_flow(keyframes)), (0, 0), 2.0)
    heat = np.clip(heat / max(float(np.percentile(heat, 99.5)), 1e-3), 0, 1)
    return _large(warm_over(_rgb(keyframes.apex.pixels), heat))


def difference(keyframes: Keyframes) -> np.ndarray:
    """Where the picture of the apex differs from that of the onset, as heat over the face. Light that changed all over does
    not count, and noise stays cold.

    Returns:
        SIDE×SIDE×3 uint8 RGB.
    """
    before, after = (cv2.GaussianBlur(_grey(view), (0, 0), 2.0).astype(np.float32) for view in (keyframes.onset, keyframes.apex))
    change = after - before
    change = np.abs(change - np.median(change))
    heat = np.clip(change / max(float(np.percentile(change, 99.5)), LEAST_CHANGE), 0, 1)
    return _large(warm_over(_rgb(keyframes.apex.pixels), heat))


def warm_over(picture: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Heat laid over a picture, from nothing to warm.

    Args:
        picture: H×W×3 uint8 RGB.
        heat: of any size, in [0, 1].

    Returns:
        H×W×3 uint8 RGB.
    """
    height, width = picture.shape[:2]
    heat = cv2.resize(heat.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    warm = cv2.cvtColor(cv2.applyColorMap((heat * 255).astype(np.uint8), cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    pale = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)  # colours are for the heat
    share = 0.8 * heat[..., None] ** 0.7
    return (pale * (1 - share) + warm * share).astype(np.uint8)


def as_jpeg(picture: np.ndarray, quality: int = 85) -> bytes:
    return cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def as_webp(frames: list[np.ndarray], fps: float = 20.0) -> bytes:
    """An animation that repeats, for an <img>.

    Args:
        frames: H×W×3 uint8 RGB each.
        fps: frames a second.
    """
    from PIL import Image

    first, *rest = map(Image.fromarray, frames)
    file = io.BytesIO()
    first.save(file, "WEBP", save_all=True, append_images=rest, duration=round(1000 / fps), loop=0, quality=80, method=2)
    return file.getvalue()


def _flow(keyframes: Keyframes) -> np.ndarray:
    """Onset → apex, 224×224×2 pixels: one TV-L1 flow, so that what needs no more is there at once."""
    if keyframes not in _flows:
        _flows[keyframes] = _smooth(CPU(_grey(keyframes.onset), _grey(keyframes.apex)))
    return _flows[keyframes]


def _motion(keyframes: Keyframes) -> tuple[list[FaceView], list[np.ndarray]]:
    """Views from onset to apex, and the flow (224×224×2, pixels) from the onset to each; that to itself is 0."""
    if keyframes not in _motions:
        onset, apex = keyframes.onset, keyframes.apex
        inner = [view for view in keyframes.between if onset.pts < view.pts < apex.pts]
        inner = evenly(inner, MOST_FLOWS - 1) if inner else ()
        first, last = _grey(onset), _flow(keyframes)
        way = map(_smooth, CPU.many([(first, _grey(view)) for view in inner])) if inner else ()
        _motions[keyframes] = [onset, *inner, apex], [np.zeros_like(last), *way, last]
    return _motions[keyframes]


def _smooth(flow: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(flow, (0, 0), SMOOTH)


def _grey(view: FaceView) -> np.ndarray:
    return cv2.cvtColor(view.pixels, cv2.COLOR_BGR2GRAY)


def _slow(times: np.ndarray) -> np.ndarray:
    return np.concatenate([np.linspace(times[0], times[-1], SLOW), np.full(HELD, times[-1])])


def _at(moment: float, times: np.ndarray, pictures: list, flows: list, factor: float) -> np.ndarray:
    """The picture at `moment`, between two views: both are followed along the flow and blended."""
    after = int(np.clip(np.searchsorted(times, moment), 1, len(times) - 1))
    share = float(np.clip((moment - times[after - 1]) / (times[after] - times[after - 1]), 0, 1))
    moved = (1 - share) * flows[after - 1] + share * flows[after]
    rows, columns = np.indices(moved.shape[:2], np.float32)
    here = np.dstack([columns, rows])
    source = here - factor * moved
    for _ in range(ROUNDS - 1):  # x with x + factor·u(x) = here
        source = here - factor * _sampled(moved, source)
    both = [_sampled(pictures[i], source + _sampled(flows[i], source)) for i in (after - 1, after)]
    return cv2.addWeighted(both[0], 1 - share, both[1], share, 0)


def _sampled(array: np.ndarray, where: np.ndarray) -> np.ndarray:
    return cv2.remap(array, where.astype(np.float32), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _coloured(flow: np.ndarray, most: float) -> np.ndarray:
    size, angle = cv2.cartToPolar(flow[..., 0], flow[..., 1], angleInDegrees=True)
    full = np.full_like(size, 255)
    return cv2.cvtColor(np.dstack([angle / 2, np.minimum(size / most, 1) * 255, full]).astype(np.uint8), cv2.COLOR_HSV2RGB)


def _with_wheel(picture: np.ndarray, most: float) -> np.ndarray:
    """The wheel in the lower right corner. most: what its rim stands for, as a share of the distance of the eyes."""
    radius, margin = 27, 10
    wheel = np.indices((2 * radius + 1,) * 2)[::-1].astype(np.float32) - radius
    size = np.hypot(*wheel)
    large = _coloured(np.moveaxis(wheel, 0, 2).copy(), radius)
    part = picture[-2 * radius - 1 - margin : -margin, -2 * radius - 1 - margin : -margin]
    inside = np.clip(radius + 0.5 - size, 0, 1)[..., None]
    part[:] = (part * (1 - inside) + large * inside).astype(np.uint8)
    centre = (picture.shape[1] - margin - radius - 1, picture.shape[0] - margin - radius - 1)
    cv2.circle(picture, centre, radius, (70, 70, 70), 1, cv2.LINE_AA)
    label(picture, f"deepest: {100 * most:.1f} % of the eyes' distance", (margin, picture.shape[0] - margin), 13)
    return picture


def _width(keyframes: Keyframes) -> float:
    outer = keyframes.onset.landmarks[[33, 263]]
    return max(float(np.linalg.norm(outer[0] - outer[1])), 1.0)


def label(picture: np.ndarray, words: str, place: tuple[int, int], size: int) -> None:
    """Words on a dark plate, in place.

    Args:
        picture: H×W×3 uint8, written into.
        place: left and lowest pixel of the plate.
        size: of the letters, pixels.
    """
    left, bottom = place
    width = cv2.getTextSize((0, 0), words, (0, 0), _font(), size, 400)[2]
    plate = picture[bottom - round(1.6 * size) : bottom, left : left + width + 12]
    plate[:] = (0.3 * plate + 0.7 * np.array((26, 28, 32))).astype(np.uint8)
    cv2.putText(picture, words, (left + 6, bottom - round(0.5 * size)), (245, 245, 245), _font(), size, 400)


@cache
def _font():
    return cv2.FontFace("sans")


def _rgb(pixels: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)


def _large(picture: np.ndarray) -> np.ndarray:
    return cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
