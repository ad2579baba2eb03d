"""ONNX Runtime's CUDA provider, made of its CPU: sessions, I/O binding, values on the GPU of `fake_gpu`, recorded graphs."""

import threading
from types import SimpleNamespace

import numpy as np

from engines import device, onnx_cuda


class FakeProvider:
    """ONNX Runtime's CUDA provider, answered by its CPU; `gpu`: the stand-in whose memory it reads, None without pycuda.

    batches: of each run. bound: "host" or "device" for each input. room: samples that its memory holds. failure: text of
    every run from now on. broken: it does not start. graphs: the options of each session that is recorded; replayed: the runs of
    these; unrecordable: what recording fails with; stale: a graph answers the first sample for ever.
    """

    def __init__(self, monkeypatch, gpu=None):
        import onnxruntime

        onnx_cuda._preload.cache_clear()
        self.gpu, self.batches, self.bound, self.steps, self.sessions = gpu, [], [], [], []
        self.room, self.failure, self.broken, self.wrong = 1 << 20, None, False, 0.0
        self.graphs, self.replayed, self.unrecordable, self.stale = [], 0, None, False
        real = onnxruntime.InferenceSession

        def session(model, options=None, providers=(), **kwargs):
            names = [each if isinstance(each, str) else each[0] for each in providers]
            made = real(model, options, providers=["CPUExecutionProvider"])
            if "CUDAExecutionProvider" not in names:
                return made
            if providers[0][1].get("enable_cuda_graph") == "1":
                assert made.get_inputs()[0].shape[0] == 1 or options is None
                self.graphs.append(dict(providers[0][1]))
                return _GraphSession(self, made)
            self.steps.append("session")
            self.sessions.append((dict(providers[0][1]), kwargs))
            return _CudaSession(self, made)

        monkeypatch.setattr(onnxruntime, "InferenceSession", session)
        monkeypatch.setattr(onnxruntime, "OrtValue", SimpleNamespace(ortvalue_from_numpy=lambda *place: _Value(gpu, *place)))
        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"])
        monkeypatch.setattr(onnxruntime, "preload_dlls", self._preload)

    def _preload(self):
        self.steps.append("preload")
        if self.broken:
            print("Failed to load libcudnn.so.9: cannot open shared object file")


class _CudaSession:
    def __init__(self, provider, real):
        self.provider, self.real = provider, real
        self.get_inputs, self.get_outputs = real.get_inputs, real.get_outputs

    def get_providers(self):
        return ["CPUExecutionProvider"] if self.provider.broken else ["CUDAExecutionProvider", "CPUExecutionProvider"]

    def disable_fallback(self):
        self.provider.steps.append("no fallback")

    def io_binding(self):
        return _Binding(self.provider)

    def run_with_iobinding(self, binding):
        provider = self.provider
        count = next(iter(binding.inputs.values())).shape[0]
        if provider.failure:
            raise RuntimeError(provider.failure)
        if count > provider.room:
            raise RuntimeError("BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer of size 77070336\nmore")
        provider.batches.append(count)
        binding.answer = self.real.run([binding.output], binding.inputs)[0] + provider.wrong


class _GraphSession(_CudaSession):
    """Runs in memory that was bound once."""

    def disable_fallback(self):
        pass

    def run_with_iobinding(self, binding):
        provider = self.provider
        if provider.failure or provider.unrecordable:
            raise RuntimeError(provider.failure or provider.unrecordable)
        assert device._keeper == threading.get_ident() or device._inside, "nothing keeps another thread from allocating"
        if not provider.stale or not hasattr(binding, "answer"):
            inputs = {name: value.numpy() for name, value in binding.inputs.items()}
            binding.answer = self.real.run([binding.output], inputs)[0] + provider.wrong
        binding.there.put(binding.answer)
        provider.replayed += 1


class _Value:
    """An OrtValue on the GPU; without a stand-in for pycuda, somewhere."""

    def __init__(self, gpu, array, kind, number):
        assert (kind, number, array.dtype) == ("cuda", 0, np.float32)
        self.gpu, self.shape, self.array = gpu, array.shape, array.copy()
        self.memory = gpu and gpu.cuda.mem_alloc(array.nbytes, check=False)
        self.put(array)

    def put(self, array):
        assert array.shape == self.shape
        self.array = array.copy()
        if self.gpu:
            self.gpu.at(int(self.memory), array.nbytes)[:] = array.tobytes()

    update_inplace = put

    def data_ptr(self):
        return int(self.memory)

    def numpy(self):
        if not self.gpu:
            return self.array
        return np.frombuffer(bytes(self.gpu.at(int(self.memory), self.array.nbytes)), np.float32).reshape(self.shape)


class _Binding:
    def __init__(self, provider):
        self.provider, self.inputs = provider, {}

    def bind_cpu_input(self, name, array):
        assert array.flags.c_contiguous and array.dtype == np.float32
        self.provider.bound.append("host")
        self.inputs[name] = array

    def bind_input(self, name, device_type, device_id, element_type, shape, pointer):
        assert (device_type, device_id, element_type) == ("cuda", 0, np.float32)
        self.provider.bound.append("device")
        raw = bytes(self.provider.gpu.at(pointer, 4 * int(np.prod(shape))))
        self.inputs[name] = np.frombuffer(raw, np.float32).reshape(shape)

    def bind_ortvalue_input(self, name, value):
        self.inputs[name] = value

    def bind_ortvalue_output(self, name, value):
        self.output, self.there = name, value

    def bind_output(self, name, device_type):
        assert device_type == "cpu"
        self.output = name

    def synchronize_outputs(self):
        pass

    def copy_outputs_to_cpu(self):
        return [self.answer]
