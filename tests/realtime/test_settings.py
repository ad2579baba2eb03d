import inspect
import re
from dataclasses import asdict, fields

import pytest
from omegaconf import OmegaConf

from realtime.errors import UsageError
from realtime.face.tracker import FaceSettings
from realtime.pipeline import PipelineSettings
from realtime.settings import load
from realtime.sources import SourceSettings
from realtime.spotting import SpotterSettings
from realtime.watching import LiveSettings


def test_the_yaml_files_hold_the_same_defaults_as_the_code():
    assert OmegaConf.to_container(load("live", [], LiveSettings)) == asdict(LiveSettings())


@pytest.mark.parametrize("kind", (SourceSettings, FaceSettings, SpotterSettings, PipelineSettings))
def test_each_setting_is_explained_where_it_is_made(kind):
    told = inspect.getdoc(kind).partition("Attributes:\n")[2]
    assert re.findall(r"^ {4}(\w+): ", told, re.MULTILINE) == [one.name for one in fields(kind)]


def test_an_override_is_heard_and_typed():
    assert load("live", ["spotter.max_duration=0.4"], LiveSettings).spotter.max_duration == 0.4
    with pytest.raises(UsageError, match="could not be converted to Float"):
        load("live", ["spotter.max_duration=soon"], LiveSettings)


@pytest.mark.parametrize(
    "word, said",
    [
        ("spotter.max_durration=1", "did you mean 'spotter.max_duration'"),
        ("spotter=foo", "unknown spotter 'foo': expected one of histogram"),
        ("source.width=wide", "could not be converted to Integer"),
    ],
)
def test_mistakes_are_answered_with_what_is_known(word, said):
    with pytest.raises(UsageError, match=said) as error:
        load("live", [word], LiveSettings)
    assert "\n" not in str(error.value)


ODD = ["a,b = c", "it's #1", 'say "so" ~(x) [x {y}', "ü 顔 a:b *", "${oc.env:HOME}", "\\${x} $HOME", "1e3"]


@pytest.mark.parametrize("text", ODD)
def test_a_value_is_taken_as_it_is(text):
    """Neither Hydra's grammar nor OmegaConf's finds anything in a path, as a flag or at the end of the line."""
    path = f"/data/{text}.onnx"
    for config in (load("live", [f"network={path}"], LiveSettings), load("live", [], LiveSettings, {"network": path})):
        assert OmegaConf.to_object(config).network == path
        kept = OmegaConf.create(OmegaConf.to_yaml(config))  # settings.yaml beside the results
        assert OmegaConf.to_object(kept)["network"] == path
    assert load("live", [f"network={text}"], LiveSettings).network == text
    assert load("live", ["network='quoted by habit'"], LiveSettings).network == "quoted by habit"


def test_flags_are_typed_and_none_leaves_a_setting():
    flags = {"source.width": 640, "source.fps": None, "network": None}
    config = load("live", ["source.height=null", "source.fps=60", "network=moext"], LiveSettings, flags)
    assert (config.source.width, config.source.height, config.source.fps, config.network) == (640, None, 60, "moext")
    with pytest.raises(UsageError, match="give a value"):
        load("live", [], LiveSettings, {"network": "???"})
