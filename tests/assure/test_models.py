from __future__ import annotations

import hashlib
from dataclasses import asdict, replace
from pathlib import Path

from anonflow.assure.models import check_models, models_of_configuration, models_of_report
from anonflow.detect.models import ModelStore
from anonflow.pipeline.report import build_report
from tests.pipeline.worlds import configuration

CONFIG = configuration()
REPORT = build_report(CONFIG, "r", [], wall_s=1, passed_over={})


def test_the_report_names_its_models_twice_and_the_same() -> None:
    expected = {name: [detector.model.sha256] for name, detector in CONFIG.detector.items()}
    assert models_of_report(REPORT) == models_of_configuration(asdict(CONFIG)) == expected
    assert list(check_models(REPORT, [], ModelStore(Path("/nowhere")))) == []
    other = REPORT | {"models": [model | {"sha256": "0" * 64} for model in REPORT["models"]]}
    assert [point.name for point in check_models(other, [], ModelStore(Path("/nowhere")))] == ["models"]


def test_a_model_at_hand_is_the_one_of_the_run_or_is_named(tmp_path: Path) -> None:
    sha256 = hashlib.sha256(b"weights").hexdigest()
    model = replace(CONFIG.detector["face"].model, id="mine", uri="file:/gone/mine.onnx", sha256=sha256)
    store = ModelStore(tmp_path / "cache", [tmp_path])
    assert list(check_models(REPORT, [model], store)) == []
    (tmp_path / "mine.onnx").write_bytes(b"weights")
    assert list(check_models(REPORT, [model], store)) == []
    (tmp_path / "mine.onnx").write_bytes(b"Weights")
    (point,) = check_models(REPORT, [model], store)
    assert "mine.onnx is not the model mine" in point.detail
