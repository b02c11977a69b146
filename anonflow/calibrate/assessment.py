"""The risk assessment of a calibrated configuration: what is promised, on what evidence, and what is left.

It uses words of the GDPR (Art. 25, 32), ISO/IEC 20889:2018 and ISO/IEC 23894:2023 for what was measured and
configured. It claims no conformity: whether a risk is acceptable is for the controller to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from anonflow.calibrate.choose import Answer
from anonflow.calibrate.residual import Residual, residual
from anonflow.calibrate.units import Leaks
from anonflow.config import HidingConfig
from anonflow.mask.operators import IS_WEAK
from anonflow.page.page import Facts, Page, Part, Plot, Table, Text
from anonflow.page.plots import Line, lines

_NAMES = {"leak_rate": "leak rate", "leaked_object_share": "share of objects that ever leak"}
_TECHNIQUES = {
    "solid": "suppression: nothing of the region is left",
    "pixelate": "generalisation: coarser values, of which some are left",
    "blur": "generalisation: smoothed values, of which some are left",
}
_STRENGTHS = {
    "solid": "strong. Matched again in a test with 100 faces: 1 %, which is chance",
    "pixelate": "WEAK. Matched again in a test with 100 faces: 57 % with 2 cells a side, 100 % with 4 or more",
    "blur": "WEAK. Matched again in a test with 100 faces: 98 % at a sigma of a fifth of the face",
}


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a calibration found."""

    record: Mapping[str, Any]
    answer: Answer
    targets: Mapping[str, float]
    leaks: Leaks
    """Of the chosen setting, of the test videos if there are any."""
    is_held_out: bool
    n_settings: int
    archive_videos: int
    test: Mapping[str, Any] | None
    is_generated: bool


def assessment(evidence: Evidence, config: HidingConfig) -> Page:
    """The page; `config` is at the chosen setting."""
    left = residual(
        evidence.leaks,
        evidence.archive_videos,
        evidence.record["confidence"],
        1 if evidence.is_held_out else evidence.n_settings,
    )
    name = config.policy.get("name", "")
    parts: list[Part] = [
        _target(evidence),
        _basis(evidence),
        _tried(evidence.answer),
        _plot(evidence),
        *_held_out(evidence),
        _left(left, evidence),
        _masks(config),
        _models(config),
        _limits(evidence),
        *_law(),
    ]
    return Page(f"Risk assessment: calibrated from policy {name}", _lead(evidence), parts)


def _lead(evidence: Evidence) -> str:
    if evidence.is_generated:
        return "Calibrated on generated videos: this shows the method and says NOTHING about real material."
    bounds = ", ".join(f"{_NAMES[n]} below {value:.4g}" for n, value in sorted(evidence.answer.bounds.items()))
    word = "Certified" if evidence.targets else "Not certified, chosen by expected cost"
    return f"{word}: {bounds}, with confidence {evidence.record['confidence']:g}, for videos like those measured."


def _target(evidence: Evidence) -> Part:
    chosen = evidence.answer.chosen
    assert chosen is not None
    values: dict[str, object] = {f"target: {_NAMES[n]} below": value for n, value in evidence.targets.items()}
    values |= {f"bound: {_NAMES[n]} below": value for n, value in evidence.answer.bounds.items()}
    values |= {
        "confidence": evidence.record["confidence"],
        "threshold": chosen.threshold,
        "margin": chosen.margin,
        "labels": ", ".join(evidence.record["labels"]),
        "an object leaks in a frame if less of its box is masked than": evidence.record["covered_share"],
    }
    note = (
        "The leak rate is the share of a video's object-frames that leak; bounds are on its mean over videos in"
        " which there is something to hide. A mean over videos says little about the worst video."
    )
    return Facts("Target and result", values, note)


def _basis(evidence: Evidence) -> Part:
    record = evidence.record
    return Facts(
        "Evidence",
        {
            "method": record["method"],
            "date": record["date"],
            "videos that the choice was made by": record["videos"],
            "of these with something to hide": record["videos_with_objects"],
            "calibration set (SHA-256)": record["set_sha256"],
            "settings of the run": record["settings"],
            "anonflow": record["anonflow"],
        },
        "The guarantee holds if videos are drawn independently, as those of the archive are. Videos of one "
        "camera or event resemble each other; many of them are worth less than their number says.",
    )


def _tried(answer: Answer) -> Part:
    rows = [
        (
            *(t.threshold, t.margin, t.leak_rate, t.leaked_object_share, t.over_mask_share),
            *(t.p_value, t.certified, t.cost_per_h),
        )
        for t in answer.tried
    ]
    columns = ("threshold", "margin", "leak rate", "objects that ever leak", "hidden in vain")
    return Table(
        "All that was tried",
        (*columns, "p-value", "certified", "cost per hour"),
        rows,
        "Tested from the most permissive setting on; what lies beyond the first failure was not tested.",
    )


def _plot(evidence: Evidence) -> Part:
    margins = sorted({t.margin for t in evidence.answer.tried}, reverse=True)
    series = []
    for margin in margins:
        points = sorted((t.threshold, t.leak_rate) for t in evidence.answer.tried if t.margin == margin)
        series.append(Line(f"margin {margin:g}", [p[0] for p in points], [p[1] for p in points]))
    chosen = evidence.answer.chosen
    assert chosen is not None
    drawing = lines(series, "threshold", "mean leak rate", at_x={"chosen": chosen.threshold})
    return Plot("Leak rate over threshold", drawing, "Observed means, without their uncertainty.")


def _held_out(evidence: Evidence) -> list[Part]:
    if evidence.test is None:
        return []
    values: dict[str, object] = {
        "videos": evidence.test["videos"],
        "leak rate": evidence.test["leak_rate"],
        "objects that ever leak": evidence.test["leaked_object_share"],
    }
    values |= {f"upper bound: {_NAMES[n]}": v for n, v in evidence.test["upper_bounds"].items()}
    return [Facts("Test on videos that were kept apart", values, "No choice was made by them.")]


def _left(left: Residual, evidence: Evidence) -> Part:
    interval = left.expected_objects_interval
    expected = f"{left.expected_objects:.4g}"
    if interval:
        expected += f" ({interval[0]:.4g} to {interval[1]:.4g}, bootstrap)"
    values: dict[str, object] = {
        "archive (videos)": left.archive_videos,
        "videos measured": left.videos,
        "of these with an object uncovered in one frame at least": left.leaking_videos,
        "share of such videos, upper bound": left.leaking_share_bound,
        "such videos expected in the archive, at most": left.leaking_archive_videos_bound,
        "objects uncovered in one frame at least, expected in the archive": expected,
        "seconds with an uncovered object, expected in the archive": left.expected_s,
    }
    chosen_by = "videos kept apart" if evidence.is_held_out else "the same videos, corrected for the choice"
    return Facts(
        "Residual risk",
        values,
        f"From {chosen_by}. Upper bounds hold with the confidence above; the other two are estimates, and 0 "
        "means only that none was seen.",
    )


def _masks(config: HidingConfig) -> Part:
    rows = [
        (
            label,
            config.mask[label].operator,
            _STRENGTHS[config.mask[label].operator],
            _TECHNIQUES[config.mask[label].operator],
            config.label[label].hide,
        )
        for label in config.labels
    ]
    weak = [label for label in config.labels if IS_WEAK[config.mask[label].operator]]
    note = f"Weak masks: {', '.join(weak)}. Covered is not unrecognisable there." if weak else ""
    columns = ("label", "mask", "strength", "closest word of ISO/IEC 20889", "hidden")
    return Table("Mask strength", columns, rows, note)


def _models(config: HidingConfig) -> Part:
    rows = [
        (name, model.id, model.licence, model.origin, model.sha256)
        for name, d in sorted(config.detector.items())
        for model in d.models
    ]
    return Table("Models", ("detector", "model", "licence", "origin", "SHA-256"), rows)


def _limits(evidence: Evidence) -> Part:
    said = [
        f"Only what was annotated is measured: {', '.join(evidence.record['labels'])}. What annotators missed "
        "counts as nothing. People are also known by clothes, gait, tattoos, places and company, and by what is"
        " written on screens and papers; none of that is hidden or measured.",
        "Sound is not measured. Unless a run says audio=drop, voices can be heard, or (audio=pitch) brought back.",
        "The bounds hold for the models and settings named here. A run with others says so, and has none.",
        "Material that differs from the calibration set (other cameras, light, angles, crowds, a later year) is"
        " not covered by the guarantee; measure again when it changes.",
        "Regions that somebody keeps by hand, and times that are not worked on, are shown as they are.",
    ]
    if evidence.is_generated:
        said.insert(0, "The videos were generated, with a simulated detector. Nothing here is about real material.")
    return Text("Known limits", said)


def _law() -> list[Part]:
    return [
        Text(
            "In the words of the GDPR",
            [
                "Art. 25 asks for technical and organisational measures, designed to implement data-protection "
                "principles such as data minimisation, in view of the state of the art, the cost, the nature, "
                "scope, context and purposes of processing, and the risks to people. The measure here is "
                "hiding; target, bound and residual risk above say how far it goes.",
                "Art. 32(1)(d) asks for a process for regularly testing, assessing and evaluating the "
                "effectiveness of such measures. This calibration is one such test, of the date above; it can "
                "be repeated by the hashes above.",
                "Whether hidden material is still personal data depends on what else can single out or link a "
                "person. This page does not decide that, and is no legal advice.",
            ],
        ),
        Text(
            "In the words of ISO/IEC 23894 and ISO/IEC 20889",
            [
                "Risk identification: somebody can be recognised in a published video because an object was "
                "missed (a leak), or because its mask is weak. Risk analysis: leaks are bounded above; strength"
                " is in the table of masks. Risk evaluation: against the target above, which the controller has"
                " set. Risk treatment: lower thresholds, wider margins, solid masks, review of what is "
                "published. Monitoring and review: calibrate again when cameras, models or settings change. "
                "Recording: this page, the policy, and the ledger of each run.",
                "ISO/IEC 20889 classifies techniques for data in tables; for pictures its closest words are "
                "used. Its re-identification approaches apply: singling out and linking are what masks are "
                "meant to prevent.",
                "Neither standard is claimed to be met by this page.",
            ],
        ),
    ]
