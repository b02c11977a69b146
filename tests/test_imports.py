"""Dependencies point one way, heavy libraries have one door each, and every module has its tests."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LAYERS = (
    ("types", "errors"),
    ("remote",),
    ("config", "storage", "claims", "tables", "evidence", "kept", "page"),
    ("video", "picture", "detect", "track", "mask"),
    ("demo", "pipeline", "evaluate", "assure", "observe", "calibrate"),
    ("summary", "jobs", "cli"),
)
SIBLINGS = LAYERS[3]
DOORS = {
    "ray": {
        "anonflow.pipeline.graph",
        "anonflow.pipeline.cluster",
        "anonflow.pipeline.monitor",
        "anonflow.pipeline.metrics",
        "anonflow.pipeline.resources",
    },
    "hydra": {"anonflow.jobs"},
    "omegaconf": {"anonflow.jobs"},
    "pydantic": {"anonflow.jobs"},
    "yaml": {"anonflow.jobs", "anonflow.evaluate.formats.yolo"},
    "onnxruntime": {"anonflow.detect.session"},
    "av": {"anonflow.video"},
    "fsspec": {"anonflow.remote.access"},
    "PIL": {"anonflow.picture"},
    "jinja2": {"anonflow.page"},
    "markupsafe": {"anonflow.page"},
    "matplotlib": {"anonflow.page"},
    "jpeglib": {"anonflow.picture.coefficients"},
    "cryptography": {"anonflow.evidence.signing"},
    "openlineage": {"anonflow.observe.lineage"},
    "attr": {"anonflow.observe.lineage"},
}


def modules() -> dict[str, Path]:
    """Path of every module of the package, by its name; jobs and conf lie outside of the folder `anonflow`."""
    found = {}
    for folder, prefix in ((ROOT / "anonflow", "anonflow"), (ROOT / "jobs", "anonflow.jobs")):
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            found[".".join([prefix, *(p for p in parts if p != "__init__")])] = path
    return found


MODULES = modules()


def imports(path: Path) -> Iterator[str]:
    """Full names of everything that a module imports, at its top or in a function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part(name: str) -> str | None:
    """The part of the package (`video`, `types`) that a dotted name lies in; None for `anonflow` itself."""
    words = name.split(".")
    known = {p for layer in LAYERS for p in layer}
    return words[1] if words[0] == "anonflow" and len(words) > 1 and words[1] in known else None


def layer(name: str) -> int:
    """Number of the layer, lower ones first."""
    return next(n for n, parts in enumerate(LAYERS) if part(name) in parts)


def is_within(name: str, place: str) -> bool:
    return name == place or name.startswith(f"{place}.")


def test_every_part_has_its_layer() -> None:
    unknown = [name for name in MODULES if name != "anonflow" and part(name) is None]
    assert unknown == []


@pytest.mark.parametrize("module", sorted(MODULES))
def test_dependencies_point_one_way(module: str) -> None:
    if part(module) is None:
        return
    wrong = [
        name
        for name in imports(MODULES[module])
        if part(name) is not None and part(name) != part(module) and layer(name) > layer(module)
    ]
    assert wrong == []


@pytest.mark.parametrize("module", sorted(m for m in MODULES if part(m) in SIBLINGS))
def test_siblings_do_not_know_each_other(module: str) -> None:
    wrong = [name for name in imports(MODULES[module]) if part(name) in SIBLINGS and part(name) != part(module)]
    assert wrong == []


def test_evaluation_knows_no_pipeline() -> None:
    """What is measured is a mask plan, wherever it comes from."""
    modules = [m for m in MODULES if part(m) == "evaluate"]
    assert len(modules) > 5
    for module in modules:
        assert [name for name in imports(MODULES[module]) if part(name) in ("pipeline", "demo")] == []


def test_the_vocabulary_knows_nobody() -> None:
    for module in ("anonflow.types", "anonflow.errors"):
        assert [name for name in imports(MODULES[module]) if part(name) not in (None, *LAYERS[0])] == []


@pytest.mark.parametrize("library", sorted(DOORS))
def test_a_library_has_one_door(library: str) -> None:
    wrong = [
        module
        for module, path in MODULES.items()
        if any(is_within(name, library) for name in imports(path))
        and not any(is_within(module, door) for door in DOORS[library])
    ]
    assert wrong == []


def test_the_stages_know_no_ray() -> None:
    stages = [m for m in MODULES if m.startswith("anonflow.pipeline.stages.")]
    assert len(stages) == 5
    for module in stages:
        assert not [
            n for n in imports(MODULES[module]) if is_within(n, "ray") or n.endswith((".graph", ".cluster"))
        ]


def test_every_module_has_its_tests() -> None:
    missing = []
    for module, path in MODULES.items():
        if path.name == "__init__.py":
            continue
        *folders, name = module.split(".")[1:]
        expected = ROOT.joinpath("tests", *folders, f"test_{name}.py")
        if not expected.exists():
            missing.append(expected.relative_to(ROOT).as_posix())
    assert missing == []


@pytest.mark.parametrize("module", ["anonflow", "anonflow.cli"])
def test_the_command_line_answers_without_heavy_libraries(module: str) -> None:
    """`anonflow --help` within a blink: Ray, Hydra and the models are imported when a command runs."""
    import subprocess
    import sys

    code = f"import sys, {module}; print(sorted({set(DOORS)!r} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ended.stdout.strip() == "[]"
