"""Everything in conf/ composes and is what the dataclasses say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra import compose, initialize_config_module

from anonflow import conf
from anonflow.config import AnonymizeConfig
from anonflow.detect.families import build_decoder
from anonflow.evaluate.scenes import SCENES
from anonflow.jobs.demo import DemoConfig
from anonflow.jobs.evaluate import EvaluateConfig
from anonflow.jobs.launch import typed
from anonflow.jobs.leaks import LeaksConfig

CONF = Path(str(conf.__file__)).parent
GIVEN = ["input=in", "output=out"]
GROUPS = sorted(p.relative_to(CONF) for p in CONF.glob("*/*.yaml"))
OPTIONS = [(p.parent.name, p.stem) for p in GROUPS if p.parent.name != "model"]
NEEDED = {"mute_spans": ["audio.spans=[[0,1]]"]}
"""Of options that say nothing by themselves."""
MODELS = [p.stem for p in GROUPS if p.parent.name == "model"]


def composed(*overrides: str, name: Any = "anonymize", schema: Any = AnonymizeConfig) -> Any:
    with initialize_config_module("anonflow.conf", version_base="1.3"):
        return typed(compose(name, overrides=list(overrides)), schema)


def test_there_is_something_to_test() -> None:
    assert len(OPTIONS) >= 12 and len(MODELS) >= 8


@pytest.mark.parametrize(("group", "option"), OPTIONS, ids="=".join)
def test_every_option_of_every_group_composes(group: Any, option: Any) -> None:
    composed(*GIVEN, f"{group}={option}", *NEEDED.get(option, []))


@pytest.mark.parametrize("model", MODELS)
def test_every_model_composes_with_a_detector_of_its_label(model: Any) -> None:
    labels = set(yaml.safe_load((CONF / "model" / f"{model}.yaml").read_text())["classes"].values())
    (label,) = labels
    detector = {"face": "face", "plate": "plate", "person": "face"}[label]
    config = composed(*GIVEN, f"detector={detector}s", f"model@detector.{detector}.model={model}")
    chosen = config.detector[detector].model
    assert set(chosen.classes.values()) == labels
    assert re.fullmatch(r"[0-9a-f]{64}", chosen.sha256) and chosen.licence and chosen.origin
    build_decoder(chosen.family, chosen.decoder)


def test_the_models_of_the_defaults_come_from_the_package_index() -> None:
    for detector in composed(*GIVEN).detector.values():
        assert detector.model.uri.startswith("pypi:")


def test_the_default_masks_are_not_invertible() -> None:
    assert {style.operator for style in composed(*GIVEN).mask.values()} == {"solid"}


@pytest.mark.parametrize("option", ["pixelate", "blur"])
def test_plates_are_filled_whatever_hides_faces(option: Any) -> None:
    masks = composed(*GIVEN, f"mask={option}").mask
    assert masks["plate"].operator == "solid" and masks["face"].operator == option
    assert "WEAK" in (CONF / "mask" / f"{option}.yaml").read_text()


def examples(name: Any) -> Any:
    template = yaml.safe_load((CONF / f"{name}.yaml").read_text())["hydra"]["help"]["template"]
    found = re.findall(rf"^\s+anonflow {name} ((?:[^\s(\[|]+=[^\s(]+ ?)+)", template, re.MULTILINE)
    return [shlex.split(line) for line in found if "|" not in line]


@pytest.mark.parametrize("overrides", examples("anonymize"), ids=" ".join)
def test_every_example_of_the_help_composes(overrides: Any) -> None:
    composed(*overrides)


@pytest.mark.parametrize("overrides", examples("leaks"), ids=" ".join)
def test_every_example_of_the_help_on_leaks_composes(overrides: Any) -> None:
    composed(*overrides, name="leaks", schema=LeaksConfig)


@pytest.mark.parametrize("overrides", examples("evaluate"), ids=" ".join)
def test_every_example_of_the_help_on_evaluation_composes(overrides: Any) -> None:
    given = [o.replace("data=", "data.path=") if o.startswith("data=") else o for o in overrides]
    composed(*given, name="evaluate", schema=EvaluateConfig)


HIDING = ("policy", "detector", "label", "adaptive", "tracker", "stabilise", "rules", "mask")


def test_the_help_on_leaks_names_all_scenes_and_options() -> None:
    text = (CONF / "leaks.yaml").read_text(encoding="utf-8")
    assert all(re.search(rf"\b{name}\b", text) for name in SCENES)
    for group in HIDING:
        names = sorted(option for kind, option in OPTIONS if kind == group)
        assert f"        {group}: {', '.join(names)}\n" in text


def test_leaks_measures_with_the_settings_of_a_run() -> None:
    run, leaks = composed(*GIVEN), composed(name="leaks", schema=LeaksConfig)
    evaluated = composed("data.path=in", "output=out", name="evaluate", schema=EvaluateConfig)
    for part in HIDING:
        assert getattr(leaks, part) == getattr(run, part) == getattr(evaluated, part)


def test_the_help_has_examples() -> None:
    assert len(examples("anonymize")) >= 4 and len(examples("leaks")) >= 3 and len(examples("evaluate")) >= 4


@pytest.mark.parametrize("path", sorted(CONF.rglob("*.yaml")), ids=lambda p: p.stem)
def test_what_the_comments_recommend_composes(path: Path) -> None:
    """`model@detector.face.model=centerface` and the like."""
    for override in re.findall(r"model@\S+=\w+", path.read_text(encoding="utf-8")):
        composed(*GIVEN, override)


def test_the_demo_takes_the_same_overrides() -> None:
    config = composed("folder=x", "mask=pixelate", name="demo", schema=DemoConfig)
    assert (config.input, config.output, config.mask["face"].operator) == ("x/sample.mp4", "x/masked", "pixelate")


def test_the_demo_can_choose_what_is_kept() -> None:
    config = composed("folder=x", "video=hevc", "video.metadata=[title]", name="demo", schema=DemoConfig)
    assert (config.video.codec, config.video.metadata, config.audio.mode) == ("hevc", ("title",), "copy")


def test_messages_of_errors_recommend_options_that_exist() -> None:
    """`video=av1` in an error message must be something that can be typed."""
    known = {(group, option) for group, option in OPTIONS}
    groups = {group for group, _ in known}
    wrong = []
    for module in sorted((CONF.parent / "anonflow").rglob("*.py")):
        for group, option in re.findall(r"\b([a-z]+)=([a-z]\w*)", module.read_text(encoding="utf-8")):
            if group in groups and f'"{group}"' not in option and is_message(module, f"{group}={option}"):
                wrong += [] if (group, option) in known else [f"{module.name}: {group}={option}"]
    assert wrong == []


def is_message(module: str, words: Any) -> Any:
    """Whether the words stand within a string of the module, and not in code."""
    import ast

    tree = ast.parse(module.read_text(encoding="utf-8"))
    return any(
        isinstance(n, ast.Constant) and isinstance(n.value, str) and words in n.value for n in ast.walk(tree)
    )
