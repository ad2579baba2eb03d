"""What lies in a run's folder may be damaged, and a folder that is named may be missing: one line."""

from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from omegaconf import OmegaConf

from realtime.errors import UsageError
from train import run_folder
from train.bench.cli import main
from train.data.loaders.megc2019 import load_flow
from train.settings import chosen


@pytest.mark.parametrize("name", ["config.yaml", "about.json"])
@pytest.mark.parametrize("content", [b"[1, {", b"\xff\xfe\x00", b"7", b"a: [b", b"- !!python/none"])
def test_a_damaged_run_folder_is_one_line(tmp_path, monkeypatch, name, content):
    monkeypatch.setattr(run_folder, "digest", lambda samples: "0")
    settings = SimpleNamespace(as_dict=lambda: {"a": 1})
    (tmp_path / "config.yaml").write_text("a: 1\nsamples_sha256: '0'\n")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=f"{name} is damaged|other a") as error:
        run_folder.claim(tmp_path, settings, None)
    assert "\n" not in str(error.value) and (tmp_path / name).read_bytes() == content


@pytest.mark.parametrize(("precision", "goes_on"), [("fp32", True), ("bf16", False)])
def test_a_run_from_before_there_were_precisions_goes_on(tmp_path, monkeypatch, precision, goes_on):
    monkeypatch.setattr(run_folder, "digest", lambda samples: "0")
    monkeypatch.setattr(run_folder, "about", lambda settings: {})
    (tmp_path / "config.yaml").write_text("a: 1\nsamples_sha256: '0'\n")
    settings = SimpleNamespace(as_dict=lambda: {"a": 1, "device": "cuda", "precision": precision})
    if goes_on:
        return run_folder.claim(tmp_path, settings, None)
    with pytest.raises(UsageError, match="other precision:"):
        run_folder.claim(tmp_path, settings, None)


@pytest.mark.parametrize(("count", "goes_on"), [(5, True), (4, False)])
def test_a_run_that_kept_more_settings_than_are_known_today_goes_on(tmp_path, monkeypatch, count, goes_on):
    """Every protocol had all of them once, and every data set."""
    monkeypatch.setattr(run_folder, "digest", lambda samples: "0")
    monkeypatch.setattr(run_folder, "about", lambda settings: {})
    settings = chosen("protocol=folds")
    kept = settings.as_dict() | {"samples_sha256": "0"}
    kept["data"] |= {"grouping": "three", "apex": "annotated"}
    kept["protocol"]["count"] = count
    (tmp_path / "config.yaml").write_text(OmegaConf.to_yaml(OmegaConf.create(kept)))
    if goes_on:
        return run_folder.claim(tmp_path, settings, None)
    with pytest.raises(UsageError, match="other protocol:"):
        run_folder.claim(tmp_path, settings, None)


def test_methods_say_at_once_which_folder_is_missing(tmp_path):
    result = CliRunner().invoke(main, ["methods", "--train", str(tmp_path / "no"), "--test", str(tmp_path), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2 and f"--train {tmp_path / 'no'} is no folder" in result.output and not (tmp_path / "out").exists()


def test_missing_flow_maps_say_where_they_come_from(tmp_path):
    with pytest.raises(UsageError, match="HTNet"):
        load_flow(tmp_path / "no.npz")
