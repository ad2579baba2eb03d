"""The table of methods: every switch is a real setting, and the table says what the runs found."""

import json

import pytest

pytest.importorskip("torch")

from train.measure import ablation
from train.methods import MODULES
from train.settings import chosen


def test_every_variant_is_a_run_of_its_own_with_one_part_changed(tmp_path):
    words = ["data.cache=[a]", "data.test=[b]", "schedule=cpu"]
    commands = ablation.runs(list(ablation.VARIANTS), words, tmp_path, [0, 1])
    settings = {key: chosen(*line) for key, line in commands.items()}
    assert {method for method, _ in commands} <= set(MODULES) and len({s.out for s in settings.values()}) == len(settings)
    for (method, variant), made in settings.items():
        whole = settings[method, ablation.WHOLE]
        differ = [name for name in vars(made.model) if getattr(made.model, name) != getattr(whole.model, name)]
        assert len(differ) == (variant != ablation.WHOLE), (method, variant, differ)
        assert made.protocol.name == "holdout" and made.protocol.export == (variant == ablation.WHOLE)
        assert len(made.seeds) == (1 if method in ablation.SAME_EACH_TIME else 2)


def test_what_is_measured_already_is_not_run_again(tmp_path, monkeypatch):
    scores = {"uf1": 0.9, "uar": 0.8}
    kept = {"mean": {"all": scores}, "sd": {"all": scores}, "interval": {"all": {"uf1": [0.7, 1.0]}}, "seeds": {"0": {}}}
    commands = ablation.runs(["svm"], ["data.cache=[a]", "data.test=[b]"], tmp_path, [0])
    (tmp_path / "svm-whole").mkdir()
    kept["settings"] = chosen(*commands["svm", "whole"]).as_dict()
    (tmp_path / "svm-whole/results.json").write_text(json.dumps(kept), "utf-8")
    found = {key: ablation._one(commands, key) for key in commands}
    assert "| svm | whole | 0.900 (0.70–1.00) | 0.800 | 1 |" in ablation.markdown(found)
