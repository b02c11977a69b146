"""ONNX Runtime: one session per model, on a CUDA device where there is a usable one, else on the CPU.

A session runs on one thread without spinning: throughput comes from processes (a second thread doubles the CPU
time for little wall time). What a picture gives must not depend on how pictures are batched, or chunking could
change the result: a CPU runs them one by one (batches are slower there anyway), a GPU in batches of one size. Only
where its memory does not hold such a batch the size is halved, for the rest of the process, and said so.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import onnxruntime
from onnx import TensorProto, helper
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from anonflow.errors import DeviceLostError, ModelError, OutOfMemoryError, ProviderError
from anonflow.types import FloatArray

log = logging.getLogger(__name__)

_LOG_FATAL_ONLY = 4
_CPU = "CPUExecutionProvider"
_CUDA = "CUDAExecutionProvider"
_OPTIONS: dict[str, dict[str, str]] = {
    _CPU: {},
    # The same algorithm in every process, and the precision of a CPU.
    _CUDA: {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"},
}
_FAILURES = (
    RuntimeError,
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)
# For a process that imported it before `anonflow`, which sets what silences it altogether.
onnxruntime.disable_telemetry_events()
_NO_MEMORY = re.compile(r"out of memory|failed to allocate|ALLOC_FAILED|AllocateRaw|bad allocation", re.IGNORECASE)


@dataclass(eq=False)
class Session:
    """A network that is ready to run."""

    provider: str
    """What it runs on: `cpu` or `cuda`."""
    runtime: Any
    output_names: tuple[str, ...]
    """Outputs that `run` returns, in this order; empty: all."""
    batch_size: int
    """Pictures in each run of the network; a smaller batch is filled up."""
    is_fixed: bool = False
    """Whether the network takes batches of this size only."""

    @property
    def input_size(self) -> tuple[int, int] | None:
        """Fixed (width, height) of the input, or None when it is free."""
        height, width = self.runtime.get_inputs()[0].shape[2:]
        return (width, height) if isinstance(height, int) and isinstance(width, int) else None

    def run(self, blob: FloatArray) -> list[FloatArray]:
        """Outputs for a batch (n, 3, h, w) float32, each with n rows.

        Raises:
            OutOfMemoryError: there is too little memory even for one picture.
            DeviceLostError: a GPU failed otherwise; this process can use it no more.
            ModelError: the network cannot be run on the CPU.
        """
        while True:
            try:
                return self._run_groups(blob)
            except OutOfMemoryError:
                if self.is_fixed or self.batch_size == 1:
                    raise
                self.batch_size //= 2
                log.warning("GPU memory is short: %d pictures at once from here on", self.batch_size)

    def _run_groups(self, blob: FloatArray) -> list[FloatArray]:
        groups = [
            self._run_group(blob[start:][: self.batch_size]) for start in range(0, len(blob), self.batch_size)
        ]
        return [np.concatenate(parts) for parts in zip(*groups, strict=True)]

    def _run_group(self, group: FloatArray) -> list[FloatArray]:
        n_missing = self.batch_size - len(group)
        full = np.concatenate([group, np.repeat(group[-1:], n_missing, axis=0)]) if n_missing else group
        try:
            outputs = self.runtime.run(self.output_names or None, {self.runtime.get_inputs()[0].name: full})
        except _FAILURES as error:
            raise self._named(error) from error
        return [_with_batch_axis(output)[: len(group)] for output in outputs]

    def _named(self, error: Exception) -> OutOfMemoryError | ModelError:
        said = _first_line(error)
        if _NO_MEMORY.search(str(error)):
            return OutOfMemoryError(
                f"Too little memory for the network on {self.provider}: {said}. Lower the detector's long_side_px, "
                "give the GPU to fewer workers (runtime.detect.num_gpus=1), or set runtime.provider=cpu."
            )
        if self.provider == "cuda":
            return DeviceLostError(f"The GPU failed: {said}. Look at nvidia-smi and the kernel's log.")
        return ModelError(f"The network cannot be run: {said}. Use another model.")


def open_session(
    model_id: str, weights: bytes, output_names: tuple[str, ...], provider: str, batch_size: int
) -> Session:
    """Make a network ready on `provider` (`auto`, `cpu` or `cuda`).

    `batch_size` holds for a GPU and a network of free batch size. Raises `ProviderError` when `cuda` is asked for
    and cannot be used, `ModelError` when the weights are no network with these outputs.
    """
    used = usable_provider(provider)
    try:
        runtime = _open(weights, _CUDA if used == "cuda" else _CPU)
    except _FAILURES as error:
        raise ModelError(
            f"Model {model_id} cannot be opened by ONNX Runtime {onnxruntime.__version__} on {used}: "
            f"{_first_line(error)}. Use another model or, on cuda, a GPU with more free memory."
        ) from error
    _require_outputs(model_id, runtime, output_names)
    declared = runtime.get_inputs()[0].shape[0]
    free = batch_size if used == "cuda" else 1
    is_fixed = isinstance(declared, int)
    return Session(used, runtime, output_names, declared if is_fixed else free, is_fixed)


def usable_provider(requested: str) -> str:
    """`cpu` or `cuda`: what `auto`, `cpu` or `cuda` means on this machine.

    Raises `ProviderError` when `cuda` is asked for and cannot be used.
    """
    if requested == "cpu":
        return "cpu"
    failure = cuda_failure()
    if failure is None:
        return "cuda"
    if requested == "cuda":
        raise ProviderError(
            f"runtime.provider=cuda cannot be used on this machine: {failure}. Install the CUDA libraries with "
            "pip install 'anonflow[cuda]', check the GPU with nvidia-smi, or set runtime.provider=auto or cpu."
        )
    return "cpu"


@cache
def cuda_failure() -> str | None:
    """Why CUDA cannot be used on this machine, or None when it can. Tried once a process, with a tiny network.

    ONNX Runtime with CUDA support and without a usable device only logs an error and falls back to the CPU, so
    nothing less than a run tells.
    """
    if _CUDA not in onnxruntime.get_available_providers():
        return "this build of ONNX Runtime has no CUDA support"
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            _preload_cuda_libraries()
            session = _open(_tiny_network(), _CUDA)
        if _CUDA not in session.get_providers():
            return "ONNX Runtime could not load its CUDA provider (no GPU, driver or CUDA libraries)"
        session.run(None, {"x": np.ones((1, 1, 1, 1), np.float32)})
    except _FAILURES as error:
        return _first_line(error)
    return None


def _preload_cuda_libraries() -> None:
    """Load the CUDA libraries that pip installed; ONNX Runtime has the call since 1.21."""
    if hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()


def _tiny_network() -> bytes:
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, 1, 1]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "probe", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(model.SerializeToString())


def _open(weights: bytes, provider: str) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.use_deterministic_compute = True
    options.log_severity_level = _LOG_FATAL_ONLY
    onnxruntime.set_default_logger_severity(_LOG_FATAL_ONLY)
    providers = [(name, _OPTIONS[name]) for name in dict.fromkeys([provider, _CPU])]
    return onnxruntime.InferenceSession(weights, options, providers=providers, enable_fallback=0)


def _require_outputs(model_id: str, runtime: Any, output_names: tuple[str, ...]) -> None:
    has = [output.name for output in runtime.get_outputs()]
    if missing := sorted(set(output_names) - set(has)):
        raise ModelError(
            f"Model {model_id} has no output named {', '.join(missing)} (it has {', '.join(has)}): "
            "set model.family and model.decoder as the network needs them."
        )


def _with_batch_axis(output: FloatArray) -> FloatArray:
    """Networks for one picture may leave the axis out; all others have at least three axes."""
    return output if output.ndim >= 3 else output[np.newaxis]


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200].rstrip(".")
