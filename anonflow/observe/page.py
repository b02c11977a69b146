"""The report of a run as a page: `report.html`, made of `report.json`'s sums, its course and its configuration.

No file names, no boxes; sources are named by their ids where one is worth looking at. Its size does not depend on
the number of sources.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from anonflow.observe.metrics import STAGES
from anonflow.page import plots
from anonflow.page.page import Facts, Page, Part, Plot, Table, shown
from anonflow.page.plots import Line

Json = Mapping[str, Any]
_TIME_UNITS = (("hours", 3600), ("minutes", 60), ("seconds", 1))
_SHORTEST_S = 0.001
_FEWEST = 5
"""Videos of which a distribution can be drawn."""


def run_page(report: Json) -> Page:
    """The page of the run that `pipeline.report` tells of."""
    totals = report["totals"]
    lead = (
        f"{shown(totals['published'])} published, {shown(totals['unchanged'])} unchanged, "
        f"{shown(totals['quarantined'])} quarantined, "
        f"in {shown_seconds(report['wall_s'])}."
    )
    return Page(f"Run {report['run_id']}", lead, list(_parts(report)))


def _parts(report: Json) -> Iterator[Part]:
    statistics: Json = report["statistics"]
    yield _totals(report, statistics)
    yield from _outcomes(statistics)
    yield from _course(report["course"])
    yield from _stages(statistics)
    yield from _quality(statistics)
    yield from _checks(statistics, report["pictures"]["checks"])
    yield from _worth_a_look(statistics)
    yield _models(report["models"])
    yield Facts("Masks", {label: f"{m['operator']} ({m['strength']})" for label, m in report["masks"].items()})
    yield Facts("Versions", {"anonflow": report["anonflow"], **report["versions"]})
    yield Facts("Configuration", dict(_flat(report["configuration"])))


def _totals(report: Json, statistics: Json) -> Facts:
    totals, wall_s = report["totals"], max(report["wall_s"], 1e-9)
    source, output = statistics["source_bytes"], statistics["output_bytes"]
    values: dict[str, object] = {
        "frames": f"{shown(totals['frames'])} ({totals['frames'] / wall_s:.1f} a second)",
        "video time": shown_seconds(statistics["duration_s"]),
        "frames with a mask": _of_frames(statistics, "masked_frames"),
        "frames copied bit for bit": _of_frames(statistics, "copied_frames"),
        "damaged frames hidden whole": _of_frames(statistics, "hidden_damaged_frames"),
        **{f"{label} tracks": count for label, count in sorted(totals["objects"].items())},
        "pictures": totals["pictures"],
        **{f"{label} masks in pictures": count for label, count in sorted(totals["picture_objects"].items())},
        "sources read": shown_bytes(source),
        "outputs written": shown_bytes(output) + (f" ({output / source:.2f} of that)" if source else ""),
        "wall-clock time": shown_seconds(report["wall_s"]),
    }
    note = "Frames, tracks, sizes and times are of what this run published itself."
    if report["files_passed_over"]:
        passed = ", ".join(f"{count} {kind}" for kind, count in sorted(report["files_passed_over"].items()))
        note += f" Files passed over: {passed}."
    return Facts("Totals", values, note)


def _of_frames(statistics: Json, name: str) -> str:
    count, frames = statistics[name], statistics["frames"]
    return f"{shown(count)} ({count / frames:.1%})" if frames else shown(count)


def _outcomes(statistics: Json) -> Iterator[Part]:
    rows: Sequence[Sequence[Any]] = statistics["outcomes"]
    counts: dict[str, float] = {}
    for _, status, _, count in rows:
        counts[status] = counts.get(status, 0) + count
    if counts:
        yield Plot("Outcomes", plots.bars(counts, "sources"))
    reasons: list[tuple[str, str, int]] = [(kind, reason, count) for kind, _, reason, count in rows if reason]
    reasons.sort(key=_count, reverse=True)
    if reasons:
        note = "The ledger (ledger.parquet) says which they are, and what to do about each."
        yield Table("Quarantined", ("kind", "reason", "sources"), reasons, note)


def _count(row: tuple[str, str, int]) -> int:
    return row[-1]


def _course(course: Json) -> Iterator[Part]:
    if len(course["seconds"]) < 2:
        return
    unit, seconds_each = next(u for u in _TIME_UNITS if course["seconds"][-1] >= 5 * u[1] or u[1] == 1)
    times, x_label = [seconds / seconds_each for seconds in course["seconds"]], f"{unit} since the start"
    ended = [Line(name, times, course[name], steps=True) for name in ("planned", "ended") if name in course]
    yield Plot("Sources over time", plots.lines(ended, x_label, "sources"))
    names = {"planned_frames": "planned", "detected_frames": "detected", "masked_frames": "masked"}
    frames = [Line(called, times, course[name]) for name, called in names.items() if name in course]
    if any(max(course[name]) for name in names if name in course):
        note = "Videos and pictures that are planned; chunks that are tried again are counted again."
        yield Plot("Frames over time", plots.lines(frames, x_label, "frames"), note)


def _stages(statistics: Json) -> Iterator[Part]:
    wall, cpu = statistics["wall_s"], statistics["cpu_s"]
    if not wall:
        return
    columns = ("stage", "videos", "wall s", "p50", "p90", "p99", "longest", "CPU s", "CPU p50", "CPU p99")
    rows = [
        (
            stage,
            times["n"],
            times["mean"] * times["n"],
            *(times[name] for name in ("p50", "p90", "p99", "max")),
            cpu[stage]["mean"] * cpu[stage]["n"],
            cpu[stage]["p50"],
            cpu[stage]["p99"],
        )
        for stage, times in _in_order(wall)
    ]
    note = (
        "Of each video, its chunks added up; quantiles are right to a tenth. Stages run beside each other: "
        "their sum is not the run's time. CPU time is that of the worker's whole process."
    )
    yield Table("Stage times", columns, rows, note)
    if all(times["n"] >= _FEWEST for times in wall.values()):
        series = [_cumulative(stage, times, at_least=_SHORTEST_S) for stage, times in _in_order(wall)]
        yield Plot(
            "Stage times over videos",
            plots.lines(series, "wall seconds of a video", "share of videos", log_x=True, y_limits=(0, 1.02)),
        )


def _in_order(by_stage: Json) -> list[tuple[str, Json]]:
    return sorted(by_stage.items(), key=lambda item: STAGES.index(item[0]))


def _cumulative(name: str, distribution: Json, at_least: float = -math.inf) -> Line:
    """The share of values up to each bin's upper end; those below `at_least`, for a log axis, lie there."""
    below, places, shares = 0, [max(distribution["min"], at_least)], [0.0]
    for _, high, count in distribution["bins"]:
        below += count
        place = distribution["max"] if high is None else min(high, distribution["max"])
        places.append(max(place, at_least))
        shares.append(below / distribution["n"])
    return Line(name, places, shares)


def _quality(statistics: Json) -> Iterator[Part]:
    distributions = {
        "share of a video's frames with a mask": statistics["masked_share"],
        "PSNR outside of the masks, mean of a video (dB)": statistics["psnr_db"],
        "PSNR of a video's worst frame (dB)": statistics["worst_psnr_db"],
        "size against the source's": statistics["rate_ratio"],
    }
    rows = [
        (name, d["n"], *(d[key] for key in ("min", "p5", "p50", "p90", "max")))
        for name, d in distributions.items()
        if d["n"]
    ]
    if rows:
        yield Table("Videos", ("of each video", "videos", "least", "p5", "p50", "p90", "most"), rows)
    titles = {
        "Frames with a mask": ("masked_share", "share of a video's frames"),
        "PSNR outside of the masks": ("psnr_db", "dB, mean of a video"),
        "Size against the source's": ("rate_ratio", "output / source"),
    }
    for title, (name, label) in titles.items():
        if statistics[name]["n"] >= _FEWEST and statistics[name]["min"] < statistics[name]["max"]:
            yield Plot(title, plots.lines([_cumulative(title, statistics[name])], label, "share of videos"))


def _checks(statistics: Json, of_pictures: Json) -> Iterator[Part]:
    note = "Before an output is published. What is broken is not published: it is quarantined as `fidelity`."
    if statistics["checks"]:
        yield Table("Checks of videos", ("check", "equal", "changed by policy"), statistics["checks"], note)
    changed = of_pictures["changed by policy"]
    if of_pictures["equal"] or changed:
        rows = [
            ("all points", of_pictures["equal"], sum(changed.values())),
            *((n, None, changed[n]) for n in changed),
        ]
        yield Table("Checks of pictures", ("check", "equal", "changed by policy"), rows, note)


def _worth_a_look(statistics: Json) -> Iterator[Part]:
    note = "Which file an id stands for, the ledger says."
    if slow := statistics["slowest_s_per_frame"]:
        yield Table("Slowest videos", ("video id", "seconds a frame, all stages"), slow, note)
    if poor := statistics["lowest_psnr_db"]:
        yield Table("Lowest PSNR outside of the masks", ("video id", "dB"), poor, note)


def _models(models: Sequence[Json]) -> Table:
    rows = [(m["detector"], m["id"], m["licence"], m["origin"], m["sha256"]) for m in models]
    return Table("Models", ("detector", "model", "licence", "origin", "SHA-256"), rows)


def _flat(values: Json, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Nested values by dotted keys."""
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}.")
        else:
            yield name, str(value) if isinstance(value, list | tuple) else value


def shown_seconds(seconds: float) -> str:
    """Seconds as people read them."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def shown_bytes(size_bytes: float) -> str:
    """A size as people read it."""
    units = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")
    power = min(len(units) - 1, max(0, math.ceil(size_bytes).bit_length() - 1) // 10)
    return f"{size_bytes / 1024**power:.{0 if power == 0 else 1}f} {units[power]}"
