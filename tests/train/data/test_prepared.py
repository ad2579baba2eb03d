"""A prepared set → samples."""

import json

import numpy as np
import pytest

from realtime.errors import UsageError
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
            views = {v: random.integers(0, 256, (224, 224, 3), np.uint8) for v in ("onset", "apex", "offset", "fifth")}
            views["between"] = np.stack([views["onset"]] if kind == "image" else [views["onset"], views["offset"]])
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


def test_a_still_image_is_a_movement_without_any(made):
    still = prepared.moments(made("images", [("1", "image", "happiness")]) / "clips/0.npz")
    assert len(still.between) == 2 and np.array_equal(*still.between)


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
    with pytest.raises(UsageError, match="no prepared set"):
        prepared.load(tmp_path / "nowhere", "dual_atme_map", "three")


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
    for name in ("onset", "apex", "offset", "points", "between"):
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


def test_an_extracted_apex_is_a_view_that_was_kept(made):
    cache = made("casme2", [("1", "micro", "happiness"), ("2", "micro", "disgust")])
    annotated = prepared.load(cache, "sa_at", "three")
    extracted = prepared.load(cache, "sa_at", "three", apex="extracted")
    assert np.array_equal(annotated.inputs["onset"], extracted.inputs["onset"])
    assert not np.array_equal(annotated.inputs["apex"], extracted.inputs["apex"])
    # of two kept views, onset and offset, the offset is the one that differs
    only = prepared.moments(cache / "clips/0.npz")
    live = INPUTS["sa_at"](prepared.replace(only, apex=only.offset))
    assert np.array_equal(extracted.inputs["apex"][0], live["apex"][0])
