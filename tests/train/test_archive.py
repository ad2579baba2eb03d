"""`mer-bench archive`: its clips, and what counts as the same result."""

import av

from train.bench import archive


def test_clips_are_of_several_lengths_and_one_is_no_film(tmp_path):
    archive.make(tmp_path, 3)
    lengths = []
    for path in sorted(tmp_path.glob("clip*.mp4")):
        with av.open(str(path)) as film:
            lengths.append(sum(1 for _ in film.decode(video=0)))
    assert lengths == [40, 50, 60] and (tmp_path / archive.POISON).is_file()


def test_only_how_late_an_event_was_may_differ(tmp_path):
    line, row = '{{"event": 1, "latency_ms": {0}, "kind": "{1}"}}\n', "1,0.5,{1},{0}\r\n"
    for name, late, kind in (("one", 12.5, "micro"), ("late", 80.1, "micro"), ("other", 12.5, "macro")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "events.jsonl").write_text(line.format(late, kind))
        (tmp_path / name / "events.csv").write_text(row.format(late, kind), newline="")
        (tmp_path / name / "events_all.xlsx").write_text(name)
    assert not archive.different(tmp_path / "one", tmp_path / "late")
    assert {path.name for path in archive.different(tmp_path / "one", tmp_path / "other")} == {"events.jsonl", "events.csv"}
    (tmp_path / "late/frames.csv").touch()
    assert {path.name for path in archive.different(tmp_path / "one", tmp_path / "late")} == {"frames.csv"}
