"""A prepared set → samples."""

import json
from dataclasses import replace

import numpy as np
import pytest

from realtime.errors import SourceError, UsageError
from realtime.naming.inputs import INPUTS
from train.data import cache as store
from train.data import prepared


def points():
    """68 points that bound a box, as an upright face's do."""
    p = np.full((68, 2), 112, np.float32)
    p[1], p[15], p[8] = (30, 90), (194, 90), (112, 210)
    p[[19, 20, 23], 1], p[[38, 43], 1] = 45, 60
    return p


@pytest.fixture
def made(tmp_path):
    """`made("name", [(subject, kind, label), …])` → a prepared set of noise."""

    def make(name, clips):
        cache, random, rows = tmp_path / name, np.random.default_rng(len(clips)), []
        store.claim(cache, {"dataset": name}, {})
        for number, (subject, kind, label) in enumerate(clips):
            views = {v: random.integers(0, 256, (224, 224, 3), np.uint8) for v in ("onset", "apex", "offset", "fifth", "extracted")}
            views |= {f"course{n}": random.integers(0, 256, (n, 224, 224), np.uint8) for n in (10, 11)}
            file = f"{number}.npz"
            store.write_arrays(cache / "clips" / file, views | {"points": points()})
            rows.append(store.Row(name, subject, f"{subject}/{number}", kind, label, "", file, f"t.csv row {number + 2}"))
        store.write_tables(cache, rows, [])
        return cache

    return make


CLIPS = [("1", "micro", "happiness"), ("1", "macro", "surprise"), ("2", "micro", "others"), ("2", "image", "disgust")]


def test_the_samples_are_what_the_live_loop_would_make(made):
    samples = prepared.load(made("casme2", CLIPS), "dual_atme_map", "three")
    assert samples.classes == ("negative", "positive", "surprise") and samples.label.tolist() == [1, 2, 0]
    assert samples.person.tolist() == ["casme2/1", "casme2/1", "casme2/2"]  # "others" is in none of the three classes
    assert samples.kind.tolist() == ["micro", "macro", "image"] and samples.name[0] == "1/0"


def test_inputs_are_made_once_and_exactly(made, monkeypatch):
    cache = made("casme2", CLIPS)
    samples = prepared.load(cache, "dual_atme_map", "three")
    live = INPUTS["dual_atme_map"](prepared.moments(cache / "clips/1.npz"))
    for name, array in live.items():
        assert samples.inputs[name].dtype == np.float32 and np.array_equal(samples.inputs[name][1], array[0])
    monkeypatch.setattr(prepared, "_make", None)
    again = prepared.load(cache, "dual_atme_map", "three")
    assert np.array_equal(again.inputs["puzzle"], samples.inputs["puzzle"])


def test_moext_sees_the_fifth_frame_of_a_macro_expression(made, monkeypatch):
    def apex(moments):
        return {"apex": moments.apex.transpose(2, 0, 1)[None].astype(np.float32)}

    apex.__module__ = "realtime.naming.inputs.face"
    monkeypatch.setitem(prepared.INPUTS, "moext", apex)
    prepared.digest.cache_clear()
    cache = made("casme2", CLIPS)
    samples = prepared.load(cache, "moext", "three")
    assert samples.inputs["apex"].dtype == np.uint8  # large, and whole numbers: kept as they are
    for row, (file, view) in enumerate((("0", "apex"), ("1", "fifth"), ("3", "apex"))):
        with np.load(cache / f"clips/{file}.npz") as views:
            assert np.array_equal(samples.inputs["apex"][row].transpose(1, 2, 0), views[view])


def test_large_inputs_stay_within_a_thousandth():
    random = np.random.default_rng(0)
    unit, wide = random.uniform(-1, 1, (6, 64, 64)), random.uniform(0, 255, (6, 64, 64))
    halved, kept = (prepared._compact(array.astype(np.float32)) for array in (unit, wide))
    assert halved.dtype == np.float16 and np.abs(halved - unit).max() < 1e-3
    assert kept.dtype == np.float32


def test_inputs_that_look_at_the_whole_clip_see_its_course(made):
    cache = made("casme2", CLIPS[:1])
    with np.load(cache / "clips/0.npz") as views:
        courses = {length: views[f"course{length}"] for length in (10, 11)}
    assert prepared.moments(cache / "clips/0.npz").between is None
    assert {name: len(courses[10 if name == "lbptop" else 11]) for name in prepared.COURSES} == {
        "lbptop": 10,
        "skd_tstsan_5": 11,
        "skd_tstsan_10": 11,
    }
    for kind, course in prepared.COURSES.items():
        seen = prepared.moments(cache / "clips/0.npz", course=course)
        assert np.array_equal(np.stack(seen.between)[..., 0], courses[int(course[-2:])]) and seen.between[0].shape == (224, 224, 3)
        for name, array in INPUTS[kind](seen).items():
            assert np.abs(prepared.load(cache, kind, "three").inputs[name][0] - array[0]).max() <= prepared.EXACT


def test_a_set_of_an_older_version_is_one_line_where_it_lacks_something(made):
    cache = made("casme2", CLIPS[:1])
    clip = cache / "clips/0.npz"
    whole = dict(np.load(clip))
    np.savez(clip, **{name: whole[name] for name in ("onset", "apex", "offset", "fifth", "points")}, between=whole["extracted"][None])
    assert len(prepared.load(cache, "dual_atme_map", "three")) == 1
    for kind, apex in (("skd_tstsan_5", "annotated"), ("skd_tstsan_10", "annotated"), ("lbptop", "annotated"), ("sa_at", "extracted")):
        with pytest.raises(UsageError, match="casme2 was prepared by an older version.*run mer-train prepare again"):
            prepared.load(cache, kind, "three", apex=apex)


def test_clips_without_movement_are_left_out_unless_they_are_wanted(made):
    cache = made("casme3", [("1", "micro", "happy"), ("1", "micro", "disgust"), ("2", "macro", "sad"), ("2", "micro", "others")])
    store.write_tables(cache, [replace(row, still="yes" if row.name != "1/0" else "") for row in store.read_rows(cache)], [])

    def names(kind="dual_atme_map", **how):
        said = []
        return prepared.load(cache, kind, "three", say=said.append, **how).name.tolist(), said

    kept, said = names()
    assert kept == ["1/0"] and said == [
        f"1 of 4 clips of {cache} are outside the grouping three (1 others)",
        f"2 of 4 clips of {cache} are left out, their apex is their onset: data.still=keep takes them",
    ]
    kept, said = names(still="keep")
    assert kept == ["1/0", "1/1", "2/2"] and len(said) == 1
    assert names(apex="extracted")[0] == ["1/0", "1/1"]  # the annotated apex of a micro-expression is not looked at
    assert names("moext")[0] == ["1/0", "2/2"]  # nor is that of a macro-expression here


def test_several_sets_are_one(made):
    casme2, samm = made("casme2", CLIPS), made("samm", CLIPS[:2])
    samples = prepared.load([casme2], "dual_atme_map", "three", [samm])
    assert samples.dataset.tolist() == ["casme2"] * 3 + ["samm"] * 2 and samples.inputs["full_face"].shape[0] == 5
    with pytest.raises(UsageError, match="twice"):
        prepared.load([casme2, casme2], "dual_atme_map", "three")


def test_what_is_wrong_is_named(made, tmp_path):
    with pytest.raises(UsageError, match=r"0.*t.csv row 2.*clips.csv.*'boredom'"):
        prepared.load(made("samm", [("1", "micro", "boredom")]), "dual_atme_map", "three")
    cache = made("casme2", CLIPS)
    with pytest.raises(UsageError, match="unknown inputs 'x': expected one of dual_atme"):
        prepared.load(cache, "x", "three")
    (cache / "clips/1.npz").write_bytes(b"half")
    with pytest.raises(UsageError, match="1.npz is damaged"):
        prepared.load(cache, "dual_atme_map", "three")
    np.savez(cache / "clips/1.npz", **{**np.load(cache / "clips/0.npz"), "points": np.zeros((68, 2), np.float32)})
    with pytest.raises(UsageError, match="1.npz cannot be made into inputs of dual_atme_map.*landmarks"):
        prepared.load(cache, "dual_atme_map", "three")
    with pytest.raises(UsageError, match="no prepared set .*nowhere: mer-train prepare data=NAME data.root=FOLDER data.cache=.*nowhere makes it"):
        prepared.load(tmp_path / "nowhere", "dual_atme_map", "three")
    with pytest.raises(UsageError, match="no prepared set prepared/ckplus: mer-train prepare data=ckplus data.root=FOLDER makes it"):
        prepared.load(cache, "dual_atme_map", "three", pretrain=["prepared/ckplus"])


MADE = {
    "list": b"[1, 2]",
    "pairs": b'[["a", 1]]',
    "null": b"null",
    "text": b'""',
    "cut": b'{"dataset":',
    "empty": b"",
    "Latin-1": b'{"a": "\xff"}',
    "deep": b'{"a":' * 100_000,
    "huge": b'{"a": ' + b"9" * 5000 + b"}",
}
HEAD = b"dataset,subject,name,kind,label,action_units,file,row\n"
ROW = b"casme2,1,1/0,micro,happiness,,0.npz,t.csv row 2\n"
TABLES = {
    "short": HEAD + b"casme2,1\n",
    "long": HEAD + ROW.strip() + b",x\n",
    "Latin-1": HEAD + b"\xff",
    "quote": HEAD + b'"' + ROW,
    "endless": HEAD + b"a" * 200_000,
    "renamed": HEAD.replace(b"file", b"datei") + ROW,
    "bytes": bytes(range(256)) * 9,
}


@pytest.mark.parametrize(
    ("file", "content"), [("made.json", one) for one in MADE.values()] + [("clips.csv", one) for one in TABLES.values()], ids=[*MADE, *TABLES]
)
def test_a_damaged_table_is_one_line(made, file, content):
    cache = made("casme2", [])
    (cache / file).write_bytes(content)
    with pytest.raises(UsageError, match=file.replace(".", "[.]")) as raised:
        prepared.load(cache, "dual_atme_map", "three")
    assert "\n" not in str(raised.value)


def test_a_folder_in_a_tables_place_is_one_line(made):
    cache = made("casme2", [])
    (cache / "clips.csv").unlink()
    (cache / "clips.csv").mkdir()
    with pytest.raises(UsageError, match="clips.csv is damaged"):
        prepared.load(cache, "dual_atme_map", "three")


def test_every_array_of_a_clip_may_be_missing_or_wrong(made):
    cache = made("casme2", CLIPS[:1])
    clip = cache / "clips/0.npz"
    whole = dict(np.load(clip))
    for name in ("onset", "apex", "offset", "points"):
        wrong = [np.array([None, 1], object), np.array(3), np.array(["a"]), np.zeros(0), np.full(whole[name].shape, np.nan)]
        for views in [{key: view for key, view in whole.items() if key != name}, *({**whole, name: one} for one in wrong)]:
            np.savez(clip, **views)
            with pytest.raises(UsageError, match="0.npz is damaged"):
                prepared.load(cache, "dual_atme_map", "three")
    np.savez(clip, **whole)
    spoilt = bytearray(clip.read_bytes())
    spoilt[1000:1200] = b"\xff" * 200
    clip.write_bytes(spoilt)
    with pytest.raises(UsageError, match="0.npz is damaged"):
        prepared.load(cache, "dual_atme_map", "three")


def test_the_digest_follows_the_code_behind_the_inputs():
    modules = prepared._ours("realtime.naming.inputs.dual_atme", set())
    assert {"realtime.naming.inputs.dual_atme", "realtime.naming.inputs.flow_map", "realtime.naming.inputs.face", "engines.flow"} <= modules
    assert "realtime.pipeline" not in modules


def test_made_json_is_kept_as_it_was(made):
    cache = made("casme2", CLIPS)
    store.claim(cache, {"dataset": "casme2"}, {"opencv": "another"})
    assert json.loads((cache / "made.json").read_text()) == {"dataset": "casme2", "versions": {}}


def test_an_extracted_apex_is_the_kept_one(made):
    cache = made("casme2", [("1", "micro", "happiness"), ("2", "micro", "disgust")])
    annotated = prepared.load(cache, "sa_at", "three")
    extracted = prepared.load(cache, "sa_at", "three", apex="extracted")
    assert np.array_equal(annotated.inputs["onset"], extracted.inputs["onset"])
    assert not np.array_equal(annotated.inputs["apex"], extracted.inputs["apex"])
    live = INPUTS["sa_at"](prepared.moments(cache / "clips/0.npz", apex="extracted"))
    assert np.array_equal(extracted.inputs["apex"][0], live["apex"][0])


def test_a_set_for_pre_training_alone_loses_no_clip(made):
    casme2, faces = made("casme2", CLIPS), made("ckplus", [("7", "macro", "contempt"), ("7", "macro", "sad"), ("8", "macro", "boredom")])
    samples = prepared.load(casme2, "dual_atme_map", "casme2_5", pretrain=[casme2, faces])
    assert samples.pretraining.tolist() == [False] * 4 + [True] * 7
    assert samples.label.tolist() == [0, 3, 4, 1, 0, 3, 4, 1, -1, -1, -1] and samples.classes[1] == "disgust"
    assert samples.emotion.tolist()[8:] == ["contempt", "sadness", "boredom"]
    smic = made("smic", [("1", "micro", "negative")])  # labelled more coarsely than the run's classes: that is no error here
    assert prepared.load(casme2, "dual_atme_map", "casme2_5", pretrain=[smic]).label[-1] == -1
    with pytest.raises(SourceError, match="no clip"):  # and nothing is recognised from it
        prepared.load(made("samm", [("1", "micro", "others")]), "dual_atme_map", "three", pretrain=[smic])
