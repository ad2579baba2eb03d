"""`mer-bench paper`: the papers' tables as data, and each command from prepared sets to the table."""

import json
import re
from dataclasses import replace
from itertools import combinations

import places
import pytest
import yaml
from click.testing import CliRunner

pytest.importorskip("torch")

from train.bench.cli import main
from train.bench.paper import measure
from train.bench.paper.measure import slug
from train.bench.paper.tables import FOLDER, PAPERS, keyed, tables
from train.data import prepared
from train.measure import reports
from train.methods.ststnet import training as ststnet

TABLES = tables()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(prepared, "FEW", 1000)  # processes take longer to start than these clips
    monkeypatch.setattr(reports, "confusions", lambda *_: None)


def paper(*words):
    return CliRunner().invoke(main, ["paper", *map(str, words)])


def on_maps(archive, out):
    """Words for a table on the made flow maps, by two folds of an epoch."""
    words = "data=megc2019_flow", f"data.path={archive}", "seeds=[0]", "fit.epochs=1", "launcher=inline", "protocol=folds", "protocol.count=2"
    return [*words, "--out", out]


def test_a_row_has_a_folder_of_its_own_where_its_settings_are():
    """Two rows that ask for the same share it, and then differ in which classifier is scored."""
    for table in TABLES.values():
        words = {row.name: keyed(table.words_of(row, table.tasks[0], [])) for row in table.rows}
        assert len(words) == len(table.rows), table.name
        for one, other in combinations(table.rows, 2):
            same = words[one.name] == words[other.name]
            assert same == (slug(one) == slug(other)), (table.name, one.name, other.name)
            assert not same or one.answer != other.answer, (table.name, one.name, other.name)


def test_a_row_has_a_number_for_each_column():
    for table in TABLES.values():
        for row in table.rows:
            assert all(len(numbers) == len(table.columns) for numbers in row.said.values()), (table.name, row.name)
            assert set(row.said) <= {task.name for task in table.tasks}, (table.name, row.name)


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
    words = on_maps(archive, tmp_path)
    done = paper("dual_atme.table5", *words)
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "dual_atme.table5.json").read_text("utf-8"))
    assert len(found["rows"]) == 5 * 8
    row = next(one for one in found["rows"] if (one["row"], one["group"], one["metric"]) == ("0.1", "samm", "uf1"))
    assert row["paper"] == 0.503 and 0 <= row["interval"][0] <= row["interval"][1] <= 1
    text = (tmp_path / "dual_atme.table5.md").read_text("utf-8")
    assert re.search(r"\| 0.1 \| samm \| 0.498 \| \d.\d{3} \[\d.\d\d, \d.\d\d\] \| 0.503 \|", text), text
    assert "schedule=full, seeds=[0], fit.epochs=1" in text  # who reads the table knows that it is not the paper's schedule
    # all but one of the rows of the next table are there: what is switched nowhere was measured as lambda = 0.01
    runs = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("results.json")}
    assert len(runs) == 5
    again = paper("dual_atme.table5", *words)
    assert again.exit_code == 0 and {file: file.stat().st_mtime_ns for file in tmp_path.rglob("results.json")} == runs
    assert (tmp_path / "dual_atme/megc2019_flow/whole/results.json") in runs


LINES = re.findall(r"^    mer-bench paper ([^#\n]*[^#\n ])", (places.ROOT / "train/README.md").read_text("utf-8"), re.M)


@pytest.mark.parametrize("line", LINES)
def test_what_a_printed_line_lacks_is_named_with_the_command_that_makes_it(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MER_DATA", raising=False)
    lacking = paper(*line.split())
    said = " ".join(lacking.output.split())
    assert lacking.exit_code == 2 and f"{line.split()[0]} on " in said, said
    if "megc2019_flow" in line:
        assert "needs the flow maps at" in said and "data.path=FILE" in said
    else:
        first = TABLES[line.split()[0]].tasks[0].data.replace("composite", "casme2")
        assert f"needs {first}" in said and f"not prepared yet: mer-train prepare data={first} data.root=FOLDER data.cache=prepared/{first}" in said
    assert not list(tmp_path.rglob("config.yaml"))


def test_a_set_for_pretraining_that_is_lacking_is_named_as_such(small_sets, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = " ".join(paper("skd_tstsan.table2", *small_sets.words("samm")).output.split())
    assert "needs ckplus (for pre-training), not prepared yet: mer-train prepare data=ckplus" in said


def test_the_weights_that_magnification_starts_from_are_asked_for_before_anything_is_read(small_sets, tmp_path):
    words = [*small_sets.words("samm"), "data.pretrain=[]", "model.magnet=nowhere.pth", "--out", tmp_path]
    done = paper("skd_tstsan.table2", *words)
    assert done.exit_code == 2 and "no file nowhere.pth: put magnet.pth there" in done.output and not list(tmp_path.iterdir())


def test_an_interrupted_table_keeps_what_it_has_and_goes_on(archive, tmp_path, monkeypatch):
    words = on_maps(archive, tmp_path)
    whole, begun = measure.measured, []

    def interrupted(settings, console):
        begun.append(settings.out)
        if len(begun) == 3:
            raise KeyboardInterrupt
        return whole(settings, console)

    monkeypatch.setattr(measure, "measured", interrupted)
    assert paper("dual_atme.table6", *words).exit_code == 130
    text = (tmp_path / "dual_atme.table6.md").read_text("utf-8")
    assert re.search(r"CE, Adam \| all \| 0.673 \| 0", text) and "| Focal, Adam | all | 0.680 | … |" in text
    kept = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("results.json")}
    assert len(kept) == 2 and paper("dual_atme.table6", *words).exit_code == 0
    assert "…" not in (tmp_path / "dual_atme.table6.md").read_text("utf-8")
    assert {file: file.stat().st_mtime_ns for file in kept} == kept
    other = paper("dual_atme.table6", *words, "fit.lr=0.1")
    assert other.exit_code == 2 and "holds a run with other fit: choose another folder with --out DIR" in " ".join(other.output.split())


def test_the_readme_names_a_table_of_every_paper():
    named = {line.split()[0] for line in LINES}
    assert named <= set(TABLES) and {name.split(".")[0] for name in named} == set(PAPERS)


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


TINY = {
    "skd_tstsan": ["model.magnify=false", "fit.iterations=1", "fit.pretrain_iterations=1", "fit.batch=2"],  # magnet.pth is not everywhere
    "moext": ["model.width=0.03125", "model.size=56", "model.stages=2", "fit.epochs=1", "fit.pretrain_epochs=1", "fit.copies=1", "fit.batch=30"],
    "dual_atme": ["fit.epochs=1"],
    "sa_at": ["model.size=64", "model.width=1", "model.style_width=1", "model.style_blocks=0", "model.student_depth=8", "model.styles=[grey]"],
}
TINY["sa_at"] += ["fit.epochs=1", "fit.teacher_epochs=1", "fit.style_iterations=1", "fit.recompute=false", "fit.batch=30"]
QUICK = ["seeds=[0]", "launcher=inline", "protocol=folds", "protocol.count=2", "save_every=0"]
SETS = {"skd_tstsan": ("casme2", "samm", "mmew", "casme3", "ckplus"), "moext": ("casme2", "samm", "smic", "casme3")}
SETS |= {"dual_atme": ("casme2", "samm", "smic"), "sa_at": ("casme2", "samm", "smic", "images")}
CHOSEN = {"skd_tstsan.table5": ["data=casme2"], "skd_tstsan.figure9b": ["data=samm"]}  # the other sets' runs are like these
SHOWN = {"skd_tstsan.figure8": ["casme2/sub01"], "skd_tstsan.figure11": ["casme3/spNO.1", "casme3/spNO.2"]}


@pytest.mark.parametrize("name", PAPERS)
def test_every_table_of_a_paper_is_one_command(name, small_sets, tmp_path, monkeypatch):
    """Typed as train/README.md has them, in a folder where prepared/NAME is what `mer-train prepare data=NAME` leaves there."""
    once = ststnet.fit
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ststnet, "fit", lambda samples, model, recipe, *rest: once(samples, model, replace(recipe, epochs=1), *rest))
    (tmp_path / "prepared").mkdir()
    for one in SETS[name]:
        (tmp_path / "prepared" / one).symlink_to(small_sets.cache(one))
    for table in [one for one in TABLES.values() if one.name.startswith(name)]:
        people = [word for person in SHOWN.get(table.name, ()) for word in ("--people", person)]
        done = paper(table.name, *CHOSEN.get(table.name, ()), *people, *TINY[name], *QUICK)
        assert done.exit_code == 0, f"{table.name}: {done.output}"
        made = tmp_path / f"runs/paper/{table.name}"
        if table.draws:
            assert made.with_name(f"{made.name}.png").stat().st_size > 5_000
        else:
            rows = json.loads(made.with_name(f"{made.name}.json").read_text("utf-8"))["rows"]
            assert rows and all(0 <= row["here"] <= 1 and row["interval"][0] <= row["interval"][1] for row in rows)
            assert "…" not in made.with_name(f"{made.name}.md").read_text("utf-8")


def test_a_figure_trains_a_network_once_and_without_whom_it_shows(small_sets, tmp_path):
    words = [*small_sets.words("casme2"), "data.pretrain=[]", *TINY["skd_tstsan"], "seeds=[0]", "--out", tmp_path]
    assert paper("skd_tstsan.figure7", *words).exit_code == 0
    networks = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.safetensors")}
    # one person shows all three classes: a network with ECA, one without
    assert sorted(str(file.relative_to(tmp_path)) for file in networks) == [
        f"skd_tstsan/casme2_3/{which}/networks/0/casme2-sub01.safetensors" for which in ("eca=false", "whole")
    ]
    assert paper("skd_tstsan.figure7", *words).exit_code == 0
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*.safetensors")} == networks
    absent = paper("skd_tstsan.figure8", *words)
    assert absent.exit_code == 2 and "casme2/sub12 has 0 clips" in absent.output.replace("\n", " ")
