from __future__ import annotations

from pathlib import Path

import pytest

from anonflow.errors import TruthError
from anonflow.evaluate.ground import Annotated, Annotations, Item, ground_truth

DATA = Path("data")
ITEMS = (Item(Path("a.jpg"), DATA), Item(Path("b.mp4"), DATA))
LABELS = ("face", "plate")


def row(item: int, label: str, frame: int = 0, **more: object) -> Annotated:
    return Annotated(item, (1, 2, 3, 4), label, f"line {frame}", frame=frame, **more)  # type: ignore[arg-type]


def found(*rows: Annotated, declared: tuple[str, ...] = ()) -> Annotations:
    return Annotations("coco", ITEMS, rows, declared)


def test_labels_are_mapped_left_out_and_kept() -> None:
    rows = found(row(1, "number plate", 3), row(0, "face"), row(1, "car", 1), row(1, "number plate", 2))
    got = ground_truth(rows, LABELS, {"number plate": "plate", "car": None}, DATA)
    assert got.judged == LABELS and got.objects.labels.tolist() == [0, 1, 1]
    assert got.objects.frames.tolist() == [0, 2, 3], "sorted by item and frame"
    assert got.objects.of_item(1).places.tolist() == ["line 2", "line 3"]


def test_an_unknown_label_says_what_is_there() -> None:
    with pytest.raises(TruthError) as raised:
        ground_truth(found(row(0, "car"), row(0, "car"), row(0, "face")), LABELS, {}, DATA)
    assert all(word in str(raised.value) for word in ("'car' (2)", "'face' (1)", "face, plate", "data.labels"))
    with pytest.raises(TruthError, match="label 'person' is none"):
        ground_truth(found(row(0, "car")), LABELS, {"car": "person"}, DATA)


def test_a_mapping_of_what_is_not_there_is_a_slip() -> None:
    with pytest.raises(TruthError, match="names 'plaet', which is not there"):
        ground_truth(found(row(0, "face")), LABELS, {"plaet": "plate"}, DATA)


def test_all_others_can_be_mapped_at_once() -> None:
    got = ground_truth(
        found(row(0, "face"), row(0, "man"), row(0, "lorry")), LABELS, {"*": None, "man": "face"}, DATA
    )
    assert got.objects.labels.tolist() == [0, 0] and got.judged == ("face",)


def test_declared_labels_are_judged_without_objects() -> None:
    got = ground_truth(found(declared=("plate",)), LABELS, {}, DATA)
    assert got.judged == ("plate",) and len(got.objects) == 0
    with pytest.raises(TruthError, match="nothing is left to judge"):
        ground_truth(found(), LABELS, {}, DATA)


def test_attributes_are_columns() -> None:
    rows = found(row(0, "face", attributes={"hat": "yes"}), row(0, "face", attributes={"pose": "side"}))
    got = ground_truth(rows, LABELS, {}, DATA).objects
    assert got.attributes["hat"].tolist() == ["yes", ""] and got[1:].attributes["pose"].tolist() == ["side"]
