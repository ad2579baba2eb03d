"""`mer-bench paper`: the papers' tables as data, and each command from prepared sets to the table."""

import json
import re
from itertools import combinations

import places
import pytest
import yaml
from click.testing import CliRunner

pytest.importorskip("torch")

from train.bench.cli import main
from train.bench.paper.measure import slug
from train.bench.paper.tables import FOLDER, PAPERS, tables
from train.settings import chosen

TABLES = tables()


def paper(*words):
    return CliRunner().invoke(main, ["paper", *map(str, words)])


@pytest.mark.parametrize("name", TABLES)
def test_every_row_is_a_run_with_what_its_name_says(name, tmp_path):
    table = TABLES[name]
    for task in table.tasks:
        rows = [row for row in table.rows if task.name in row.tasks]
        words = {row.name: table.words_of(row, task, []) for row in rows}
        plain = {row: chosen(*line).as_dict() for row, line in words.items()}
        for one, other in combinations(rows, 2):
            assert (plain[one.name] == plain[other.name]) == (slug(one) == slug(other)), (one.name, other.name)
            assert plain[one.name] != plain[other.name] or one.answer != other.answer, (one.name, other.name)
        for row in rows:
            assert len(row.said.get(task.name, table.columns)) == len(table.columns), row.name


@pytest.mark.parametrize("name", PAPERS)
def test_the_numbers_are_the_papers(name):
    """Each row's, one after the other, as the text has them, with whatever stands between the cells."""
    file = places.PAPERS / f"{name}.txt"
    if not file.exists():
        pytest.skip("the paper's text is not here")
    text = re.sub(r"(\d\.\d{4})\1+", r"\1", re.sub(r"\s+", " ", file.read_text("utf-8")))  # MathML says a number four times
    known = yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8"))
    digits = 2 if known.get("percent") else known["digits"]
    for table_name, table in known["tables"].items():
        if "follow from" in table.get("note", ""):  # reckoned from the text's own
            continue
        for row in table["rows"]:
            said = row.get("said", [])
            for numbers in said.values() if isinstance(said, dict) else [said]:
                printed = r"\W*".join(re.escape(f"{number:.{digits}f}") for number in numbers if number is not None)
                assert re.search(printed, text), (table_name, row["name"], numbers)


def test_the_tables_are_listed_with_the_data_that_they_take():
    every, own = paper(), paper("dual_atme")
    assert every.exit_code == own.exit_code == 0
    assert all(name in every.output for name in TABLES)
    assert "dual_atme.table5" in own.output and "skd_tstsan" not in own.output
    assert "data=composite or megc2019_flow" in own.output


def test_a_table_is_measured_once_and_shows_the_papers_numbers_beside_ours(archive, tmp_path):
    words = ["data=megc2019_flow", f"data.path={archive}", "seeds=[0]", "fit.epochs=1", "launcher=inline", "--out", tmp_path]
    done = paper("dual_atme.table5", *words)
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "dual_atme.table5.json").read_text("utf-8"))
    assert len(found["rows"]) == 5 * 8
    row = next(one for one in found["rows"] if (one["row"], one["group"], one["metric"]) == ("0.1", "samm", "uf1"))
    assert row["paper"] == 0.503 and 0 <= row["interval"][0] <= row["interval"][1] <= 1
    text = (tmp_path / "dual_atme.table5.md").read_text("utf-8")
    assert re.search(r"\| 0.1 \| samm \| 0.498 \| \d.\d{3} \[\d.\d\d, \d.\d\d\] \| 0.503 \|", text), text
    # all but one of the rows of the next table are there: what is switched nowhere was measured as lambda = 0.01
    runs = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("results.json")}
    assert len(runs) == 5
    again = paper("dual_atme.table5", *words)
    assert again.exit_code == 0 and {file: file.stat().st_mtime_ns for file in tmp_path.rglob("results.json")} == runs
    assert (tmp_path / "dual_atme/megc2019_flow/whole/results.json") in runs


def test_what_is_lacking_is_one_line_with_the_command_that_makes_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lacking = paper("dual_atme.table4")
    assert lacking.exit_code == 2
    said = "dual_atme.table4 on MEGC2019-CD needs casme2: no prepared set in prepared/casme2; mer-train prepare data=casme2 data.root=FOLDER"
    assert said in lacking.output.replace("\n", " ")
    assert not list(tmp_path.rglob("config.yaml"))


@pytest.mark.parametrize(
    "words, said",
    [
        (["dual_atme.table9"], "expected one of dual_atme.table1"),
        (["dual_atme.table5", "data=casme2"], "expected composite or megc2019_flow"),
        (["dual_atme.table5", "data.cache=[a]"], "which set"),
        (["dual_atme.table5", "data=composite", "out=x"], "--out x"),
        (["dual_atme.table5", "dual_atme.table6"], "one table"),
    ],
)
def test_a_mistake_is_one_line(words, said):
    done = paper(*words)
    assert done.exit_code == 2 and said in done.output.replace("\n", " "), done.output


SKD = ["schedule=full", "seeds=[0]", "launcher=inline", "fit.iterations=2", "fit.pretrain_iterations=1", "fit.batch=8", "model.magnify=false"]


@pytest.mark.parametrize("name, task, data", [("table7", "samm_3", "samm"), ("table5", "casme2_5", "casme2")])
def test_skd_tstsan_from_a_small_set_to_the_table(name, task, data, small_sets, tmp_path):
    words = [*small_sets.words(data), f"data.pretrain={small_sets.cache('ckplus')}", *SKD, "--out", tmp_path]
    done = paper(f"skd_tstsan.{name}", *words)
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / f"skd_tstsan.{name}.json").read_text("utf-8"))["rows"]
    own = [row for row in found if row["task"] == task]
    assert own and all(row["here"] is not None and row["paper"] > 0.5 for row in own)


def test_the_figures_show_people_whom_the_networks_have_not_seen(small_sets, tmp_path):
    words = [*small_sets.words("casme2"), "data.pretrain=[]", *SKD, "--out", tmp_path]
    drawn = paper("skd_tstsan.figure7", *words)
    assert drawn.exit_code == 0, drawn.output
    assert (tmp_path / "skd_tstsan.figure7.png").stat().st_size > 10_000
    networks = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.safetensors")}
    assert len(networks) == 2  # of one person who shows all three classes, with and without ECA
    assert paper("skd_tstsan.figure7", *words).exit_code == 0
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.safetensors")} == networks
    drawn = paper("skd_tstsan.figure8", "--people", "casme2/sub01", *words)
    assert drawn.exit_code == 0 and (tmp_path / "skd_tstsan.figure8.png").exists(), drawn.output
    absent = paper("skd_tstsan.figure8", *words)
    assert absent.exit_code == 2 and "casme2/sub12 has 0 clips" in absent.output.replace("\n", " ")


MOEXT = ["model.width=0.03125", "model.size=56", "model.stages=2", "fit.epochs=1", "fit.pretrain_epochs=1", "fit.copies=1"]
SA_AT = ["model.size=64", "model.width=1", "model.style_width=1", "model.style_blocks=0", "model.student_depth=8"]
SA_AT += ["fit.epochs=1", "fit.teacher_epochs=1", "fit.style_iterations=1"]
ONCE = ["seeds=[0]", "launcher=inline"]


def test_moext_from_small_sets_to_the_table(small_sets, tmp_path):
    words = [f"data.pretrain=[{small_sets.cache('casme2')},{small_sets.cache('casme3')}]", *MOEXT, *ONCE, "--out", tmp_path]
    done = paper("moext.table7", *small_sets.words("composite"), *words)
    assert done.exit_code == 0, done.output
    assert _complete(tmp_path, "moext.table7", 6 * 3)


@pytest.mark.parametrize("name, data, count", [("table2", "images", 5 * 3), ("table3", "composite", 4 * 2), ("table4", "composite", 2 * 8)])
def test_sa_at_from_small_sets_to_the_table(name, data, count, small_sets, tmp_path):
    pretrain = [] if data == "images" else [f"data.pretrain={small_sets.cache('images')}"]
    folds = ["protocol.count=2"] if data == "images" else []
    done = paper(f"sa_at.{name}", *small_sets.words(data), *pretrain, *folds, *SA_AT, *ONCE, "--out", tmp_path)
    assert done.exit_code == 0, done.output
    assert _complete(tmp_path, f"sa_at.{name}", count)


def _complete(out, name, count):
    rows = json.loads((out / f"{name}.json").read_text("utf-8"))["rows"]
    return len(rows) == count and all(row["here"] is not None and row["paper"] is not None for row in rows)
