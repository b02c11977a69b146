from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from anonflow.detect.families import FAMILIES, build_decoder, build_detector, label_codes
from anonflow.detect.network import InputLayout
from anonflow.detect.priors import Priors
from anonflow.errors import ConfigError
from tests.detect.conftest import CASES, ROOT, detector_config, model_config

MODELS = sorted(path.stem for path in (ROOT / "conf/model").glob("*.yaml"))


def test_every_model_has_a_contract_case() -> None:
    assert sorted(case.name for case in CASES if not case.combined) == MODELS


@pytest.mark.parametrize("name", MODELS)
def test_every_model_configuration_is_complete(name: str) -> None:
    config = model_config(name)
    build_decoder(config.family, config.decoder)
    assert len(config.sha256) == 64
    assert config.licence
    assert config.origin
    assert config.uri.startswith(("pypi:", "file:"))
    assert set(config.classes.values()) <= {"face", "plate", "person"}


def test_every_family_but_v8_is_at_work() -> None:
    """No permissively licensed v8 weights are at hand; its layout has unit tests."""
    assert {model_config(name).family for name in MODELS} == set(FAMILIES) - {"yolov8"}


def test_decoders_are_values() -> None:
    arguments = {
        "input": {"mean": [1, 2, 3]},
        "output_names": ["a", "b"],
        "strides_px": [8],
        "sizes_px": [[16, 32]],
    }
    decoder = build_decoder("priors", arguments)
    assert decoder == Priors(InputLayout(mean=(1, 2, 3)), ("a", "b"), (8,), ((16, 32),))
    assert hash(decoder) == hash(build_decoder("priors", arguments))


def test_an_unknown_family_is_told_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"yolov9 is unknown; choose one of: centerface, priors"):
        build_decoder("yolov9", {})


def test_an_unknown_argument_is_told_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"model\.decoder has unknown keys: stride; known: input"):
        build_decoder("yunet", {"stride": 8})
    with pytest.raises(ConfigError, match=r"model\.decoder\.input has unknown keys: bgr"):
        build_decoder("yunet", {"input": {"bgr": True}})


def test_a_missing_argument_is_named() -> None:
    with pytest.raises(ConfigError, match="output_names"):
        build_decoder("centerface", {})


def test_labels_become_codes_of_the_runs_vocabulary() -> None:
    codes = label_codes({0: "plate", 3: "face", 2: "plate"}, ("face", "person", "plate"))
    assert codes.tolist() == [2, -1, 2, 0]
    assert codes.dtype == np.int16


def test_a_label_outside_the_vocabulary_is_an_error() -> None:
    with pytest.raises(ConfigError, match="plate"):
        label_codes({0: "plate"}, ("face",))


def test_a_wrong_family_is_an_error_before_anything_is_opened(tmp_path: Path) -> None:
    config = detector_config("yunet_n")
    object.__setattr__(config.model, "family", "unheard")
    with pytest.raises(ConfigError):
        build_detector(config, b"", ("face",), "cpu")
