"""The small sets of the tests themselves: every picture of them is a face that the product finds."""

import pytest
from small_sets import EMOTIONS, PEOPLE

from train.data import cache as store


@pytest.mark.parametrize("name", EMOTIONS)
def test_every_clip_of_a_small_set_is_prepared(small_sets, name):
    rows = store.read_rows(small_sets.cache(name))
    shown = {(row.subject, row.label) for row in rows}
    assert len({row.subject for row in rows}) == PEOPLE and len(shown) == PEOPLE * len(EMOTIONS[name])
    assert not (small_sets.cache(name) / "left_out.csv").read_text().splitlines()[1:]
