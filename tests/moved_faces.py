"""Faces moved by a known, smooth flow: the bundled portrait with a raised brow, a pulled lip corner, a lifted cheek."""

from functools import cache
from importlib.resources import files

import cv2
import numpy as np

BOX = (233, 153, 413, 357)  # the face in the portrait at 640×480: left, top, right, bottom
# place (share of the face's width and height), reach (the same), and which way it goes
PULLS = {
    "brows": [((0.19, 0.10), (0.14, 0.10), (0.1, -1.0)), ((0.82, 0.13), (0.14, 0.10), (-0.1, -1.0))],
    "smile": [((0.24, 0.62), (0.12, 0.10), (-0.8, -0.6)), ((0.72, 0.63), (0.12, 0.10), (0.8, -0.6))],
    "wince": [((0.20, 0.40), (0.20, 0.14), (0.3, -0.9)), ((0.45, 0.97), (0.20, 0.10), (0.0, -1.0))],
}


@cache
def moved(pull: str, size: float, side: int = 128, noise: float = 1.5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(face, the same moved, flow): side×side uint8 twice and side×side×2 float32. size: the largest step, pixels of `side`."""
    encoded = np.frombuffer(files("realtime").joinpath("assets/astronaut.jpg").read_bytes(), np.uint8)
    grey = cv2.resize(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), (640, 480), interpolation=cv2.INTER_CUBIC)
    large = cv2.resize(grey[BOX[1] : BOX[3], BOX[0] : BOX[2]], (4 * side, 4 * side), interpolation=cv2.INTER_CUBIC)
    y, x = np.mgrid[0 : 4 * side, 0 : 4 * side].astype(np.float32)
    back = np.zeros((4 * side, 4 * side, 2), np.float32)  # what is at x now was at x − back(x)
    for (at_x, at_y), (wide, high), way in PULLS[pull]:
        share = np.exp(-0.5 * (((x / (4 * side) - at_x) / wide) ** 2 + ((y / (4 * side) - at_y) / high) ** 2))
        back += share[..., None] * np.float32(way)
    back *= 4 * size / np.linalg.norm(back, axis=2).max()
    after = cv2.remap(large, x - back[..., 0], y - back[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    flow = back
    for _ in range(8):  # what was at x is at x + flow(x), where flow(x) = back(x + flow(x))
        flow = cv2.remap(back, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    random = np.random.default_rng(0)

    def seen(picture):
        small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
        return np.clip(np.rint(small + random.normal(0, noise, small.shape)), 0, 255).astype(np.uint8)

    return seen(large), seen(after), cv2.resize(flow / 4, (side, side), interpolation=cv2.INTER_AREA)


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Mean endpoint distance of two flows, pixels."""
    return float(np.linalg.norm(one - other, axis=-1).mean())
