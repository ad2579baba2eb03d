"""Finds faces, keeps their ids, and hands out one aligned `FaceView` for each face and frame."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from realtime.face.alignment import Alignment, Picture
from realtime.face.geometry import TEMPLATE, apply, eye_opening
from realtime.face.landmarks import EarlyLandmarker
from realtime.face.light import EvenLight
from realtime.face.measures import Measured
from realtime.face.stillness import SAME, Stillness
from realtime.records import FaceView, Frame

MOTION_SECONDS = 0.1  # head speed is measured over this long, so that 200 fps does not turn noise into speed
EYES = [33, 263]  # outer eye corners in the mesh
FLICKER = "the light flickers at {:.0f} Hz: pictures were evened out; daylight or a lamp that does not flicker is better"
LONGEST_STILL = 0.2  # seconds between landmark runs of faces at rest: how soon another face is seen, or a hand that lies before one
ANCHOR_ERROR = 0.08  # outer-eye distances between tracked and found face: beyond, the face is anchored anew


@dataclass
class FaceSettings:
    """What a person may choose about finding and following faces.

    Attributes:
        most: how many faces at the most, the largest ones.
        landmark_interval: seconds between landmark runs, while any face moves (`realtime.face.stillness`).
        remember_seconds: a face found again within this time near its old place keeps its id.
        runner: what runs the landmark networks, "onnx", "cuda" or "mediapipe" (`realtime.face.landmarks`).
        measures: head pose, gaze and blendshapes are measured at each landmark run (`realtime.face.measures`).
    """

    most: int = 1
    landmark_interval: float = 0.04
    remember_seconds: float = 1.0
    runner: str = "onnx"
    measures: bool = False


@dataclass
class _Tracked:
    """One face in view. `path`: (pts, stable points in the image) of the last moments, for the head's speed."""

    face: int
    anchor: int = 0
    alignment: Alignment | None = None
    landmarks: np.ndarray | None = None
    measured: Measured | None = None
    eye_opening: float = 0.0
    seen: float = 0.0
    missed: int = 0
    path: deque = field(default_factory=deque)
    light: EvenLight = field(default_factory=EvenLight)
    stillness: Stillness = field(default_factory=Stillness)


class FaceTracker:
    """`tracker(frame)` → the faces in it. Stateful: frames come in order, all of them from one thread.

    Landmarks are sought in another thread, in a picture that waits for its turn, where one is known: the answer comes
    sooner then, and is the same.
    """

    def __init__(self, settings: FaceSettings, took: Callable[[float], None] = lambda seconds: None):
        """
        Args:
            took: is told how many seconds each run for landmarks took, from its thread.
        """
        self._settings = settings
        # one more than wanted, and never fewer than four, so that "the largest" is chosen among those in view
        self._landmarker = EarlyLandmarker(max(4, settings.most + 1), settings.runner, took, settings.measures)
        self._picture = Picture()
        self._tracked: list[_Tracked] = []
        self._gone: list[_Tracked] = []
        self._unsure: list[np.ndarray] | None = None  # found once, in the run before; None before the first run
        self._last_run = self._next_run = self._next_measures = -np.inf
        self._moves = True  # clearly, as far as is known of the frame before
        self._faces = self._anchors = 0
        self._shape: tuple[int, ...] | None = None
        self._hertz: float | None = None  # of a light that flickered

    def __call__(self, frame: Frame, waiting: Sequence[Frame] = ()) -> list[FaceView]:
        """
        Args:
            waiting: the frames that will probably come next, as many as are known.
        """
        if frame.pixels.shape != self._shape:
            self._shape, self._tracked, self._unsure, self._next_run = frame.pixels.shape, [], None, -np.inf
        if self._expected(frame):
            self._landmarker.begin(frame)
        self._picture.show(frame.pixels)
        followed = {t.face: t.alignment.follow(self._picture, frame.pts) for t in self._tracked}
        if self._due(frame.pts, followed):
            self._last_run = frame.pts
            self._next_run = self._next_measures = frame.pts + self._settings.landmark_interval
            self._match(frame, followed)
        elif self._settings.measures and frame.pts >= self._next_measures:
            self._next_measures = frame.pts + self._settings.landmark_interval
            self._measure(frame)
        self._hertz = next((t.light.hertz for t in self._tracked if t.light.hertz), self._hertz)
        if coming := next(filter(self._expected, waiting), None):
            self._landmarker.begin(coming)
        return [self._view(t, followed[t.face], frame) for t in self._tracked if followed.get(t.face) is not None]

    def in_image(self, face: int, points: np.ndarray) -> np.ndarray | None:
        """N×2 points of a face's aligned view in the pixels of the latest frame; None for a face that is out of view."""
        track = next((track for track in self._tracked if track.face == face), None)
        return None if track is None else track.alignment.in_image(points)

    @property
    def remark(self) -> str | None:
        """That the light flickered, if it did while some face was in view."""
        return FLICKER.format(self._hertz) if self._hertz else None

    def close(self) -> None:
        self._landmarker.close()

    def _due(self, pts: float, followed: dict[int, np.ndarray | None]) -> bool:
        """Whether landmarks are to be sought in this frame: at once where a face got away, else at intervals while anything moves.

        What has been found of a face at rest stands. It depends on the pictures alone, not on when they came.
        """
        if any(picture is None for picture in followed.values()):
            return True
        if pts < self._next_run:
            return False
        sought = not self._tracked or self._unsure or any(t.missed for t in self._tracked)
        off = np.inf if sought else max(t.stillness.off(followed[t.face]) for t in self._tracked)
        self._moves = off > 2 * SAME
        return off > SAME or pts >= self._last_run + LONGEST_STILL

    def _expected(self, frame: Frame) -> bool:
        """Whether landmarks will probably be sought in it; nothing but time depends on that."""
        return frame.pts >= self._next_run and self._moves or self._settings.measures and frame.pts >= self._next_measures

    def _measure(self, frame: Frame) -> None:
        """Faces at rest are measured none the less, for who writes measures down; nothing else depends on that."""
        for face in self._landmarker(frame):
            if (track := _nearest(self._tracked, face.points)) is not None:
                track.measured = face.measured

    def _match(self, frame: Frame, followed: dict[int, np.ndarray | None]) -> None:
        """Hold what was found in this frame against what is tracked; anchor what is new or has slipped."""
        found = self._landmarker(frame)
        size = [np.linalg.norm(face.points[263] - face.points[33]) for face in found]
        largest = [found[i] for i in np.argsort(size)[::-1][: self._settings.most]]
        rest = list(self._tracked)
        self._tracked, unsure = [], []
        for face in largest:
            landmarks = face.points
            track = _nearest(rest, landmarks)
            if track is not None:
                rest.remove(track)
                if followed[track.face] is None or track.alignment.error(landmarks) > ANCHOR_ERROR:
                    self._anchor(track, landmarks, frame, followed)
            elif self._believed(landmarks):
                track = self._new(landmarks, frame, followed)
            else:
                unsure.append(landmarks)
                self._next_run = -np.inf
                continue
            track.landmarks = apply(track.alignment.transform, landmarks).astype(np.float32)
            track.eye_opening, track.measured = eye_opening(track.landmarks), face.measured
            track.seen, track.missed = frame.pts, 0
            track.stillness.found(followed[track.face])
            self._tracked.append(track)
        self._unsure = unsure
        for track in rest:
            track.missed += 1
            # one missed run may be a hand before the mouth; the texture is still followed. Two are a lost face.
            if track.missed < 2 and followed[track.face] is not None and len(self._tracked) < self._settings.most:
                self._tracked.append(track)
            else:
                self._gone.append(track)

    def _believed(self, landmarks: np.ndarray) -> bool:
        """A face that turns up must be found twice in a row: a title or a cloud is taken for a face for one frame.

        In a source's very first run there is no before, and the finder is taken at its word.
        """
        return self._unsure is None or any(_near(landmarks[EYES], before[EYES]) for before in self._unsure)

    def _new(self, landmarks, frame, followed) -> _Tracked:
        self._gone = [t for t in self._gone if frame.pts - t.seen <= self._settings.remember_seconds]
        track = _nearest(self._gone, landmarks)
        if track is not None:
            self._gone.remove(track)
        else:
            track = _Tracked(self._faces)
            self._faces += 1
        self._anchor(track, landmarks, frame, followed)
        return track

    def _anchor(self, track, landmarks, frame, followed) -> None:
        self._anchors += 1
        track.anchor, track.alignment = self._anchors, Alignment(self._picture, landmarks, frame.pts, track.light)
        track.path.clear()
        followed[track.face] = track.alignment.follow(self._picture, frame.pts)

    def _view(self, track: _Tracked, picture: np.ndarray, frame: Frame) -> FaceView:
        outline = track.alignment.in_image(track.landmarks)
        (left, top), (right, bottom) = outline.min(axis=0), outline.max(axis=0)
        return FaceView(
            face=track.face,
            anchor=track.anchor,
            index=frame.index,
            pts=frame.pts,
            arrival=frame.arrival,
            pixels=picture,
            landmarks=track.landmarks,
            box=(int(left), int(top), int(right), int(bottom)),
            motion=self._speed(track, frame.pts),
            eye_opening=track.eye_opening,
            measured=track.measured,
        )

    @staticmethod
    def _speed(track: _Tracked, pts: float) -> float:
        """Head speed over the last MOTION_SECONDS, outer-eye distances a second."""
        stable = track.alignment.in_image(TEMPLATE)
        track.path.append((pts, stable))
        while len(track.path) > 2 and pts - track.path[1][0] >= MOTION_SECONDS:
            track.path.popleft()
        before, then = track.path[0]
        if pts <= before:
            return 0.0
        scale = np.linalg.norm(stable[1] - stable[0])
        return float(np.linalg.norm(stable - then, axis=1).mean() / scale / (pts - before))


def _nearest(tracks: list[_Tracked], landmarks: np.ndarray) -> _Tracked | None:
    """The first track in whose place the face was found."""
    eyes = TEMPLATE[:2]  # the outer corners
    return next((t for t in tracks if _near(t.alignment.in_image(eyes), landmarks[EYES])), None)


def _near(eyes: np.ndarray, other_eyes: np.ndarray) -> bool:
    """Whether the middles of two pairs of outer eye corners (2×2) lie within one outer-eye distance."""
    reach = np.linalg.norm(other_eyes[1] - other_eyes[0])
    return bool(np.linalg.norm(eyes.mean(axis=0) - other_eyes.mean(axis=0)) < reach)
