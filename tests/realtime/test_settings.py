from dataclasses import asdict

import pytest
from omegaconf import OmegaConf

from realtime.errors import UsageError
from realtime.settings import load
from realtime.watch import LiveSettings


def test_the_yaml_files_hold_the_same_defaults_as_the_code():
    assert OmegaConf.to_container(load("live", [], LiveSettings)) == asdict(LiveSettings())


def test_an_override_is_heard_and_typed():
    assert load("live", ["spotter.max_duration=0.4"], LiveSettings).spotter.max_duration == 0.4
    with pytest.raises(UsageError, match="could not be converted to Float"):
        load("live", ["spotter.max_duration=soon"], LiveSettings)


@pytest.mark.parametrize("word, said", [
    ("spotter.max_durration=1", "did you mean 'spotter.max_duration'"),
    ("spotter=foo", "unknown spotter 'foo': expected one of histogram"),
    ("source.width=wide", "could not be converted to Integer"),
])  # fmt: skip
def test_mistakes_are_answered_with_what_is_known(word, said):
    with pytest.raises(UsageError, match=said) as error:
        load("live", [word], LiveSettings)
    assert "\n" not in str(error.value)
