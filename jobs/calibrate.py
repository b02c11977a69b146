"""Thresholds and margins with a guarantee: `anonflow calibrate data=PATH output=FOLDER target.leak_rate=0.02`."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

import yaml
from rich.console import Console
from rich.text import Text

from anonflow.calibrate.assessment import Evidence, assessment
from anonflow.calibrate.calibration import Calibration
from anonflow.calibrate.choose import Answer
from anonflow.calibrate.generated import generated
from anonflow.calibrate.record import policy_of, record_of
from anonflow.calibrate.samples import rounded
from anonflow.calibrate.units import Unit, at_setting
from anonflow.config import AnonymizeConfig
from anonflow.config.calibration import GENERATED, CalibrationConfig
from anonflow.config.evaluation import DataConfig
from anonflow.errors import ConfigError, one_line
from anonflow.evaluate.formats.read import read_ground_truth
from anonflow.evaluate.motion import LABELS
from anonflow.jobs.cases import judged_cases
from anonflow.jobs.evaluate import read_as
from anonflow.jobs.launch import DONE, QUARANTINED, launch
from anonflow.page.markdown import markdown
from anonflow.page.page import render
from anonflow.pipeline.interrupts import leave
from anonflow.storage import write_bytes, write_json

log = logging.getLogger("anonflow")

NOT_CERTIFIED = QUARANTINED
_SHORT = {f.name for f in fields(CalibrationConfig)}


@dataclass(frozen=True)
class CalibrateConfig(AnonymizeConfig):
    """A run, and what it is calibrated for and by."""

    data: DataConfig
    calibration: CalibrationConfig


def main() -> int:
    """Run the job on the command line's overrides; give the exit code."""
    sys.argv[1:] = [spelled_out(argument) for argument in sys.argv[1:]]
    return int(launch("calibrate", CalibrateConfig, _run))


def spelled_out(argument: str) -> str:
    """`data=` for `data.path=`, and the keys of `calibration` without that word."""
    key = argument.partition("=")[0]
    if key == "data":
        return f"data.path{argument.removeprefix('data')}"
    return f"calibration.{argument}" if key.split(".")[0] in _SHORT else argument


def _run(config: CalibrateConfig, console: Console) -> int:
    if config.regions:
        raise ConfigError("regions= does not belong here: what is drawn by hand hides whatever is calibrated")
    units, labels = _units(config, console)
    work = Calibration(config, config.calibration, units, labels)
    answer = work.answer(work.calibration_rows)
    folder = Path(config.output).expanduser()
    out = Console()
    if answer.chosen is None:
        write_json(folder / "calibration.json", work.told(answer))
        out.print(Text(refusal(answer, config.calibration)), soft_wrap=True)
        return int(NOT_CERTIFIED)
    for path in _written(work, config, answer, folder):
        log.info("%s", path)
    out.print(Text(certificate(answer, config.calibration, folder)), soft_wrap=True)
    return int(DONE)


def _written(work: Calibration, config: CalibrateConfig, answer: Answer, folder: Path) -> list[Path]:
    """Policy, record and assessment."""
    assert answer.chosen is not None
    wanted, chosen = work.wanted, answer.chosen
    now = datetime.now(UTC)
    there = at_setting(config, work.labels, chosen.threshold, chosen.margin)
    told = work.told(answer)
    record = record_of(
        answer,
        work.targets,
        there,
        labels=work.labels,
        confidence=wanted.confidence,
        set_sha256=told["set_sha256"],
        n_units=len(work.calibration_rows),
        covered_share=wanted.covered_share,
        date=f"{now:%Y-%m-%d}",
        is_generated=config.data.path == GENERATED,
    )
    page = assessment(
        Evidence(
            record,
            answer,
            dict(work.targets.items()),
            work.at(answer, work.test_rows if len(work.test_rows) else work.calibration_rows),
            is_held_out=len(work.test_rows) > 0,
            n_settings=len(work.grid.thresholds) * len(work.grid.margins),
            archive_videos=wanted.archive_videos,
            test=told["test"],
            is_generated=config.data.path == GENERATED,
        ),
        there,
    )
    policy = folder / "policy" / f"{wanted.name}.yaml"
    text = yaml.safe_dump(
        policy_of(there, wanted.name, work.labels, record), sort_keys=False, allow_unicode=True, width=120
    )
    head = f"# Written by anonflow calibrate; used by anonflow anonymize --config-dir FOLDER policy={wanted.name}\n"
    write_bytes(policy, (head + text).encode())
    write_json(folder / "calibration.json", told)
    write_bytes(folder / "assessment.md", markdown(page).encode())
    write_bytes(folder / "assessment.html", render(page).encode())
    return [policy, *(folder / name for name in ("calibration.json", "assessment.md", "assessment.html"))]


def certificate(answer: Answer, wanted: CalibrationConfig, folder: Path) -> str:
    """The answer in words."""
    chosen = answer.chosen
    assert chosen is not None
    bounds = ", ".join(f"{name} below {value:.4g}" for name, value in sorted(answer.bounds.items()))
    kind = "Certified" if wanted.target.is_set else "Chosen by expected cost, bounds for what was chosen"
    return (
        f"{kind}: threshold {chosen.threshold:g}, margin {chosen.margin:g}. With confidence "
        f"{wanted.confidence:g}: {bounds}, on average over videos like these ({answer.n_units} with objects, "
        f"{answer.method}).\nObserved: leak rate {chosen.leak_rate:.4g}, leaked objects "
        f"{chosen.leaked_object_share:.4g}, hidden in vain {chosen.over_mask_share:.4g}.\nRun with it: anonflow "
        f"anonymize --config-dir {folder} policy={wanted.name} ..."
    )


def refusal(answer: Answer, wanted: CalibrationConfig) -> str:
    """Why nothing is certified, in words, and what would help."""
    need = answer.needed
    assert need is not None
    first = answer.tried[0]
    said = (
        f"Cannot certify with these {answer.n_units} videos that have objects. At the most permissive setting "
        f"(threshold {first.threshold:g}, margin {first.margin:g}) they leak {first.leak_rate:.4g}."
    )
    if need.n is None:
        return (
            f"{said} No number of videos would do: {need.why}. Use a detector that misses less, lower thresholds, "
            "wider margins, or another target."
        )
    return (
        f"{said} You need about {rounded(need.n)} videos with objects if they are like these "
        f"(at least {need.at_least} even if none leaks), for confidence {wanted.confidence:g}."
    )


def _units(config: CalibrateConfig, console: Console) -> tuple[list[Unit], tuple[str, ...]]:
    """The videos, and the labels that are calibrated."""
    wanted = config.calibration
    if config.data.path == GENERATED:
        _require_labels(LABELS, config)
        units = generated(wanted.generated.videos, wanted.generated.seed)
        return units, _labels(LABELS, config)
    truth = read_ground_truth(read_as(config.data), config.labels)
    labels = _labels(truth.judged, config)
    found = judged_cases(truth, config, wanted.min_visible, console)
    if found.failed:
        for outcome in found.failed:
            log.error("Cannot be read (%s): %s", outcome.reason, one_line(outcome.message))
        raise ConfigError(
            f"{len(found.failed)} videos could not be read; without them the others are no fair draw. Mend them,"
            " or take them out of the data for a reason that has nothing to do with what is in them."
        )
    units = [Unit(case.item_id, case.item.group, case.scene, case.is_video) for case in found.cases]
    return units, labels


def _labels(judged: tuple[str, ...], config: CalibrateConfig) -> tuple[str, ...]:
    """Those that are asked for, all of which must be annotated; or all that are annotated and detected."""
    wanted = config.calibration.labels
    if wanted is None:
        return tuple(label for label in judged if label in config.labels)
    for label in wanted:
        if label not in judged or label not in config.labels:
            raise ConfigError(
                f"labels: '{label}' is not annotated and detected here; there are: {', '.join(judged)}"
            )
    return tuple(wanted)


def _require_labels(labels: tuple[str, ...], config: CalibrateConfig) -> None:
    for label in labels:
        if label not in config.labels:
            raise ConfigError(f"data=generated has objects of label '{label}', which no detector of this run gives")


if __name__ == "__main__":
    leave(main())
