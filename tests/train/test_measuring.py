import numpy as np
import pytest

from train.data.loaders.megc2019 import load_flow
from train.measure.metrics import confusion, scores, uar, uf1
from train.measure.protocols import loso


def test_uf1_and_uar_of_a_matrix_worked_by_hand():
    matrix = confusion(np.array([0, 0, 0, 0, 1, 1, 2, 2]), np.array([0, 0, 0, 1, 1, 0, 2, 2]), 3)
    assert matrix.tolist() == [[3, 1, 0], [1, 1, 0], [0, 0, 2]]
    assert uf1(matrix) == pytest.approx((6 / 8 + 2 / 4 + 1) / 3)  # Eq. 11
    assert uar(matrix) == pytest.approx((3 / 4 + 1 / 2 + 1) / 3)  # Eq. 12


def test_scores_are_pooled_and_given_for_each_set():
    truth, predicted = np.array([0, 1, 2, 0, 1, 2]), np.array([0, 1, 2, 1, 1, 1])
    result = scores(truth, predicted, np.array(["a"] * 3 + ["b"] * 3), 3)
    assert result["a"]["uf1"] == 1 and list(result) == ["all", "a", "b"]
    assert result["b"]["uar"] == pytest.approx(1 / 3)


def test_one_number_in_two_sets_is_two_people(samples):
    assert len(np.unique(samples.person)) > len({name.split("/")[1] for name in samples.person})


def test_the_real_archive():
    from tests.conftest import DATA

    path = DATA / "megc2019/flow_28x28.npz"
    if not path.exists():
        pytest.skip("the MEGC2019 flow maps are absent (set MER_DATA to the folder that holds megc2019/)")
    real = load_flow(path)
    assert len(real) == 332 and len(loso(real)) == 53
    assert np.bincount(real.label).tolist() == [191, 78, 63]
    # the arrays mean what we think: brows go down (v > 0) in negative and up in surprise, mouth corners up in positive
    v = real.inputs["full_face"][:, 1]
    brows, corners = v[:, 2:5, 3:25].mean((1, 2)), v[:, 16:19, 4:9].mean((1, 2))
    by_class = [(brows[real.label == k].mean(), corners[real.label == k].mean()) for k in range(3)]
    assert by_class[0][0] > 0.1 and by_class[1][1] < -0.1 and by_class[2][0] < -0.1
