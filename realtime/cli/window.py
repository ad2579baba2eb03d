"""An OpenCV window for each source: the picture, the face's box, the curve and the last event."""

from __future__ import annotations

import os
import sys

import cv2
import numpy as np
from matplotlib import get_data_path

from realtime.errors import MissingPartError
from realtime.output.video import annotate
from realtime.pipeline import Step
from realtime.watching import Status, Watch

CLOSING_KEYS = (27, ord("q"))


def paint(step: Step, status: Status) -> np.ndarray:
    """A copy of the step's picture (H×W×3 uint8 BGR) with everything drawn in that is known by then."""
    events = list(status.events)
    latest = {event.face: event for event in events}
    faces = [(view.box, latest.get(view.face)) for view in step.views]
    curve = [(pts, difference, threshold) for pts, difference, threshold, _ in list(status.curve)]
    return annotate(step.frame.pixels, faces, curve, events[-1] if events else None, step.frame.pts)


class Window:
    """Windows belong to the main thread: make, `show` and `close` them there.

    Raises:
        MissingPartError: there is no screen (the toolkit inside OpenCV would end the whole program).
    """

    def __init__(self, watches: list[Watch]):
        if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            raise MissingPartError("no screen for --window (DISPLAY is not set): leave --window out, or use mer-replay --video")
        # OpenCV's wheel points its toolkit at a folder of fonts that it does not bring
        os.environ["QT_QPA_FONTDIR"] = os.path.join(get_data_path(), "fonts/ttf")
        self._watches = {f"mer-live: {watch.source.info.name}": watch for watch in watches}
        self._shown: dict[str, Step | None] = dict.fromkeys(self._watches)

    def show(self) -> bool:
        """Draw what is new. False once a window was closed, or q or Escape pressed."""
        for title, watch in self._watches.items():
            step, before = watch.latest, self._shown[title]
            if before is not None and cv2.getWindowProperty(title, cv2.WND_PROP_VISIBLE) < 1:
                return False
            if step is not None and step is not before:
                if before is None:
                    cv2.namedWindow(title, cv2.WINDOW_AUTOSIZE | cv2.WINDOW_GUI_NORMAL)
                cv2.imshow(title, paint(step, watch.status))
                self._shown[title] = step
        return cv2.waitKey(1) & 0xFF not in CLOSING_KEYS

    def close(self) -> None:
        cv2.destroyAllWindows()
        cv2.waitKey(1)
