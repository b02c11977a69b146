"""Detectors from configuration. A new family is a module with a decoder and a line in `FAMILIES`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anonflow.config import DetectorConfig
from anonflow.detect import centerface
from anonflow.detect.base import Detector
from anonflow.detect.centerface import CenterFace
from anonflow.detect.network import Decoder, InputLayout, NetworkDetector
from anonflow.detect.priors import Priors
from anonflow.detect.session import open_session
from anonflow.detect.yolo import YoloV5, YoloV8, YoloX
from anonflow.detect.yunet import YuNet
from anonflow.errors import ConfigError

FAMILIES: dict[str, Callable[..., Decoder]] = {
    "centerface": CenterFace,
    "priors": Priors,
    "yolov5": YoloV5,
    "yolov8": YoloV8,
    "yolox": YoloX,
    "yunet": YuNet,
}
"""Decoder of each family; its arguments are the keys of `model.decoder`."""

ADAPTATIONS: dict[str, Callable[[bytes], bytes]] = {"centerface": centerface.free_input_size}
"""What is changed in the verified weights of a family before they are opened."""


def build_detector(config: DetectorConfig, weights: bytes, labels: tuple[str, ...], provider: str) -> Detector:
    """The detector that `config` describes, with verified `weights`, on `provider` (`auto`, `cpu` or `cuda`).

    `labels` is the run's vocabulary; classes of the boxes are positions in it. Raises `ConfigError` for an unknown
    family, label or decoder argument, `ProviderError` and `ModelError` as `open_session`.
    """
    model = config.model
    decoder = build_decoder(model.family, model.decoder)
    adapt = ADAPTATIONS.get(model.family, bytes)
    session = open_session(model.id, adapt(weights), decoder.output_names, provider, config.batch_size)
    codes = label_codes(model.classes, labels)
    return NetworkDetector(model.id, session, decoder, codes, config.floor, config.nms_iou)


def build_decoder(family: str, arguments: Mapping[str, Any]) -> Decoder:
    """The decoder of a family from the values of `model.decoder`; `input` holds those of `InputLayout`."""
    if family not in FAMILIES:
        raise ConfigError(f"model.family={family} is unknown; choose one of: {', '.join(sorted(FAMILIES))}")
    layout = _construct(InputLayout, "model.decoder.input", arguments.get("input", {}))
    decoder: Decoder = _construct(FAMILIES[family], "model.decoder", {**arguments, "input": layout})
    return decoder


def label_codes(classes: Mapping[int, str], labels: tuple[str, ...]) -> NDArray[np.int16]:
    """Label code of each of a model's classes (classes,), -1 for those that are not of interest."""
    if unknown := sorted(set(classes.values()) - set(labels)):
        raise ConfigError(f"model.classes names labels that the run does not have: {', '.join(unknown)}")
    codes = np.full(max(classes, default=-1) + 1, -1, np.int16)
    for model_class, label in classes.items():
        codes[model_class] = labels.index(label)
    return codes


def _construct(kind: Callable[..., Any], where: str, values: Mapping[str, Any]) -> Any:
    known = {f.name for f in fields(kind) if f.init}  # type: ignore[arg-type]  # all kinds are dataclasses
    if unknown := sorted(set(values) - known):
        raise ConfigError(f"{where} has unknown keys: {', '.join(unknown)}; known: {', '.join(sorted(known))}")
    try:
        return kind(**{key: _frozen(value) for key, value in values.items()})
    except TypeError as error:
        raise ConfigError(f"{where} is incomplete: {error}") from error


def _frozen(value: Any) -> Any:
    """Lists as tuples, all the way down: decoders are values."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list | tuple) else value
