"""The settings of `mer-train`: where a value stands, and paths among them."""

import subprocess
import sys
from dataclasses import MISSING, fields

import pytest
from omegaconf import OmegaConf
from places import ROOT

from realtime.errors import UsageError
from realtime.settings import load
from train import run_folder
from train.methods import MODULES, settings_of
from train.settings import DataSettings, ProtocolSettings, TrainSettings, chosen

ODD = """/data/a,b = 'c' "d" #~()[]{} ü ${oc.env:HOME}"""


CONFIGS = ROOT / "configs"


@pytest.mark.parametrize("schedule", ["full", "cpu"])
@pytest.mark.parametrize("name", MODULES)
def test_the_files_hold_every_setting_of_a_method(name, schedule):
    settings = chosen(f"model={name}", f"schedule={schedule}")
    assert settings.model.name == name and type(settings.fit) is settings_of(name).Recipe


def test_the_code_holds_no_value_that_a_file_holds():
    """Only an empty one, for a setting that the chosen file does not know."""
    types = {TrainSettings, DataSettings, ProtocolSettings}
    types |= {kind for name in MODULES if name != "verifier" for kind in (settings_of(name).Model, settings_of(name).Recipe)}
    for kind in types:
        for one in fields(kind):
            value = one.default_factory() if one.default_factory is not MISSING else one.default
            assert value is MISSING or not value, f"{kind.__qualname__}.{one.name} = {value!r} stands in configs/ too"


def test_settings_are_read_and_sets_prepared_without_torch():
    code = "import sys, train.cli, train.data.prepare; from train.settings import chosen; chosen('model=moext'); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "False"


def leaves(config, prefix=()):
    for key, value in config.items():
        yield from leaves(value, (*prefix, key)) if isinstance(value, dict) else [((*prefix, key), value)]


@pytest.mark.parametrize(
    "file", sorted(file for group in ("data", "fit", "model", "protocol") for file in (CONFIGS / group).glob("*.yaml")), ids=lambda file: file.stem
)
def test_a_file_repeats_nothing_of_the_file_that_it_starts_from(file):
    own = OmegaConf.to_container(OmegaConf.load(file))
    started = {}
    for name in own.pop("defaults", []):
        if name != "_self_":
            stem, _, package = name.partition("@")
            group = OmegaConf.to_container(load("train", [f"{file.parent.name}={stem}"]))[file.parent.name]
            started |= dict(leaves(group, (package,) if package else ()))
    if file.parent.name == "fit" and "model" in own:
        started |= dict(leaves(OmegaConf.to_container(load("train", [f"model={file.stem.removesuffix('-cpu')}"]))["model"], ("model",)))
    assert not [key for key, value in leaves(own) if key in started and started[key] == value]


def test_a_setting_that_the_choice_does_not_know_is_refused():
    for words in (["protocol.leak=true"], ["protocol=loso", "protocol.count=3"], ["data.cache=a"], ["data=casme2", "data.test=[a]"]):
        with pytest.raises(UsageError, match="unknown setting"):
            chosen(*words)


def test_paths_survive_hydra_and_omegaconf(tmp_path):
    settings = chosen("data=casme2", f"data.root={ODD}", f"data.cache={ODD}", f"data.more=[{ODD.split(',')[0]}, b=c]", f"out={ODD}")
    assert (settings.data.root, settings.data.cache, settings.out) == (ODD, [ODD], ODD)
    assert settings.data.more == ["/data/a", "b=c"] and settings.data.name == "casme2"
    again = settings.as_dict()
    assert again["data"]["root"] == again["out"] == ODD
    run_folder.write(tmp_path / "config.yaml", OmegaConf.to_yaml(OmegaConf.create(again)))
    assert OmegaConf.to_container(OmegaConf.load(tmp_path / "config.yaml")) == again


def test_a_path_of_the_model_itself():
    assert chosen("model=sa_at", f"model.style_file={ODD}").model.style_file == ODD


def test_the_default_network_is_the_live_loops_and_the_same_wherever_it_is_named():
    from realtime.settings import load as composed

    name = chosen().model.name
    assert name == composed("live").network == "kernel_ridge"
    assert f"`{name}` (the default)" in (ROOT / "train/README.md").read_text("utf-8")
    assert f"[model card](engines/zoo/{name}.md)" in (ROOT / "README.md").read_text("utf-8")


def test_an_unknown_grouping_is_said_at_once():
    for wrong in ("9", "casme2_4", "Three"):
        with pytest.raises(UsageError, match=f"no grouping '{wrong}': choose one of megc2019, three, casme2_5"):
            chosen("data=casme2", f"data.grouping={wrong}")


@pytest.mark.parametrize(
    ("words", "grouping"),
    [
        (["data=casme2", "data.grouping=5"], "casme2_5"),
        (["data=casme3", "data.grouping=7"], "casme3_7"),
        (["data=mmew", "data.grouping=6"], "mmew_6"),
        (["data=smic", "data.grouping=3"], "three"),
        (["data=casme2", "data.grouping=casme3_4"], "casme3_4"),
    ],
)
def test_a_number_of_classes_stands_for_the_sets_own_grouping(words, grouping):
    assert chosen(*words).data.grouping == grouping


@pytest.mark.parametrize("words", [["seeds=[3,4]", "workers=2"], ["seeds=[3,4]", "workers=2", "out=null"]])
def test_other_values_are_typed_as_before(words):
    settings = chosen("model=svm", "protocol=loso", *words)
    assert (settings.seeds, settings.workers, settings.out) == ([3, 4], 2, "runs/svm-megc2019_flow-loso")


@pytest.mark.parametrize("typed, folders", [("[]", []), ("a", ["a"]), ("[a,b]", ["a", "b"])])
@pytest.mark.parametrize("name", ["cache", "more", "pretrain"])
def test_folders_are_typed_as_one_or_as_a_list(name, typed, folders):
    assert getattr(chosen("data=casme2", f"data.{name}={typed}").data, name) == folders
