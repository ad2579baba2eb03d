"""What SA-AT looks at: the face at the apex, in colour (Sec. 3.3), and beside it the same face at the onset.

The paper gives its network the apex alone. The onset goes along for the `difference` input of `train.models.sa_at`;
a network that was trained on the apex alone takes it and leaves it unread, so both are asked the same way.
"""

from __future__ import annotations

import cv2
import numpy as np

from realtime.inputs.face import as_batch, crop, crop_box
from realtime.records import Moments

SIZE = 256  # pixels a side (Sec. 3.3)


def inputs(moments: Moments) -> dict[str, np.ndarray]:
    """{"apex", "onset"}, each (1, 3, 256, 256) float32, RGB in [0, 255], whole numbers: uint8 keeps them exactly.

    Both are cut by the onset's landmarks, so that what differs between them is movement and light, not the crop.
    Raises ValueError where the landmarks bound no face.
    """
    box = crop_box(moments.points)
    return {name: as_batch(_face(view, box)) for name, view in (("apex", moments.apex), ("onset", moments.onset))}


def _face(view: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """SIZE×SIZE×3 uint8 RGB."""
    return cv2.cvtColor(cv2.resize(crop(view, box), (SIZE, SIZE), interpolation=cv2.INTER_LINEAR), cv2.COLOR_BGR2RGB)
