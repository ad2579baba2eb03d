"""Paths among the settings of `mer-train`."""

import pytest
from omegaconf import OmegaConf

from realtime.settings import load
from train import run_folder
from train.settings import TrainSettings

ODD = """/data/a,b = 'c' "d" #~()[]{} ü ${oc.env:HOME}"""


def loaded(*words):
    return OmegaConf.to_object(load("train", words, TrainSettings))


def test_paths_survive_hydra_and_omegaconf(tmp_path):
    settings = loaded("data=casme2", f"data.root={ODD}", f"data.cache={ODD}", f"data.more=[{ODD.split(',')[0]}, b=c]", f"out={ODD}")
    assert (settings.data.root, settings.data.cache, settings.out) == (ODD, [ODD], ODD)
    assert settings.data.more == ["/data/a", "b=c"] and settings.data.name == "casme2"
    again = settings.as_dict()
    assert again["data"]["root"] == again["out"] == ODD
    run_folder.write(tmp_path / "config.yaml", OmegaConf.to_yaml(OmegaConf.create(again)))
    assert OmegaConf.to_container(OmegaConf.load(tmp_path / "config.yaml")) == again


def test_a_path_of_the_model_itself():
    assert loaded("model=sa_at", f"model.style_file={ODD}").model.style_file == ODD


@pytest.mark.parametrize("words", [["seeds=[3,4]", "workers=2"], ["seeds=[3,4]", "workers=2", "out=null"]])
def test_other_values_are_typed_as_before(words):
    settings = loaded("model=svm", "protocol=loso", *words)
    assert (settings.seeds, settings.workers, settings.out) == ([3, 4], 2, "runs/svm-megc2019_flow-loso")
