"""Our run of the face networks beside MediaPipe's own, which is the oracle: points, blendshapes, how many faces."""

import hashlib
import math
import socket
from io import BytesIO
from zipfile import ZipFile

import cv2
import numpy as np
import pytest
from places import DATA, DEMO, ROOT

from realtime.errors import MissingPartError, UsageError
from realtime.face.facemesh import FaceMesh, blendshapes, with_mediapipe
from realtime.face.facemesh.blendshapes import NAMES
from realtime.face.facemesh.networks import ANCHORS, Region
from realtime.face.head_pose import head_pose, rotation
from realtime.face.landmarks import make_landmarker
from realtime.face.measures import gaze
from realtime.sources import open_source
from train.synthesis.demo import portrait

CLIPS = [DEMO, *sorted((DATA / "clips").glob("*.m*"))]
PORTRAITS = sorted((DATA / "portraits").glob("*.jpg"))


@pytest.fixture(scope="module")
def oracle():
    made = with_mediapipe.MediaPipeLandmarker(4, everything=True)
    yield made
    made.close()


@pytest.fixture(scope="module")
def ours():
    return FaceMesh(4)


def agree(pictures, oracle, ours):
    """As many faces, points within 1 % of the distance between the eyes' outer corners, blendshapes within 0.02, the head turned
    within 2 degrees (of MediaPipe's own points within 0.1).

    Of a turned head in a picture that is no square MediaPipe stretches z by the picture's sides: ours is in the scale of x.
    """
    shapes, faces = blendshapes(), 0
    for pixels in pictures:
        (theirs, their_shapes, placed), found = oracle.all(pixels), ours(pixels)
        assert len(theirs) == len(found) == len(ours.confidence) and all(0.5 < sure <= 1 for sure in ours.confidence)
        for one, other, movement, place in zip(theirs, found, their_shapes, placed, strict=True):
            eyes = np.linalg.norm(one[263, :2] - one[33, :2])
            assert np.linalg.norm(one[:, :2] - other[:, :2], axis=1).max() < 0.01 * eyes
            stretch = np.median(one[:, 2] / other[:, 2])
            assert 0.75 < stretch < 1.34 and np.abs(one[:, 2] - stretch * other[:, 2]).max() < 0.01 * eyes
            for points, most in ((one, 0.1), (other * [1, 1, stretch], 2)):
                turned = rotation(points, pixels.shape[1], pixels.shape[0]).T @ place[:3, :3] / np.linalg.norm(place[:3, 0])
                assert math.degrees(math.acos(min(1.0, (np.trace(turned) - 1) / 2))) < most
            assert np.abs(movement - shapes(other)).max() < 0.02
            faces += 1
    return faces


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: clip.name)
def test_a_clip_gives_the_points_of_mediapipe(clip, oracle, ours):
    with open_source(clip) as source:
        some = [frame.pixels.copy() for frame in source if frame.index % 29 == 0]
    assert agree(some, oracle, ours) or clip.name == "no_face.mp4"


def test_portraits_give_the_points_of_mediapipe(oracle, ours):
    if not PORTRAITS:
        pytest.skip("the portraits are absent (set MER_DATA to the folder that holds portraits/)")
    assert agree((cv2.imread(str(path)) for path in PORTRAITS[::5]), oracle, ours) > 20


def test_turned_small_and_many_faces_give_the_points_of_mediapipe(oracle, ours):
    face = portrait()
    height, width = face.shape[:2]
    crowd = np.full((700, 1300, 3), 90, np.uint8)
    for number, scale in enumerate((0.9, 0.6, 0.8)):
        small = cv2.resize(face, None, fx=scale, fy=scale)
        crowd[50 : 50 + small.shape[0], 430 * number : 430 * number + small.shape[1]] = small[:, : 1300 - 430 * number]
    turned = [cv2.warpAffine(face, cv2.getRotationMatrix2D((width / 2, height / 2), by, 1.0), (width, height)) for by in (-35, 20)]
    assert agree([crowd, *turned, cv2.resize(face, (200, 150)), face[:, ::-1], face[:, 200:]], oracle, ours) >= 7


def test_several_pictures_at_once_give_what_each_gives_alone(ours):
    face = portrait()
    pictures = [face, np.full((90, 160, 3), 90, np.uint8), np.hstack([face, face[:, ::-1]]), face[:300]]
    together = ours.many(pictures)
    assert [len(faces) for faces in together] == [1, 0, 2, 1]
    for picture, faces in zip(pictures, together, strict=True):
        np.testing.assert_allclose(ours(picture), faces, atol=0.01)


def test_a_cut_and_the_way_back_meet():
    pixels = np.zeros((200, 300, 3), np.uint8)
    cv2.circle(pixels, (170, 90), 3, (255, 255, 255), -1)
    region = Region((160.0, 100.0), (120.0, 120.0), 0.4)
    y, x = np.argwhere(region.cut(pixels, 256)[..., 0] > 128).mean(axis=0)
    assert region.out(np.float32([[x / 256, y / 256, 0.0]]))[0, :2] == pytest.approx((170, 90), abs=0.5)


def test_the_anchors_lie_on_their_grids():
    assert ANCHORS.shape == (896, 2) and len(NAMES) == 52
    assert ANCHORS[:2].tolist() == [[1 / 32, 1 / 32]] * 2 and ANCHORS[-1].tolist() == [15 / 16, 15 / 16]


def test_mediapipe_cannot_open_a_socket_and_the_rest_of_the_process_can(oracle):
    for kind in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
        with pytest.raises(PermissionError):
            oracle._worker.submit(socket.socket, kind).result()
        socket.socket(kind).close()


def test_where_mediapipe_cannot_be_kept_from_the_network_it_does_not_run(monkeypatch):
    monkeypatch.setattr(with_mediapipe, "forbid_sockets", lambda: False)
    with pytest.raises(MissingPartError, match="faces.runner=onnx"):
        make_landmarker(1, "mediapipe")


def test_an_unknown_runner_is_one_line():
    with pytest.raises(UsageError, match="unknown faces.runner 'tensorflow': expected one of onnx, cuda, mediapipe"):
        make_landmarker(1, "tensorflow")


def test_the_shipped_networks_are_those_of_the_bundle():
    from train.export import tflite

    task = (ROOT / "realtime/assets/face_landmarker.task").read_bytes()
    assert hashlib.sha256(task).hexdigest().startswith("64184e22")
    for name, network in tflite.NETWORKS.items():
        made = tflite.convert(ZipFile(BytesIO(task)).read(network.member), network)
        assert made.SerializeToString() == (ROOT / f"realtime/assets/{name}.onnx").read_bytes()


def test_the_three_angles_are_those_of_the_picture(ours):
    """A picture turned in its plane tilts the head by as much; its mirror image turns and tilts it the other way."""
    face = portrait()
    height, width = face.shape[:2]

    def pose(pixels):
        return np.degrees(head_pose(ours(pixels)[0], pixels.shape[1], pixels.shape[0]))

    upright, mirrored = pose(face), pose(np.ascontiguousarray(face[:, ::-1]))
    assert np.abs(mirrored - upright * [1, -1, -1]).max() < 3
    for degrees in (-20, 20):  # OpenCV turns against the clock
        by = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
        turned = pose(cv2.warpAffine(face, by, (width, height), borderMode=cv2.BORDER_REPLICATE))
        assert abs(turned[2] - upright[2] + degrees) < 3


def test_the_gaze_follows_the_iris():
    points = np.zeros((478, 3), np.float32)
    points[[33, 133, 362, 263], 0] = 0, 30, 60, 90
    for way, wanted in (((0, 0), (0, 0)), ((3, 0), (0.24, 0)), ((0, -3), (0, -0.24))):
        points[[468, 473], :2] = np.array([[15, 0], [75, 0]]) + way
        assert gaze(points) == pytest.approx(wanted, abs=0.01)
        turn = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]], np.float32)  # a tilted head's eyes are not turned in it
        assert gaze(points @ turn.T) == pytest.approx(wanted, abs=0.01)
