import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")

from engines.runtime import Network
from train import run_folder
from train.cli import main
from train.data.loaders.megc2019 import load_flow
from train.settings import chosen

VERIFIER = ["model=verifier", "data=portraits"]
QUICK = ["model=dual_atme", "fit.epochs=1", "seeds=[0]"]


def mer_train(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def test_training_writes_a_network_that_the_runtime_takes(exported, archive):
    network = Network(exported / "dual_atme.onnx")
    samples = load_flow(archive)
    scores = network({"full_face": samples.inputs["full_face"][:1], "puzzle": samples.inputs["puzzle"][:1]})
    assert scores.sum() == pytest.approx(1, abs=1e-5)
    assert {"config.yaml", "dual_atme.md", "dual_atme.safetensors"} <= {file.name for file in exported.iterdir()}
    assert network.manifest["training"]["epochs"] == 1 and "not measured" in network.manifest["accuracy"]


def test_an_export_that_differs_from_torch_is_refused(archive, tmp_path, monkeypatch):
    from train.export import network as export

    monkeypatch.setattr(export, "TOLERANCE", -1.0)
    result = mer_train(f"data.path={archive}", f"out={tmp_path}", *QUICK)
    assert result.exit_code == 5 and "differs from torch" in result.output


def test_loso_goes_on_where_it_stopped(archive, tmp_path, monkeypatch):
    words = ["model=svm", "protocol=loso", f"data.path={archive}", f"out={tmp_path}", "seeds=[0]"]
    first = mer_train(*words)
    assert first.exit_code == 0, first.output
    results = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert results["mean"]["all"]["uf1"] > 0.9 and results["settings"]["model"]["name"] == "svm"
    files = sorted((tmp_path / "predictions/0").glob("*.csv"))
    people = len(np.unique(load_flow(archive).person))
    assert len(files) == people
    kept = files[1].stat().st_mtime_ns
    files[0].unlink()
    assert mer_train(*words).exit_code == 0
    assert files[0].exists() and files[1].stat().st_mtime_ns == kept
    assert json.loads((tmp_path / "results.json").read_text("utf-8")) == results


def test_a_folder_of_another_recipe_is_not_mixed_in(exported, archive):
    result = mer_train(f"data.path={archive}", f"out={exported}", *QUICK, "fit.epochs=2")
    assert result.exit_code == 2 and "other fit" in result.output and "out=DIR" in result.output


def test_a_measured_accuracy_is_written_only_for_its_own_recipe(archive, tmp_path):
    settings = {"model": chosen("model=dual_atme").as_dict()["model"], "protocol": {"name": "loso"}, "data": {}, "fit": {}}
    one, nothing = {"all": {"uf1": 1, "uar": 1}}, {"all": {"uf1": 0, "uar": 0}}
    measured = {"settings": settings, "mean": one, "sd": nothing, "seeds": {}}
    (tmp_path / "results.json").write_text(json.dumps(measured), "utf-8")
    result = mer_train(f"data.path={archive}", f"out={tmp_path / 'run'}", f"accuracy={tmp_path}/results.json", *QUICK)
    assert result.exit_code == 2 and "measured with another data and fit" in result.output


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["model=dual_atme", "fit.epoch=3"], 2, "did you mean 'fit.epochs'"),
        (["model=dual_atme", "fit.epochs=many"], 2, "fit.epochs"),
        (["model=dual_atme", "fit.epochs=0"], 2, "fit.epochs is out of range"),
        (["model=resnet"], 2, "model"),
        (["clip.mp4"], 2, "unexpected 'clip.mp4'"),
        (["data.path=/no/such/file.npz"], 2, "HTNet (no licence is stated)"),
        (["data.path=/no/such/file.npz"], 2, "data=composite"),
        ([*VERIFIER, "data.path=/no/such"], 3, "voteview/member_photos, works of the U.S. government in the public domain"),
        ([*VERIFIER, "data.path=realtime/assets"], 3, "add more"),
        ([*VERIFIER, "data.path=tests"], 3, "expected .bmp, .jpeg, .jpg, .png, .webp"),
        (["data.path=pyproject.toml"], 2, "not the MEGC2019 flow archive"),
        (["protocol=holdout", "data.path=ARCHIVE"], 2, "data.test=[DIR]"),
        (["launcher=slurm"], 2, "launcher (inline, processes or ray)"),
        (["accuracy=/no/such/file", "data.path=ARCHIVE"], 2, "results.json"),
        (["out=/proc/no", "data.path=ARCHIVE"], 6, "out=DIR"),
    ],
)
def test_a_mistake_is_one_line(words, code, says, archive, tmp_path):
    words = [word.replace("ARCHIVE", str(archive)) for word in words]
    if not any(word.startswith("out=") for word in words):
        words.append(f"out={tmp_path}")
    result = mer_train(*words)
    assert result.exit_code == code, result.output
    assert says in result.output and "Traceback" not in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_an_interrupted_write_leaves_no_half_file(tmp_path, monkeypatch):
    def fail(path, text, encoding):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", fail)
    with pytest.raises(KeyboardInterrupt):
        run_folder.write(tmp_path / "0" / "a.csv", "whole")
    assert not list((tmp_path / "0").iterdir())


def test_help_has_examples():
    result = mer_train("--help")
    assert result.exit_code == 0 and "mer-train model=dual_atme data=megc2019_flow protocol=loso" in result.output
    assert "train/README.md says where megc2019_flow, portraits and the others are to be had" in result.output


def test_one_folder_needs_no_brackets_and_near_keys_are_those_of_the_chosen_set():
    from omegaconf import OmegaConf

    from realtime.settings import load
    from train.settings import TrainSettings

    for word in ("data.cache=one", "data.cache=[one]"):
        assert OmegaConf.to_object(load("train", ["data=casme2", word], TrainSettings)).data.cache == ["one"]
    result = mer_train("prepare", "data=casme2", "data.rot=/tmp")
    assert result.exit_code == 2 and "unknown setting 'data.rot': did you mean 'data.root'?" in result.output
