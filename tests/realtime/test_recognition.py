"""From keyframes to a label, or to none."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import fake_gpu
import numpy as np
import pytest
from gpu import needs_provider, needs_tensorrt
from places import DEMO

from engines.errors import GpuLost
from engines.flow import Flow, cpu, cuda
from engines.runtime import Network
from engines.tensorrt.store import Store
from engines.zoo import ZOO
from realtime import networks
from realtime.errors import ModelError
from realtime.face.geometry import LANDMARKS_68
from realtime.naming import examples, recognizer
from realtime.naming.inputs import dual_atme, flow_map
from realtime.naming.inputs.face import crop
from realtime.naming.recognizer import Recognizer
from realtime.networks import naming, network
from realtime.pipeline import Pipeline, PipelineSettings
from realtime.records import FaceView, Frame, Keyframes
from realtime.sources import open_source


@pytest.fixture
def shy(tmp_path):
    """The shipped network in a folder of its own: (file, a function that changes its manifest)."""
    for suffix in (".onnx", ".json"):
        (tmp_path / f"shy{suffix}").write_bytes((ZOO / f"dual_atme{suffix}").read_bytes())

    def change(**fields):
        manifest = json.loads((tmp_path / "shy.json").read_text("utf-8")) | fields
        (tmp_path / "shy.json").write_text(json.dumps(manifest), "utf-8")

    return tmp_path / "shy.onnx", change


@pytest.fixture
def keyframes():
    return random_keyframes(0)


def random_keyframes(seed):
    points = np.zeros((68, 2), np.float32)
    points[[1, 15, 8]] = (40, 90), (180, 90), (110, 200)
    points[[19, 20, 23, 38, 43]] = (75, 50), (80, 52), (140, 52), (82, 62), (138, 64)
    points[[17, 21, 22, 26, 24, 37, 44]] = (50, 58), (95, 58), (125, 58), (170, 58), (142, 52), (78, 68), (142, 68)
    points[[33, 48, 51, 54, 57]] = (110, 130), (85, 160), (110, 150), (135, 160), (110, 172)
    landmarks = np.zeros((478, 2), np.float32)
    landmarks[LANDMARKS_68] = points
    random = np.random.default_rng(seed)
    views = [FaceView(0, 0, n, n / 30, 0.0, random.integers(0, 255, (224, 224, 3), np.uint8), landmarks, (0, 0, 9, 9), 0.0, 0.3) for n in range(3)]
    return Keyframes(*views, peak=2.0, threshold=1.0)


def test_a_macro_expression_is_named_by_a_network_that_was_trained_on_such(shy, keyframes):
    file, change = shy
    macro = replace(keyframes, kind="macro")
    label, scores = Recognizer(str(file))(macro)
    assert label == "unsure" and Recognizer(str(file))(keyframes)[0] != "unsure"
    change(macro=True)
    assert Recognizer(str(file))(macro) == (max(scores, key=scores.get), scores)


def test_a_network_that_is_not_sure_enough_says_so(shy, keyframes):
    file, change = shy
    change(calibration={"abstain_below": 0.0})
    label, scores = Recognizer(str(file))(keyframes)
    assert label == max(scores, key=scores.get)
    change(calibration={"abstain_below": 1.01})
    assert Recognizer(str(file))(keyframes) == ("unsure", scores)


def test_a_network_that_takes_something_unknown_is_refused(shy):
    file, change = shy
    change(takes="sound")
    with pytest.raises(ModelError, match="takes 'sound': expected one of"):
        Recognizer(str(file))


def test_which_engines_are_at_work_is_said_in_words(monkeypatch):
    chosen = []
    monkeypatch.setattr(recognizer, "Flow", lambda engine: chosen.append(engine) or Flow("cpu"))
    assert Recognizer("kernel_ridge", "cpu").engines == "kernel_ridge on ONNX Runtime, CPU; flow on CPU"
    Recognizer("kernel_ridge")
    assert chosen == ["cpu", "auto"]


def test_streams_share_a_network_of_the_zoo_but_not_a_file(shy):
    file, _ = shy
    first = network("kernel_ridge", "cpu")
    assert network("kernel_ridge", "cpu") is first and network(str(file)) is not network(str(file))


def test_an_engine_that_is_not_there_is_one_line(monkeypatch):
    monkeypatch.setenv("MER_NO_GPU", "1")
    with pytest.raises(ModelError, match="cannot run on TensorRT here"):
        Recognizer("kernel_ridge", "tensorrt")


def test_a_gpu_that_fails_in_mid_stream_costs_no_event(monkeypatch, tmp_path, notices):
    """The demo clip, the networks on a GPU (made of numpy) that fails after the second event."""
    failure = "cuMemcpyHtoDAsync failed: out of memory"
    monkeypatch.setenv("MER_ENGINES", str(tmp_path / "engines"))
    monkeypatch.setattr(networks, "_shared", {})  # not those of other tests
    gpu, asked = fake_gpu.install(monkeypatch), []
    for name in ("kernel_ridge", "verifier"):
        gpu.engine_of(Network(name, engine="cpu"), Store())
    named = Recognizer("kernel_ridge", flow=Flow("cpu"))
    assert "Fake GPU 3000" in named.engines and not notices

    class Remembering:
        name, classes, until_apex, warm = named.name, named.classes, named.until_apex, staticmethod(lambda: None)

        def __call__(self, keyframes, flow=None):
            asked.append(keyframes)
            if len(asked) == 3:
                gpu.fail(failure)
            return named(keyframes, flow)

    pipeline = Pipeline("demo", PipelineSettings(), wait=True, recognizer=Remembering())
    events = []
    with open_source(DEMO) as source:
        for frame in source:
            events += [known.event for known in pipeline(frame).events]
    events += [known.event for known in pipeline.finish()]
    assert len(events) == len(asked) >= 5 and 1 in gpu.runs
    assert {line.split(":")[0] for line in notices} >= {"kernel_ridge"} and all(failure in line for line in notices)
    assert "CPU" in named.engines and "Fake" not in named.engines
    on_cpu = Recognizer("kernel_ridge", "cpu")
    for event, keyframes in zip(events, asked, strict=True):
        label, scores = on_cpu(keyframes)
        assert event.label == label and event.scores == pytest.approx(scores, abs=1e-5)


@pytest.fixture
def maps_on_gpu(monkeypatch):
    """A GPU made of numpy whose flow maps the CPU computes. `.batches`: how many movements each launch had."""
    gpu = fake_gpu.install(monkeypatch)
    gpu.batches = []

    def flow_maps(items, face, size, smoothing):
        assert (face, size, smoothing) == (flow_map.FACE, flow_map.MAP, flow_map.SMOOTHING)
        gpu.batches.append(len(items))
        if gpu.failure:
            raise GpuLost(gpu.failure)
        faces = [(crop(onset, box), crop(apex, box)) for onset, apex, box in items]
        return gpu.put(np.concatenate([flow_map.from_map(flow_map.flow_map(*pair))["full_face"] for pair in faces]))

    def puzzles(maps, boxes):
        assert boxes == dual_atme.PUZZLE
        cut = [dual_atme.puzzle(one.transpose(1, 2, 0)).transpose(2, 0, 1) for one in maps.numpy()]
        return gpu.put(np.stack(cut).astype(np.float32))

    monkeypatch.setattr(cuda, "flow_maps", flow_maps)
    monkeypatch.setattr(cuda, "puzzles", puzzles)
    monkeypatch.setattr(cuda, "ready", lambda: None)
    monkeypatch.setattr(cuda, "tvl1_many", cpu.tvl1_many)
    monkeypatch.setattr(networks, "_shared", {})
    return gpu


@pytest.mark.parametrize("kind", ["dual_atme", "dual_atme_map", "flow_map"])
def test_movements_of_several_streams_are_named_in_one_batch_on_the_gpu(maps_on_gpu, tmp_path, monkeypatch, kind):
    monkeypatch.setenv("MER_ENGINES", str(tmp_path / "engines"))
    name = "kernel_ridge" if kind == "flow_map" else "dual_atme"
    about = json.loads((ZOO / f"{name}.json").read_text("utf-8")) | {"takes": kind}
    (tmp_path / "net.json").write_text(json.dumps(about), "utf-8")
    (tmp_path / "net.onnx").write_bytes((ZOO / f"{name}.onnx").read_bytes())
    file = str(tmp_path / "net.onnx")
    maps_on_gpu.engine_of(Network(file, engine="cpu"), Store())

    several = [random_keyframes(seed) for seed in range(8)]
    expected = [Recognizer(file, "cpu")(one) for one in several]
    on_gpu = Recognizer(file)
    assert "Fake GPU 3000, fp32; flow on CUDA, Fake GPU 3000" in on_gpu.engines
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(on_gpu, several))
    for (label, scores), (expected_label, expected_scores) in zip(found, expected, strict=True):
        assert label == expected_label and scores == pytest.approx(expected_scores, abs=1e-5)
    assert max(maps_on_gpu.batches) > 1 and maps_on_gpu.copies.count("htod") <= 8  # the warm-up; inputs came from there


def test_two_sessions_with_other_engines_leave_each_other_alone(maps_on_gpu):
    here, there, keyframes = Recognizer("kernel_ridge", "cpu"), Recognizer("kernel_ridge"), random_keyframes(1)
    for _ in range(2):
        assert here(keyframes) == there(keyframes)
    assert maps_on_gpu.batches == [1, 1]  # of the one that is on the GPU
    assert (here.engines[-3:], there.engines[-13:]) == ("CPU", "Fake GPU 3000")
    Recognizer("kernel_ridge", "cpu")
    assert there(keyframes) == here(keyframes) and maps_on_gpu.batches == [1, 1, 1]


def test_a_flow_that_fails_on_the_gpu_is_computed_on_the_cpu(maps_on_gpu, notices):
    expected = Recognizer("kernel_ridge", "cpu")(random_keyframes(1))
    on_gpu = Recognizer("kernel_ridge")
    notices.clear()  # that there is no engine for it
    maps_on_gpu.fail("launch failed: the device is lost")
    for _ in range(2):
        assert on_gpu(random_keyframes(1)) == expected
    assert len(notices) == 1 and "device is lost" in notices[0] and maps_on_gpu.batches == [1]  # asked once, never again


def test_a_movement_without_a_face_harms_no_other_of_its_batch(maps_on_gpu):
    bad = random_keyframes(2)
    bad.onset.landmarks[:] = 0
    on_gpu = Recognizer("dual_atme")
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(on_gpu, one) for one in (random_keyframes(1), bad, random_keyframes(1), random_keyframes(1))]
        results = [call.exception() or call.result() for call in calls]
    assert isinstance(results[1], ValueError)
    assert results[0] == results[2] == results[3] and not isinstance(results[0], Exception)


@needs_tensorrt
@pytest.mark.parametrize("name", ["kernel_ridge", "dual_atme", "skd_tstsan"])
def test_the_demo_clips_movements_are_named_alike_by_engines_on_a_real_gpu(name, monkeypatch, tmp_path):
    """Flow, maps and network there, several at a time, beside the CPU."""
    from engines.tensorrt.build import build

    monkeypatch.setenv("MER_ENGINES", str(tmp_path / "engines"))
    monkeypatch.setattr(networks, "_shared", {})
    cpu = Network(name, engine="cpu")
    plan, manifest = build(cpu.manifest, cpu.path.read_bytes())
    Store().save(manifest, plan)
    named_alike(name, "tensorrt", 0.03)


@needs_provider
@pytest.mark.parametrize("name", naming())
def test_the_demo_clips_movements_are_named_alike_on_a_real_gpu(name):
    named_alike(name, "onnx", 2e-3)


def named_alike(name, engine, tolerance):
    movements = examples.movements()
    expected = [Recognizer(name, "cpu")(one) for one in movements]
    on_gpu = Recognizer(name, engine)
    assert on_gpu.engines.count("CPU") == 0 and "flow on CUDA" in on_gpu.engines
    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(on_gpu, movements * 4))
    for (label, scores), (expected_label, expected_scores) in zip(found, expected * 4, strict=True):
        assert label == expected_label and scores == pytest.approx(expected_scores, abs=tolerance)


@needs_provider
def test_a_whole_stream_has_the_same_events_on_a_real_gpu(monkeypatch):
    """The demo clip, spotted, verified and named on the GPU. Read by OpenCV: machines with a GPU may lack PyAV."""
    monkeypatch.setattr(networks, "_shared", {})
    on_cpu, on_gpu = events_of_the_clip("cpu"), events_of_the_clip("onnx")
    assert len(on_cpu) == len(on_gpu) >= 5
    for one, other in zip(on_cpu, on_gpu, strict=True):
        assert (one.onset_s, one.apex_s, one.offset_s, one.label, one.kind) == (other.onset_s, other.apex_s, other.offset_s, other.label, other.kind)
        assert one.scores == pytest.approx(other.scores, abs=2e-3)


def events_of_the_clip(engine):
    clip, events = cv2.VideoCapture(str(DEMO)), []
    pipeline, rate = Pipeline("demo", PipelineSettings(engine=engine), wait=True), clip.get(cv2.CAP_PROP_FPS)
    assert ("CUDA" in pipeline.recognize.engines) == (engine != "cpu")
    while (read := clip.read())[0]:
        number = int(clip.get(cv2.CAP_PROP_POS_FRAMES)) - 1
        events += pipeline(Frame(read[1], number, number / rate, time.monotonic())).events
    return [known.event for known in events + pipeline.finish()]
