"""An OpenCV window for each source: the picture, the face's box, the curve and the last event."""

from __future__ import annotations

import os
import sys

import cv2
import numpy as np
from matplotlib import get_data_path

from realtime.cli.record import Recording
from realtime.errors import MissingPartError
from realtime.output.video import annotate
from realtime.pipeline import Step
from realtime.watching import Status, Watch

CLOSING_KEYS = (27, ord("q"))
RECORDING_KEY = ord("r")
RED = (60, 60, 220)  # BGR


def paint(step: Step, status: Status) -> np.ndarray:
    """A copy of the step's picture (H×W×3 uint8 BGR) with everything drawn in that is known by then."""
    events = list(status.events)
    latest = {event.face: event for event in events}
    faces = [(view.box, latest.get(view.face)) for view in step.views]
    curve = [(pts, difference, threshold) for pts, difference, threshold, _ in list(status.curve)]
    return annotate(step.frame.pixels, faces, curve, events[-1] if events else None, step.frame.pts)


def sign(picture: np.ndarray) -> None:
    """A red REC in the upper right corner of H×W×3 uint8 BGR, in place."""
    unit = max(0.6, picture.shape[0] / 480)
    right, middle = picture.shape[1] - round(14 * unit), round(20 * unit)
    (wide, tall), _ = cv2.getTextSize("REC", cv2.FONT_HERSHEY_SIMPLEX, 0.5 * unit, 1)
    cv2.rectangle(picture, (right - wide - round(20 * unit), middle - tall), (right + round(6 * unit), middle + tall), (0, 0, 0), -1)
    cv2.circle(picture, (right - wide - round(10 * unit), middle), round(5 * unit), RED, -1, cv2.LINE_AA)
    cv2.putText(picture, "REC", (right - wide, middle + tall // 2), cv2.FONT_HERSHEY_SIMPLEX, 0.5 * unit, RED, 1, cv2.LINE_AA)


class Window:
    """Windows belong to the main thread: make, `show` and `close` them there. recording: what the key R begins and ends.

    Raises:
        MissingPartError: there is no screen (the toolkit inside OpenCV would end the whole program).
    """

    def __init__(self, watches: list[Watch], recording: Recording | None = None):
        if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise MissingPartError("no screen for --window (DISPLAY is not set): leave --window out, or use mer-replay --video")
        # OpenCV's wheel points its toolkit at a folder of fonts that it does not bring
        os.environ["QT_QPA_FONTDIR"] = os.path.join(get_data_path(), "fonts/ttf")
        self._watches = {f"mer-live: {watch.source.info.name}": watch for watch in watches}
        self._shown: dict[str, Step | None] = dict.fromkeys(self._watches)
        self._recording = recording

    def show(self) -> bool:
        """Draw what is new. False once a window was closed, or q or Escape pressed."""
        for title, watch in self._watches.items():
            step, before = watch.latest, self._shown[title]
            if before is not None and cv2.getWindowProperty(title, cv2.WND_PROP_VISIBLE) < 1:
                return False
            if step is not None and step is not before:
                if before is None:
                    cv2.namedWindow(title, cv2.WINDOW_AUTOSIZE | cv2.WINDOW_GUI_NORMAL)
                picture = paint(step, watch.status)
                if self._recording and self._recording.on:
                    sign(picture)
                cv2.imshow(title, picture)
                self._shown[title] = step
        key = cv2.waitKey(1) & 0xFF
        if key == RECORDING_KEY and self._recording:
            self._recording.toggle()
        return key not in CLOSING_KEYS

    def close(self) -> None:
        cv2.destroyAllWindows()
        cv2.waitKey(1)
