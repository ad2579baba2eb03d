"""Where the face was in each frame: small on the server, in blocks for the page, and true to a quarter of a pixel."""

import numpy as np
import pytest

from realtime.dashboard.replay.queued_recording import BLOCK, NUMBERS, Faces

FACE = {"id": 3, "box": (234, 143, 414, 357), "regions": [[[244.7, 160.9], [311.2, 165.0], [308.1, 214.8], [241.7, 210.8]]] * 3}


def test_a_frame_holds_the_box_and_the_regions_as_shares_of_the_picture():
    faces = Faces(640, 480)
    faces.add(FACE)
    faces.add(None)
    assert np.allclose(np.multiply(faces.box(0), (640, 480) * 2), FACE["box"], atol=0.25)
    assert faces.box(1) is None and len(faces) == 2 and [faces.who(number) for number in (0, 1)] == [3, None]
    first, second = np.frombuffer(faces.block(0), "<f4").reshape(-1, NUMBERS)
    corners = first[4:].reshape(3, 4, 2) * (640, 480)
    assert np.allclose(corners, FACE["regions"], atol=0.25) and np.isnan(second).all()


def test_an_hour_is_a_few_megabytes_and_is_given_in_blocks():
    faces = Faces(640, 480)
    for number in range(2 * BLOCK + 7):
        faces.add(FACE if number % 2 else None)
    assert sum(block.nbytes for block in faces._blocks) / len(faces._blocks) == BLOCK * 56
    sizes = [len(faces.block(number)) // (4 * NUMBERS) for number in range(3)]
    assert sizes == [BLOCK, BLOCK, 7]
    rows = np.frombuffer(faces.block(2), "<f4").reshape(-1, NUMBERS)
    assert [bool(np.isnan(row[0])) for row in rows] == [True, False] * 3 + [True]
    assert faces.box(2 * BLOCK) is None and faces.box(2 * BLOCK + 1) is not None
    for number in (-1, 3):
        with pytest.raises(IndexError):
            faces.block(number)
