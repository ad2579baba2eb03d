"""The lines that the READMEs and the help print, typed as they stand, on small sets with tiny schedules."""

import re
import shlex

import pytest
from click.testing import CliRunner
from places import ROOT

pytest.importorskip("torch")

from train.cli import EXAMPLES, main
from train.data import prepared
from train.settings import chosen

TINY = {
    "skd_tstsan": ["fit.pretrain_iterations=1", "fit.iterations=1", "fit.batch=2", "model.magnify=false"],  # magnet.pth is not everywhere
    "moext": ["fit.pretrain_epochs=1", "fit.epochs=1", "fit.copies=1", "fit.views=2", "model.width=0.05", "model.size=56", "model.stages=1"],
    "sa_at": [f"model.{name}" for name in ("size=32", "width=2", "teacher_depth=8", "student_depth=8", "style_width=2", "style_blocks=0")]
    + ["fit.style_iterations=1", "fit.teacher_epochs=1", "fit.epochs=1"],
    "dual_atme": ["fit.epochs=1"],
    "svm": [],
    "kernel_ridge": ["model.waves=64"],
}
TEXTS = [(ROOT / name).read_text("utf-8") for name in ("README.md", "train/README.md", "realtime/README.md")]
# indented lines and inline code, without what stands behind a comment's sign
FOUND = [line for text in TEXTS for both in re.findall(r"^    (mer-train .*)$|`(mer-train [^`…]*=[^`…]*)`", text, re.M) for line in both if line]
READMES = [line for line in dict.fromkeys(line.split("#")[0].strip() for line in FOUND) if "explain" not in line and "data=NAME" not in line]
HELP = [line.strip().split("   ")[0] for line in EXAMPLES.splitlines() if line.strip().startswith("mer-train ") and "explain" not in line]
RUN = [line for line in READMES if not re.search("generic|synthetic", line)]  # the second is not made in a moment


@pytest.mark.parametrize("line", READMES + HELP, ids=str)
def test_a_printed_line_is_understood(line):
    words = shlex.split(line)[1:]
    assert chosen(*[word for word in words if word != "prepare"])


@pytest.fixture
def shelf(small_sets, tmp_path, monkeypatch):
    """A folder of work where prepared/NAME is there, as `mer-train prepare` leaves it by default."""
    monkeypatch.chdir(tmp_path)  # prepared/ and runs/ are below it
    monkeypatch.setattr(prepared, "FEW", 1000)  # processes take longer to start than these clips
    (tmp_path / "prepared").mkdir()

    def lay(line):
        names = set(re.findall(r"data=(\w+)|prepared/(\w+)", line))
        names = {name for pair in names for name in pair if name} | ({"casme2", "samm", "smic"} if "composite" in line else set())
        for name in names - {"composite"}:
            (tmp_path / f"prepared/{name}").symlink_to(small_sets.cache(name))

    return lay


@pytest.mark.parametrize("line", [line for line in RUN if " prepare " not in line], ids=str)
def test_a_printed_line_works(line, shelf):
    shelf(line)
    words = shlex.split(line)[1:]
    tiny = TINY[chosen(*words).model.name]
    done = CliRunner().invoke(main, [*words, *tiny, "seeds=[0]", "launcher=inline", "workers=1"])
    assert done.exit_code == 0, f"{line}: {done.output}"
    assert "Traceback" not in done.output


# of the other sets `small_sets.cache` types the same line
@pytest.mark.parametrize("line", [line for line in RUN if " prepare " in line and "casme2" in line])
def test_a_printed_line_prepares(line, small_sets, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = re.search(r"data=(\w+)", line)[1]
    words = shlex.split(line.replace("FOLDER", str(small_sets.root(name))))[1:]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0 and (tmp_path / "prepared" / name / "clips.csv").exists(), done.output
