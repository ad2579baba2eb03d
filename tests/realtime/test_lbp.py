import numpy as np

from realtime.spotting import lbp


def test_flat_skin_has_one_pattern_and_there_are_59_bins():
    codes = lbp.local_binary_patterns(np.full((6, 7), 90, np.uint8))
    assert codes.shape == (4, 5) and len(np.unique(codes)) == 1
    noise = np.random.default_rng(0).integers(0, 256, (200, 200), np.uint8)
    assert lbp.local_binary_patterns(noise).max() == lbp.BINS - 1


def test_patterns_do_not_change_with_the_light():
    picture = np.random.default_rng(1).integers(0, 120, (40, 40), np.uint8)
    np.testing.assert_array_equal(lbp.local_binary_patterns(picture), lbp.local_binary_patterns(picture * 2 + 10))


def test_distance_is_equation_1():
    # SA-AT Eq. 1 by hand: 1 − (1·2 + 2·1) / √(5·5)
    assert np.isclose(lbp.distance(np.array([1.0, 2.0]), np.array([2.0, 1.0])), 1 - 4 / 5)
    assert lbp.distance(np.array([3.0, 1.0]), np.array([6.0, 2.0])) < 1e-6
    assert lbp.distance(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == 1.0


def test_only_the_region_that_changed_is_far():
    rng = np.random.default_rng(2)
    picture = rng.integers(0, 256, (90, 90), np.uint8)
    count = lbp.RegionHistograms([(5, 5, 35, 35), (50, 5, 80, 35), (20, 50, 70, 80)], picture.shape)
    before = count(picture)
    picture[55:75, 25:65] = 128
    moved = lbp.distance(before, count(picture))
    assert moved[2] > 0.1 and moved[:2].max() < 1e-6


def test_histograms_count_the_patterns_of_each_cell_also_where_a_region_leaves_the_picture():
    picture = np.random.default_rng(4).integers(0, 256, (90, 70), np.uint8)
    codes = lbp.local_binary_patterns(picture)  # of the pixel at (y + 1, x + 1)
    rows, columns = lbp.CELLS
    count = lbp.RegionHistograms([(5, 5, 40, 33), (-9, 60, 30, 200), (69, 80, 90, 95)], picture.shape)
    assert count._boxes.tolist() == [[5, 5, 35, 28], [1, 60, 29, 29], [68, 80, 1, 9]]
    for (left, top, width, height), counted in zip(count._boxes, count(picture)):
        inside = codes[top - 1 : top - 1 + height, left - 1 : left - 1 + width]
        row, column = np.arange(height) * rows // height, np.arange(width) * columns // width
        bins = inside + lbp.BINS * (row[:, None] * columns + column)
        np.testing.assert_array_equal(counted, np.bincount(bins.ravel(), minlength=counted.size))


def test_one_pattern_by_hand():
    # brighter only to the left: bit 7 of eight, the fewest of the uniform patterns with two changes
    picture = np.array([[0, 0, 0], [9, 5, 0], [0, 0, 0]], np.uint8)
    bits = [(code >> np.arange(8)) & 1 for code in range(256)]
    uniform = [code for code in range(256) if (bits[code] != np.roll(bits[code], 1)).sum() <= 2]
    assert lbp.local_binary_patterns(picture)[0, 0] == uniform.index(1 << 7)
