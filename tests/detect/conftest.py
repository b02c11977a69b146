"""Models, pictures and little helpers that the tests of `anonflow.detect` share."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from anonflow.config import AugmentConfig, DetectorConfig, MemberConfig, MergeConfig, ModelConfig, TilesConfig
from anonflow.detect.base import Detector, fit
from anonflow.detect.combined import open_detector
from anonflow.detect.fetch import fetch_pypi_file
from anonflow.detect.models import ModelStore
from anonflow.errors import ModelError
from anonflow.types import Boxes, FloatArray, Picture

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT / "../shared"


@dataclass(frozen=True)
class Case:
    """A model at work: its file in conf/model, its size, and where pictures with its objects lie."""

    name: str
    long_side_px: int
    floor: float
    labels: tuple[str, ...]
    quiet_on: tuple[int, ...] = (0, 127, 255)
    """Even grey values on which it rightly finds nothing."""
    combined: str = ""
    """How the model is combined, a key of `COMBINED`; alone if empty."""

    @property
    def id(self) -> str:
        """Name of the case."""
        return f"{self.name} {self.combined}".strip()


CASES = [
    Case("retinaface_mnet025", 640, 0.1, ("face",)),
    Case("centerface", 640, 0.2, ("face",)),
    Case("yunet_n", 640, 0.3, ("face",)),
    Case("yunet_s", 640, 0.3, ("face",)),
    Case("ulfg", 640, 0.3, ("face",)),
    Case("clp_det", 960, 0.1, ("plate",)),
    Case("hyperlpr_y5fu", 320, 0.2, ("plate",)),
    Case("lpd_yunet", 320, 0.3, ("plate",), quiet_on=(0,)),
    Case("yolox_nano", 416, 0.2, ("person",)),
    Case("retinaface_mnet025", 640, 0.1, ("face",), combined="tiles"),
    Case("clp_det", 960, 0.1, ("plate",), combined="tiles"),
    Case("retinaface_mnet025", 640, 0.1, ("face",), combined="views"),
    Case("retinaface_mnet025", 640, 0.1, ("face",), combined="union"),
    Case("retinaface_mnet025", 640, 0.1, ("face",), combined="vote"),
    Case("retinaface_mnet025", 640, 0.1, ("face",), combined="wbf"),
]


def model_config(name: str) -> ModelConfig:
    """The model of `conf/model/NAME.yaml`."""
    return ModelConfig(**yaml.safe_load((ROOT / "conf/model" / f"{name}.yaml").read_text()))


def detector_config(name: str, **changes: Any) -> DetectorConfig:
    """A detector with the model `name`."""
    values: dict[str, Any] = {
        "long_side_px": 640,
        "max_upscale": 1.0,
        "threshold": 1.0,
        "keep_threshold": 1.0,
        "floor": 0.3,
        "nms_iou": 0.4,
        "batch_size": 4,
    }
    return DetectorConfig(model=model_config(name), **{**values, **changes})


def combined(how: str) -> dict[str, Any]:
    """The changes to a configuration that combine its model in this way."""
    # As large a picture as the first's: a vote finds only what both find.
    second = MemberConfig(model_config("centerface"), 640, 0.1, 0.4)
    merges = {"union": MergeConfig(), "vote": MergeConfig("vote", 0.4, 2), "wbf": MergeConfig("wbf", 0.4)}
    known: dict[str, dict[str, Any]] = {
        "": {},
        "tiles": {"tiles": TilesConfig(True, 256)},
        "views": {"augment": AugmentConfig(True, (0.75,))},
        **{method: {"members": {"second": second}, "merge": merge} for method, merge in merges.items()},
    }
    return known[how]


def open_case(case: Case, weights: Callable[[str], bytes], floor: float | None = None) -> Detector:
    """A case's detector on the CPU."""
    config = detector_config(
        case.name, long_side_px=case.long_side_px, floor=floor or case.floor, **combined(case.combined)
    )
    if floor:
        members = {name: replace(member, floor=floor) for name, member in config.members.items()}
        config = replace(config, members=members)
    ids = {model_config(path.stem).id: path.stem for path in (ROOT / "conf/model").glob("*.yaml")}
    return open_detector(config, lambda model: weights(ids[model.id]), case.labels, "cpu")


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    """Verified weights by name; the test is skipped where they cannot be had."""
    store = ModelStore(tmp_path_factory.mktemp("models"), [SHARED / "weights"])

    @cache
    def load(name: str) -> bytes:
        try:
            return store.load(model_config(name))
        except ModelError as error:
            if type(error) is not ModelError:
                raise
            pytest.skip(f"the weights of {name} are not to be had here: {error}")

    return load


@pytest.fixture(scope="session")
def detector(weights: Callable[[str], bytes]) -> Callable[[Case], Detector]:
    """The detector of a case, opened once on the CPU."""

    @cache
    def build(case: Case) -> Detector:
        return open_case(case, weights)

    return build


@pytest.fixture(scope="session")
def astronaut() -> Picture:
    """A public-domain portrait, 512 x 512; the one face is at `ASTRONAUT_FACE`."""
    try:
        png = fetch_pypi_file("scikit-image", "0.26.0", "skimage/data/astronaut.png")
    except ModelError as error:
        pytest.skip(f"the portrait is not to be had here: {error}")
    return np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR), np.uint8)


ASTRONAUT_FACE = np.array([174, 64, 274, 196], np.float32)
ASTRONAUT_PERSON = np.array([0, 0, 450, 512], np.float32)


@dataclass(frozen=True)
class Labelled:
    """A picture and its objects (n, 4) xyxy px; those that need not be found are in `ignored`."""

    picture: Picture
    boxes: FloatArray
    ignored: FloatArray


def shared_set(name: str, min_side_px: float = 0, kinds: tuple[str, ...] | None = None) -> list[Labelled]:
    """The pictures of `../shared/data/NAME` that hold objects, in their original aspect."""
    folder = SHARED / "data" / name
    if not folder.is_dir():
        pytest.skip(f"no ../shared/data/{name} here")
    coco = json.loads((folder / "annotations.coco.json").read_text())
    return [_labelled(folder, entry, coco["annotations"], min_side_px, kinds) for entry in coco["images"]]


def _labelled(
    folder: Path, entry: dict[str, Any], annotations: list[dict[str, Any]], min_side_px: float, kinds: Any
) -> Labelled:
    picture = np.asarray(cv2.imread(str(folder / entry["file_name"])), np.uint8)
    size = entry.get("original_width", entry["width"]), entry.get("original_height", entry["height"])
    rows = [a for a in annotations if a["image_id"] == entry["id"]]
    xywh = np.array([a["bbox"] for a in rows], np.float32).reshape(-1, 4)
    xyxy = np.hstack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]])
    xyxy *= np.tile(np.divide(size, (entry["width"], entry["height"])), 2).astype(np.float32)
    counts = np.array([kinds is None or a["difficulty"] in kinds for a in rows], bool)
    counts &= (xyxy[:, 2:] - xyxy[:, :2]).min(axis=1, initial=np.inf) >= min_side_px
    return Labelled(cv2.resize(picture, size).astype(np.uint8), xyxy[counts], xyxy[~counts])


def look(detector: Detector, picture: Picture, long_side_px: int, max_upscale: float = 4.0) -> Boxes:
    """What `detector` finds, in the pixels of the unshrunk picture."""
    height, width = picture.shape[:2]
    size = fit(width, height, long_side_px, max_upscale)
    found = detector.detect([cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8)])[0]
    scale = np.tile(np.divide((width, height), size), 2).astype(np.float32)
    return Boxes(found.xyxy * scale, found.scores, found.classes)


def pairwise_iou(a: FloatArray, b: FloatArray) -> FloatArray:
    """IoU of every box of `a` (n, 4) with every box of `b` (m, 4)."""
    common = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
    areas = np.prod(np.maximum(common, 0), axis=2)
    total = np.prod(a[:, 2:] - a[:, :2], axis=1)[:, None] + np.prod(b[:, 2:] - b[:, :2], axis=1)[None]
    return np.asarray(areas / (total - areas), np.float32)
