"""The folder of engines: what goes in comes out whole, or is refused before anybody deserialises it."""

import errno
import json
import os
import subprocess
import sys
import time

import pytest
from plan_facts import GPU, TENSORRT, facts

from engines import device
from engines.errors import EngineError
from engines.tensorrt import library
from engines.tensorrt.manifest import PlanRefused
from engines.tensorrt.store import Store

ONNX = "a" * 64
PLAN = b"a plan" * 1000


@pytest.fixture
def full(store):
    """A store with one engine, and the names of its two files."""
    store.save(facts(PLAN), PLAN)
    store.manifest, store.plan = (next(store.path.glob(f"*.{kind}")) for kind in ("json", "plan"))
    return store


def load(store, **kwargs):
    return store.load("tiny", ONNX, GPU, TENSORRT, **kwargs)


def refusal(store, words, command="mer-engine build tiny", **kwargs):
    with pytest.raises(PlanRefused, match=words) as error:
        load(store, **kwargs)
    assert "\n" not in str(error.value) and str(error.value).endswith(f": {command}")


def test_what_was_saved_is_loaded(full):
    assert load(full) == (PLAN, facts(PLAN))
    assert {oct(os.stat(path).st_mode & 0o777) for path in full.path.iterdir()} == {"0o600"}
    assert oct(full.path.stat().st_mode & 0o777) == "0o700"


def test_nothing_built_yet(store):
    assert store.entries() == [] and store.clean() == 0 and not store.path.exists()
    refusal(store, "no engine of tiny has been built")
    refusal(store, "no engine", "mer-engine build tiny --precision fp16", precision="fp16")


def test_the_one_built_last_is_taken_where_several_fit(full):
    later = facts(b"half", precision="fp16", made="2026-11-22T12:00:01Z")
    full.save(later, b"half")
    assert load(full) == (b"half", later)
    assert load(full, precision="fp32") == (PLAN, facts(PLAN))
    (full.path / later.plan_file).unlink()
    assert load(full) == (PLAN, facts(PLAN))
    refusal(full, "its plan file is gone", "mer-engine build tiny --precision fp16", precision="fp16")


def test_a_plan_with_one_flipped_byte_never_reaches_tensorrt(full):
    content = bytearray(PLAN)
    content[1234] ^= 1
    full.plan.write_bytes(content)
    refusal(full, "its file is not the one that was built .SHA-256")


@pytest.mark.parametrize("content", [b"", PLAN[:-1], PLAN + b"\0"])
def test_a_plan_that_is_cut_or_longer(full, content):
    full.plan.write_bytes(content)
    refusal(full, "its file is not the one that was built")


@pytest.mark.parametrize(
    "change, words",
    [
        ({"plan_sha256": "b" * 64}, "its plan file is gone"),
        ({"network": "other"}, "not sound .it speaks of other.fp32"),
        ({"precision": "fp16"}, "it speaks of tiny.fp16"),
        ({"library": "tensorrt_rtx"}, "it speaks of"),
        ({"targets": ["sm_90"]}, "it speaks of"),
        ({"targets": []}, r"its targets is '\(\)'"),
        ({"targets": "sm_89"}, "its targets is 'sm_89'"),
        ({"targets": [89]}, "its targets is"),
        ({"network": "../../x"}, "its network is"),
        ({"network": 3}, "its network is '3'"),
        ({"plan_sha256": "../../../etc/passwd"}, "its plan_sha256 is"),
        ({"plan_sha256": None}, "its plan_sha256 is 'None'"),
        ({"version": ""}, "its version is"),
        ({"library": "tensorflow"}, "its library is"),
        ({"precision": "fp8"}, "its precision is"),
        ({"profiles": [1, 8]}, "its profiles is"),
        ({"profiles": [8, 1, 64]}, "its profiles is"),
        ({"profiles": [True, 8, 64]}, "its profiles is"),
        ({"kept_fp32": [1]}, "its kept_fp32 is"),
        ({"kept_fp32": {"a": 1}}, "its kept_fp32 is"),
        ({"also": "this"}, "it has fields that no manifest has: also"),
    ],
)
def test_a_manifest_that_lies(full, change, words):
    known = json.loads(full.manifest.read_text())
    full.manifest.write_text(json.dumps(known | change))
    refusal(full, words, command="mer-engine build tiny")


@pytest.mark.parametrize("field", facts(PLAN).__dict__)
def test_a_manifest_that_lacks_a_field(full, field):
    known = json.loads(full.manifest.read_text())
    del known[field]
    full.manifest.write_text(json.dumps(known))
    refusal(full, f"it lacks {field}")


@pytest.mark.parametrize("text", ["", "not json", "[]", "null", "[" * 100_000, '{"network": "tiny"}'])
def test_a_manifest_that_is_none(full, text):
    full.manifest.write_text(text)
    refusal(full, "not sound")


def test_one_bad_manifest_does_not_hide_the_others(full):
    (full.path / "tiny.fp16.tensorrt.sm_89.json").write_text("{")
    assert load(full)[0] == PLAN
    assert [entry.manifest is None for entry in full.entries()] == [True, False]


def test_a_link_instead_of_a_plan(full, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(PLAN)
    full.plan.unlink()
    full.plan.symlink_to(elsewhere)
    refusal(full, "plan cannot be read")
    full.plan.unlink()
    os.link(elsewhere, full.plan)
    refusal(full, "not a plain file of yours")
    full.plan.unlink()
    os.mkfifo(full.plan)
    refusal(full, "not a plain file of yours")


def test_a_plan_that_others_can_write(full):
    full.plan.chmod(0o666)
    refusal(full, "can be written by others")


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_folder_that_others_can_write(full, mode):
    full.path.chmod(mode)
    save, lock = lambda: full.save(facts(PLAN), PLAN), lambda: full.lock().__enter__()
    for use in (lambda: load(full), save, lock, full.entries, full.clean):
        with pytest.raises(EngineError, match="others can write.*chmod 700") as error:
            use()
        assert not isinstance(error.value, PlanRefused)


def test_a_folder_that_is_a_link_or_a_file(full, tmp_path):
    (tmp_path / "link").symlink_to(full.path)
    (tmp_path / "file").write_text("")
    for path in ("link", "file"):
        with pytest.raises(EngineError, match="is a link or no folder"):
            load(Store(tmp_path / path))


def test_a_folder_of_another_user(full, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(EngineError, match="belongs to another user: set MER_ENGINES"):
        load(full)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError, match="folder"):
        Store(tmp_path / "file" / "engines").save(facts(PLAN), PLAN)


def test_the_folder_is_where_the_environment_says(tmp_path, monkeypatch):
    monkeypatch.setenv("MER_ENGINES", str(tmp_path / "mine"))
    assert Store().path == tmp_path / "mine"
    monkeypatch.delenv("MER_ENGINES")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert Store().path == tmp_path / "mer-live" / "engines"


def test_a_name_that_is_no_name():
    from engines.tensorrt.build import build

    with pytest.raises(EngineError, match="a network called '../x' gets no engine"):
        build({"name": "../x"}, b"")


NEW = b"a newer plan" * 1000
NEWER = facts(NEW, made="2026-11-22T13:00:00Z")


def test_a_new_engine_takes_the_place_of_the_old(full):
    full.save(NEWER, NEW)
    assert load(full) == (NEW, NEWER) and not full.plan.exists() and len(list(full.path.iterdir())) == 2


@pytest.mark.parametrize("step", range(6))
def test_a_crash_at_any_step_leaves_a_whole_engine(full, monkeypatch, step):
    """The process dies: nothing is tidied up."""
    count, real = iter(range(100)), {name: getattr(os, name) for name in ("fsync", "replace")}

    class Died(BaseException):
        pass

    def dying(name):
        def call(*args, **kwargs):
            if next(count) >= step:
                raise Died
            return real[name](*args, **kwargs)

        return call

    for name in real:
        monkeypatch.setattr(os, name, dying(name))
    monkeypatch.setattr(os, "unlink", lambda *args, **kwargs: None)
    with pytest.raises(Died):
        full.save(NEWER, NEW)
    monkeypatch.undo()
    assert load(full) in ((PLAN, facts(PLAN)), (NEW, NEWER))
    full.save(NEWER, NEW)
    assert load(full) == (NEW, NEWER)
    full.clean()
    assert list(full.path.iterdir()) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_engine(full, monkeypatch, code, call):
    def no_room(*args, **kwargs):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, call, no_room)
    with pytest.raises(EngineError, match="the disk is full; any older one stays.*mer-engine build tiny") as error:
        full.save(NEWER, NEW)
    monkeypatch.undo()
    assert "\n" not in str(error.value)
    assert load(full) == (PLAN, facts(PLAN)) and len(list(full.path.iterdir())) == 2


def test_a_disk_that_is_really_full(full):
    """The system itself cuts the file off."""
    code = f"""
import resource, sys
sys.path[:0] = {[str(path) for path in sys.path]!r}
from plan_facts import facts
from engines.errors import EngineError
from engines.tensorrt.store import Store
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    Store({str(full.path)!r}).save(facts({NEW!r}), {NEW!r})
except EngineError as error:
    print(error)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "the disk is full" in told.stdout and told.stdout.count("\n") == 1 and told.stderr == ""
    assert load(full) == (PLAN, facts(PLAN)) and len(list(full.path.iterdir())) == 2


def test_a_manifest_of_another_plan_is_not_saved(store):
    with pytest.raises(EngineError, match="speaks of another plan"):
        store.save(facts(PLAN), NEW)
    assert not store.path.exists()


def test_a_build_that_ends_while_a_plan_is_read(full, monkeypatch):
    """The manifest was read, then both files are new: the new pair is given out."""
    read = full._folder.read

    def meanwhile(name):
        content = read(name)
        if name.endswith(".json"):
            monkeypatch.setattr(full._folder, "read", read)
            full.save(NEWER, NEW)
        return content

    monkeypatch.setattr(full._folder, "read", meanwhile)
    assert load(full) == (NEW, NEWER)


HOLD = """
import sys, time
sys.path[:0] = {path!r}
from engines.tensorrt.store import Store
with Store({folder!r}).lock(lambda line: print(line, flush=True)):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(store):
    """`holder()` → a process that takes the lock, or waits for it, and says so; it lets go when its stdin is closed."""
    code = HOLD.format(path=[str(path) for path in sys.path], folder=str(store.path))
    started = []

    def start():
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen([sys.executable, "-c", code], **pipes))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_the_second_build_waits_and_says_so(holder):
    first = holder()
    assert first.stdout.readline() == "held\n"
    second = holder()
    assert second.stdout.readline() == f"another mer-engine is at work (process {first.pid}): waiting for it\n"
    time.sleep(0.1)
    assert second.poll() is None
    first.stdin.close()
    assert second.stdout.readline() == "held\n"


def test_the_lock_of_a_process_that_died_is_free(holder, store):
    first = holder()
    assert first.stdout.readline() == "held\n"
    first.kill()
    first.wait()
    with store.lock(lambda line: pytest.fail("waited for the dead")):
        pass


def test_clean_takes_what_is_ours_and_nothing_else(full):
    stray = full.path / f"{full.plan.name}.99.tmp"
    stray.write_bytes(b"x" * 10)
    full.keep_timings(TENSORRT, "sm_89", b"timings")
    (full.path / "notes.txt").write_text("mine")
    (full.path / "notes.json").write_text("mine")
    size = sum(path.stat().st_size for path in full.path.iterdir())
    assert full.clean() == size - 8
    assert sorted(path.name for path in full.path.iterdir()) == ["notes.json", "notes.txt"]


def test_timings_are_kept_and_damaged_ones_forgotten(store):
    assert store.timings(TENSORRT, "sm_89") == b""
    store.keep_timings(TENSORRT, "sm_89", b"timings")
    assert store.timings(TENSORRT, "sm_89") == b"timings" and store.timings(TENSORRT, "sm_90") == b""
    file = next(store.path.glob("timing.*"))
    file.write_bytes(file.read_bytes()[:-1] + b"S")
    assert store.timings(TENSORRT, "sm_89") == b""


def test_entries_say_what_can_be_used_here(full, monkeypatch):
    monkeypatch.setattr(device, "find", lambda: GPU)
    monkeypatch.setattr(library, "find", lambda: TENSORRT)
    (only,) = full.entries({"tiny": ONNX}.get)
    assert (only.current, only.reason, only.path, only.manifest) == (True, "", full.plan, facts(PLAN))
    (only,) = full.entries()
    assert "there is no network 'tiny'" in only.reason
    monkeypatch.setattr(device, "find", lambda: None)
    (only,) = full.entries({"tiny": ONNX}.get)
    assert "no GPU here" in only.reason
    full.plan.write_bytes(b"")
    (only,) = full.entries({"tiny": ONNX}.get)
    assert not only.current and "not the one that was built" in only.reason
    assert only.reason.endswith("mer-engine build tiny --for sm_89")
