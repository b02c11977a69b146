from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from anonflow.detect import session
from anonflow.detect.session import Session, cuda_failure, open_session, usable_provider
from anonflow.errors import DeviceLostError, ModelError, OutOfMemoryError, ProviderError


def network(shape: list[Any], with_batch_axis: bool = True) -> bytes:
    """Doubles its input `x`: output `y` as it is, and `z`, for one picture, without its batch axis."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)
    nodes = [helper.make_node("Add", ["x", "x"], ["y"])]
    outputs = [y]
    if not with_batch_axis:
        outputs.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [3, None]))
        shape_of_z = helper.make_tensor("shape", TensorProto.INT64, [2], [3, -1])
        nodes.append(helper.make_node("Reshape", ["y", "shape"], ["z"]))
        graph = helper.make_graph(nodes, "g", [x], outputs, [shape_of_z])
    else:
        graph = helper.make_graph(nodes, "g", [x], outputs)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()


FREE = network(["n", 3, "h", "w"])


@pytest.fixture
def fresh_probe() -> Iterator[None]:
    """CUDA is probed once a process: forget it around a test that changes what there is."""
    cuda_failure.cache_clear()
    yield
    cuda_failure.cache_clear()


class CountingRuntime:
    """Stands for an ONNX Runtime session: doubles its input and remembers how large the batches were."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def get_inputs(self) -> list[Any]:
        return [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])]

    def run(self, names: object, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        self.batches.append(len(feed["x"]))
        return [feed["x"] * 2]


def test_a_free_network_runs_any_size() -> None:
    opened = open_session("m", FREE, (), "cpu", 8)
    blob = np.random.default_rng(0).normal(size=(3, 3, 32, 64)).astype(np.float32)
    assert opened.input_size is None
    np.testing.assert_array_equal(opened.run(blob)[0], blob * 2)


def test_a_fixed_network_says_its_size_as_width_and_height() -> None:
    assert open_session("m", network([1, 3, 240, 320]), (), "cpu", 1).input_size == (320, 240)


def test_a_cpu_runs_pictures_one_by_one() -> None:
    """Otherwise the bits that come out could hang on where a chunk begins."""
    assert open_session("m", FREE, (), "cpu", 8).batch_size == 1


def test_a_fixed_batch_is_kept() -> None:
    opened = open_session("m", network([4, 3, 32, 32]), (), "cpu", 1)
    assert opened.batch_size == 4
    assert opened.run(np.ones((5, 3, 32, 32), np.float32))[0].shape == (5, 3, 32, 32)


@pytest.mark.parametrize(("n_pictures", "n_runs"), [(1, 1), (4, 1), (5, 2), (9, 3)])
def test_every_run_has_the_full_batch(n_pictures: int, n_runs: int) -> None:
    runtime = CountingRuntime()
    blob = np.arange(n_pictures * 3, dtype=np.float32).reshape(n_pictures, 3, 1, 1)
    outputs = Session("cuda", runtime, (), 4).run(blob)
    assert runtime.batches == [4] * n_runs
    np.testing.assert_array_equal(outputs[0], blob * 2)


class SmallRuntime(CountingRuntime):
    """Has memory for so many pictures at once; fails otherwise with what a runtime says."""

    def __init__(self, room: int, failure: Exception) -> None:
        super().__init__()
        self._room, self._failure = room, failure

    def run(self, names: object, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
        if len(feed["x"]) > self._room:
            raise self._failure
        return super().run(names, feed)


OUT_OF_MEMORY = (
    ort_errors.RuntimeException("BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer"),
    ort_errors.Fail("CUDA failure 2: out of memory ; GPU=0"),
    RuntimeError("CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED"),
)


@pytest.mark.parametrize("failure", OUT_OF_MEMORY)
def test_too_large_a_batch_for_the_gpu_is_halved_until_it_fits(failure: Exception) -> None:
    runtime = SmallRuntime(2, failure)
    opened = Session("cuda", runtime, (), 8)
    blob = np.arange(27, dtype=np.float32).reshape(9, 3, 1, 1)
    np.testing.assert_array_equal(opened.run(blob)[0], blob * 2)
    assert opened.batch_size == 2 and runtime.batches == [2] * 5
    opened.run(blob[:1])
    assert runtime.batches == [2] * 6, "what once did not fit is not tried again"


@pytest.mark.parametrize(("batch_size", "is_fixed"), [(8, False), (1, False), (4, True)])
def test_no_memory_for_the_smallest_batch_is_an_error_with_a_remedy(batch_size: int, is_fixed: bool) -> None:
    opened = Session("cuda", SmallRuntime(0, OUT_OF_MEMORY[0]), (), batch_size, is_fixed)
    with pytest.raises(OutOfMemoryError, match=r"long_side_px.*num_gpus") as caught:
        opened.run(np.ones((3, 3, 1, 1), np.float32))
    assert caught.value.transient


def test_a_gpu_that_fails_otherwise_is_lost() -> None:
    opened = Session("cuda", SmallRuntime(0, ort_errors.Fail("CUDA failure 700: an illegal memory access")), (), 4)
    with pytest.raises(DeviceLostError, match="illegal memory access"):
        opened.run(np.ones((3, 3, 1, 1), np.float32))
    assert opened.batch_size == 4


def test_a_network_that_fails_on_the_cpu_is_named() -> None:
    opened = open_session("m", network([1, 3, 8, 8]), (), "cpu", 1)
    with pytest.raises(ModelError, match="cannot be run"):
        opened.run(np.ones((1, 3, 9, 9), np.float32))


def test_an_output_without_a_batch_axis_gets_one() -> None:
    opened = open_session("m", network([1, 3, 2, 2], with_batch_axis=False), ("z",), "cpu", 1)
    assert opened.run(np.ones((2, 3, 2, 2), np.float32))[0].shape == (2, 3, 4)


def test_outputs_come_in_the_order_asked_for() -> None:
    opened = open_session("m", network([1, 3, 2, 2], with_batch_axis=False), ("z", "y"), "cpu", 1)
    assert [output.ndim for output in opened.run(np.ones((1, 3, 2, 2), np.float32))] == [3, 4]


def test_one_thread_that_does_not_spin(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[onnxruntime.SessionOptions] = []
    real = onnxruntime.InferenceSession

    def spy(weights: bytes, options: onnxruntime.SessionOptions, **rest: Any) -> Any:
        seen.append(options)
        return real(weights, options, **rest)

    monkeypatch.setattr(onnxruntime, "InferenceSession", spy)
    open_session("m", FREE, (), "cpu", 1)
    assert (seen[0].intra_op_num_threads, seen[0].inter_op_num_threads) == (1, 1)
    assert seen[0].get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_an_unknown_output_is_named_with_those_there_are() -> None:
    with pytest.raises(ModelError, match=r"no output named boxes \(it has y\)"):
        open_session("m", FREE, ("boxes",), "cpu", 1)


@pytest.mark.parametrize("weights", [b"", b"no network at all", FREE[: len(FREE) // 2]])
def test_bytes_that_are_no_network_are_named(weights: bytes) -> None:
    with pytest.raises(ModelError, match="Model m cannot be opened"):
        open_session("m", weights, ("y",), "cpu", 1)


def test_auto_is_cuda_exactly_where_it_is_usable() -> None:
    expected = "cuda" if cuda_failure() is None else "cpu"
    assert usable_provider("auto") == expected
    assert open_session("m", FREE, (), "auto", 2).provider == expected


def test_cuda_that_is_not_built_in_is_an_error_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, fresh_probe: None
) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    assert usable_provider("auto") == "cpu"
    with pytest.raises(ProviderError, match=r"no CUDA support.*anonflow\[cuda\].*runtime\.provider"):
        usable_provider("cuda")


def test_a_silent_fall_back_to_the_cpu_is_noticed(monkeypatch: pytest.MonkeyPatch, fresh_probe: None) -> None:
    real = session._open
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr(session, "_preload_cuda_libraries", lambda: None)
    monkeypatch.setattr(session, "_open", lambda weights, provider: real(weights, "CPUExecutionProvider"))
    with pytest.raises(ProviderError, match="could not load"):
        open_session("m", FREE, (), "cuda", 1)


def test_a_device_that_fails_is_noticed(monkeypatch: pytest.MonkeyPatch, fresh_probe: None) -> None:
    def fail(weights: bytes, provider: str) -> None:
        raise RuntimeError("CUDA failure 100: no CUDA-capable device\nwith a long trace")

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr(session, "_preload_cuda_libraries", lambda: None)
    monkeypatch.setattr(session, "_open", fail)
    with pytest.raises(ProviderError, match=r"no CUDA-capable device\. Install"):
        usable_provider("cuda")


def test_the_probe_says_nothing(capfd: pytest.CaptureFixture[str], fresh_probe: None) -> None:
    usable_provider("auto")
    assert capfd.readouterr() == ("", "")


@pytest.mark.gpu
def test_cuda_agrees_with_the_cpu() -> None:
    if (failure := cuda_failure()) is not None:
        pytest.skip(failure)
    blob = np.random.default_rng(0).normal(size=(3, 3, 32, 64)).astype(np.float32)
    on_gpu = open_session("m", FREE, (), "cuda", 2)
    assert on_gpu.provider == "cuda"
    np.testing.assert_allclose(on_gpu.run(blob)[0], open_session("m", FREE, (), "cpu", 1).run(blob)[0], rtol=1e-5)
