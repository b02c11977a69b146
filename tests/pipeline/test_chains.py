from __future__ import annotations

import json

from anonflow.evidence.chain import broken_link, head
from anonflow.pipeline.chains import published_chain, quarantined_chain, unchanged_chain
from anonflow.types import Source
from tests.pipeline.worlds import BOX, FixedDetector, World

MADE = {"plan": {"frames": 3}, "output": {"sha256": "0" * 64}}


def test_a_published_source_has_what_was_read_made_and_came_out() -> None:
    chain = published_chain("id", {"bytes": 1, "sha256": "1" * 64}, MADE, "run1")
    assert [record["kind"] for record in chain] == ["source", "plan", "output", "outcome"]
    assert chain[-1]["run_id"] == "run1" and broken_link(chain) is None


def test_an_unchanged_source_goes_on_from_the_run_that_published_it() -> None:
    published = published_chain("id", {"bytes": 1, "sha256": "1" * 64}, MADE, "run1")
    chain = unchanged_chain("id", published)
    assert chain[-1]["previous"] == head(published) and chain[-1]["run_id"] == "run1"
    assert broken_link(chain) is None
    (alone,) = unchanged_chain("id", [])
    assert alone["run_id"] is None and broken_link([alone]) is None


def test_a_quarantined_source_has_its_reason() -> None:
    chain = quarantined_chain(Source("/in/a", "a", "id", 5, 1), "damaged")
    assert chain[0]["bytes"] == 5 and chain[-1]["reason"] == "damaged" and broken_link(chain) is None


def test_the_chain_of_a_video_has_a_digest_of_each_result_and_no_boxes(
    world: World, detector: FixedDetector
) -> None:
    world.clip()
    outcome = world.outcome()
    chain = {record["kind"]: record for record in outcome.chain}
    assert list(chain) == [
        "source",
        "configuration",
        "plan",
        "detections",
        "tracks",
        "masks",
        "segments",
        "checks",
        "output",
        "outcome",
    ]
    assert chain["source"]["sha256"] == outcome.source_sha256 and chain["output"]["bytes"] == outcome.output_bytes
    assert sum(chunk["n"] for chunk in chain["detections"]["chunks"]) == 40
    assert len(set(chain["segments"]["sha256"])) == chain["plan"]["chunks"] > 2
    assert chain["tracks"]["objects"] == {"face": 1} and chain["masks"]["n"] == 40
    assert chain["configuration"]["models"] == {"face": [world.config.detector["face"].model.sha256]}
    assert ["timestamps", "equal"] in chain["checks"]["points"]
    text = json.dumps(outcome.chain)
    assert "clip" not in text and not any(f"{value / 2:g}," in text for value in BOX[2:])


def test_the_same_work_has_the_same_digests(world: World, detector: FixedDetector) -> None:
    world.clip()
    first = world.outcome()
    done = world.context().paths.done(world.row().video_id)
    done.unlink()
    again = world.outcome("run2")
    for one, other in zip(first.chain[:-1], again.chain[:-1], strict=True):
        assert one == other


def test_a_rerun_says_unchanged_with_the_chain_of_the_first(world: World, detector: FixedDetector) -> None:
    world.clip()
    first, again = world.outcome(), world.outcome("run2")
    assert again.chain[:-1] == first.chain and again.chain[-1]["kind"] == "unchanged"
