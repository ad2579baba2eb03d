"""The faces of one clip, cut out by the live loop's own tracker: pictures in, aligned views of one anchor out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from realtime.errors import SourceError
from realtime.face.geometry import LANDMARKS_68, to_68
from realtime.face.tracker import FaceSettings, FaceTracker
from realtime.naming.inputs.face import crop_box
from realtime.naming.inputs.tim import interpolate
from realtime.records import FaceView, Frame
from realtime.sources import open_source
from realtime.spotting.cut import differences
from train.data.annotations import Clip

PACE = 0.01  # seconds from picture to picture where none are known: the tracker only times its landmark runs by it
# Some data sets come cropped so tightly that the face finder, which knows faces with something around them, finds none:
# it is asked again with a border, a share of the picture's longer side.
BORDERS = (0.0, 0.25, 0.5)
FIFTH = 5  # frames after the onset: MoExt's stand-in for the apex of a macro-expression
# Frames that the whole clip is interpolated to: LBP-TOP's ten, and SKD-TSTSAN's eleven (Table 6), of which every second makes its six.
COURSES = (10, 11)


class Unusable(Exception):
    """Why a clip is left out: a reason, then (in brackets) where."""


class Cut:
    """Collects the views of one clip, frame by frame from its onset to its offset."""

    def __init__(self, faces: FaceSettings):
        self._tracker = FaceTracker(faces)
        self._border: float | None = None
        self._shape: tuple[int, ...] | None = None
        self._first: FaceView | None = None
        self._views: list[np.ndarray] = []
        self.times: list[float] = []

    def push(self, pixels: np.ndarray, pts: float, called: str) -> None:
        """The next frame (H×W×3 uint8 BGR), `called` so in messages.

        Raises:
            Unusable: why the clip is left out.
        """
        if self._first is None:
            self._shape = pixels.shape
            view = self._find(pixels, pts, called)
        elif pixels.shape != self._shape:
            size, first = (f"{s[1]}×{s[0]}" for s in (pixels.shape, self._shape))
            raise Unusable(f"pictures of several sizes ({called} is {size}, the first {first})")
        else:
            views = self._tracker(Frame(bordered(pixels, self._border), len(self._views), pts, pts))
            if not views:
                raise Unusable(f"the face was lost ({called})")
            view = views[0]
            # after an anchoring anew views are aligned a little differently: flow would take that for a movement
            if view.anchor != self._first.anchor:
                raise Unusable(f"the face slipped out of its alignment, the head moved too fast or too far ({called})")
        self._views.append(view.pixels)
        self.times.append(pts)

    def finish(self, apex: int) -> dict[str, np.ndarray]:
        """What is kept of the clip, whose apex is its view number `apex`, see `train.data.cache`: H×W×3 uint8 views, 68×2 points.

        Raises:
            Unusable: why the clip is left out.
        """
        n = len(self._views)
        if not 0 <= apex < n:
            raise Unusable(f"the apex is not between onset and offset (number {apex} of {n})")
        points = to_68(self._first.landmarks).astype(np.float32)
        try:
            crop_box(points)
        except ValueError as error:
            raise Unusable("the face is not upright, or no face (its landmarks bound no box)") from error
        return {
            "onset": self._views[0],
            "apex": self._views[apex],
            "offset": self._views[-1],
            "fifth": self._views[FIFTH if n > FIFTH else apex],
            "extracted": self._views[apex_by_algorithm_1(self._views, points) if n > 1 else 0],
            **{f"course{length}": _course(self._views, length) for length in COURSES},
            "points": points,
        }

    def close(self) -> None:
        self._tracker.close()

    def _find(self, pixels: np.ndarray, pts: float, called: str):
        for self._border in BORDERS:
            # another size is another scene to the tracker, and a scene's first face is taken at its word
            if views := self._tracker(Frame(bordered(pixels, self._border), 0, pts, pts)):
                self._first = views[0]
                return views[0]
        raise Unusable(f"no face was found ({called})")


def apex_by_algorithm_1(views: Sequence[np.ndarray], points: np.ndarray) -> int:
    """The apex of a clip as SA-AT finds it: the index of the view that differs most from the first.

    By LBP histograms of three regions, Eq. 1 summed over them. The first view is never the answer.

    Args:
        views: two or more H×W×3 uint8 BGR of one anchor, the onset first.
        points: 68×2, the onset's landmarks in the views' pixels; the views are aligned, so they hold for all (the paper finds
            them anew in each frame, and their trembling would be part of the difference).

    Raises:
        ValueError: there are fewer than two views.
    """
    mesh = np.zeros((478, 2), np.float32)
    mesh[LANDMARKS_68] = points  # of the mesh, the regions need these points only
    return 1 + int(np.argmax(differences(views, mesh)[1:]))


def _course(views: Sequence[np.ndarray], length: int) -> np.ndarray:
    """All H×W×3 uint8 views of a clip interpolated to `length` grey ones (TIM), length×H×W uint8."""
    smooth = interpolate(np.stack([cv2.cvtColor(view, cv2.COLOR_BGR2GRAY) for view in views]), length)
    return np.clip(np.rint(smooth), 0, 255).astype(np.uint8)  # a curve may overshoot a little


def cut_pictures(clip: Clip, faces: FaceSettings) -> dict[str, np.ndarray]:
    """The kept views (H×W×3 uint8 BGR; `Cut.finish`) of a clip of picture files.

    Raises:
        Unusable: why the clip is left out.
    """
    cut = Cut(faces)
    try:
        for number, path in enumerate(clip.pictures):
            cut.push(read(path), number * PACE, path.name)
        return cut.finish(clip.apex)
    finally:
        cut.close()


def cut_video(video: Path, clips: list[Clip], faces: FaceSettings) -> Iterator[tuple[Clip, dict | str]]:
    """(clip, its kept views, or why it is left out) for every clip of one recording, decoded once.

    A clip's frames are those nearest to its onset and offset, and all between.
    """
    waiting = sorted(clips, key=lambda clip: clip.times[0], reverse=True)
    cutting: dict[int, tuple[Clip, Cut]] = {}
    now, whole = None, False
    try:
        with open_source(video) as source:
            half = 0.5 / (source.info.fps or 30)
            for frame in source:
                half = half if now is None else (frame.pts - now) / 2
                now = frame.pts
                while waiting and now >= waiting[-1].times[0] - half:
                    clip = waiting.pop()
                    cutting[id(clip)] = clip, Cut(faces)
                for clip, cut in list(cutting.values()):
                    over = now > clip.times[2] + half
                    result = _finish(clip, cut) if over else _push(cut, frame)
                    if result is not None:
                        del cutting[id(clip)]
                        cut.close()
                        yield clip, result
                if not waiting and not cutting:
                    return
        ended, whole = f"the recording ends before the clip does ({video.name} ends at {now:.3f} s)", True
    except SourceError as error:
        ended = f"the recording cannot be read ({error})"
    finally:
        for _, cut in cutting.values():
            cut.close()
    for clip, cut in cutting.values():
        yield clip, _finish(clip, cut) if whole and now >= clip.times[2] - half else ended
    for clip in waiting:
        yield clip, ended


def read(path: Path) -> np.ndarray:
    """A picture file as H×W×3 uint8 BGR.

    Raises:
        Unusable: it is absent, cut short or no picture.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise Unusable(f"a picture is absent ({path})") from None
    except OSError as error:
        raise Unusable(f"a picture cannot be read ({path}: {error.strerror})") from error
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if pixels is None:
        raise Unusable(f"a picture is corrupt ({path})")
    return pixels


def bordered(pixels: np.ndarray, share: float) -> np.ndarray:
    """H×W×3 with a border around it, `share` of the longer side wide, of the pixels at its edge."""
    width = round(share * max(pixels.shape[:2]))
    return cv2.copyMakeBorder(pixels, width, width, width, width, cv2.BORDER_REPLICATE) if width else pixels


def _push(cut: Cut, frame: Frame) -> str | None:
    try:
        cut.push(frame.pixels, frame.pts, f"at {frame.pts:.3f} s")
    except Unusable as why:
        return str(why)
    return None


def _finish(clip: Clip, cut: Cut) -> dict | str:
    if not cut.times:
        return f"no frame lies between onset and offset ({clip.times[0]:.3f} to {clip.times[2]:.3f} s)"
    try:
        return cut.finish(int(np.abs(np.array(cut.times) - clip.times[1]).argmin()))
    except Unusable as why:
        return str(why)
