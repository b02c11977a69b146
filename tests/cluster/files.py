"""The recipes of `cluster/`, read for the tests that check them."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CLUSTER = ROOT / "cluster"
IMAGE = re.compile(r"[\w./-]+:\d+\.\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?$")


def recipes() -> list[Path]:
    """Every file of `cluster/`."""
    return sorted(path for path in CLUSTER.rglob("*") if path.is_file() and path.suffix != ".pyc")


def documents(name: str) -> list[dict[str, Any]]:
    """The YAML documents of a recipe."""
    return list(yaml.safe_load_all((CLUSTER / name).read_text()))


def document(name: str) -> dict[str, Any]:
    """The only YAML document of a recipe."""
    (only,) = documents(name)
    return only


def pinned() -> dict[str, str]:
    """Version of every package in constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(line.split("==", 1) for line in lines if "==" in line)


def program(name: str) -> str:
    """A program that the development dependencies bring."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    assert found, f"{name} is missing: pip install --constraint constraints.txt --editable '.[dev]'"
    return found


def values(node: Any, key: str) -> Iterator[Any]:
    """Whatever stands under `key`, anywhere in a document."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            yield from values(value, key)
    elif isinstance(node, list):
        for item in node:
            yield from values(item, key)
