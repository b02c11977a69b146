from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest

from anonflow.config import RegionConfig, TimeSpan, VideoRegions
from anonflow.errors import ConfigError
from anonflow.pipeline.carried import carried, carry_policy, warnings
from anonflow.pipeline.context import derive_keys
from anonflow.types import Status
from anonflow.video.carry import select
from anonflow.video.probe import probe
from tests.carrying import SECRET, rich_source
from tests.media import Clip, make_clip
from tests.pipeline.worlds import FixedDetector, World, configuration

BOX = RegionConfig(box=(0.0, 0.0, 0.1, 0.1))


def test_spans_of_the_regions_file_add_up_for_the_videos_that_they_name() -> None:
    regions = [
        VideoRegions("a/*", hide=(BOX,), mute=(TimeSpan(1.0, 2.0),)),
        VideoRegions("*.mp4", mute=(TimeSpan(5.0, None),)),
    ]
    config = replace(configuration("audio=mute_spans", "audio.spans=[[0,1]]"), regions=regions)
    everywhere = TimeSpan(0.0, 1.0)
    assert carry_policy(config, "b/x.mkv").sound.mute == (everywhere,)
    assert carry_policy(config, "a/x.mp4").sound.mute == (everywhere, TimeSpan(1.0, 2.0), TimeSpan(5.0, None))


def test_spans_that_copied_sound_would_publish_are_refused() -> None:
    with pytest.raises(ConfigError, match="audio=mute_spans"):
        replace(configuration(), regions=[VideoRegions("*", mute=(TimeSpan(),))])
    replace(configuration("audio=drop"), regions=[VideoRegions("*", mute=(TimeSpan(),))])


def test_the_report_names_and_tells_no_values(tmp_path: Path) -> None:
    source = rich_source(tmp_path / "rich.mkv")
    index = probe(source)
    config = configuration("video.metadata=[title]", "video.subtitles=['*']")
    told = carried(index, select(source, index, carry_policy(config, "rich.mkv")))
    assert told["kept_streams"] == ["audio:aac", "subtitle:subrip"] and told["kept_keys"] == ["title"]
    assert told["removed_streams"] == ["attachment:font/ttf", "cover:mjpeg", "chapters"]
    assert "location" in told["removed_keys"] and SECRET not in str(told)


def test_weak_and_dangerous_choices_are_said_aloud() -> None:
    assert warnings(configuration()) == []
    (cover,) = warnings(configuration("video.cover=[mjpeg]"))
    assert "face" in cover
    (pitch,) = warnings(configuration("audio=pitch"))
    assert "weak" in pitch


@pytest.mark.parametrize("override", ["audio=drop", "video.cover=[mjpeg]"])
def test_another_choice_is_another_result(override: str) -> None:
    before, after = derive_keys(configuration()), derive_keys(configuration(override))
    assert before.masks != after.masks and before.tracks == after.tracks


def test_sound_and_metadata_through_the_stages(world: World, detector: FixedDetector) -> None:
    world = World.make(world.root, "audio=drop", "video.metadata=[title]")
    world.clip(clip=Clip(audio=("aac",), metadata={"title": "holiday", "comment": "private"}))
    outcome = world.outcome()
    assert outcome.status is Status.PUBLISHED
    content = (world.output / "clip.mp4").read_bytes()
    assert b"holiday" in content and b"private" not in content
    assert outcome.details["audio"] == "drop" and outcome.details["removed_streams"] == ["audio:aac"]
    assert outcome.details["kept_keys"] == ["title"] and outcome.details["removed_keys"] == ["comment"]


def test_what_no_container_can_hold_ends_in_quarantine_before_the_work(
    world: World, detector: FixedDetector
) -> None:
    world = World.make(world.root, "video.data=['*']")
    with_klv(world.root / "in" / "flight.ts")
    outcome = world.outcome()
    assert (outcome.status, outcome.reason) == (Status.QUARANTINED, "unsupported")
    assert "data:klv" in outcome.message and "lists under video" in outcome.message
    assert "flight.ts" in outcome.message and detector.calls == 0
    assert World.make(world.root).outcome("run2").status is Status.PUBLISHED


def with_klv(path: Path) -> Path:
    """A drone's clip, whose data stream only MPEG-TS can hold."""
    plain = make_clip(path.with_name("plain.ts"), Clip(time_base=Fraction(1, 90_000)))
    with av.open(str(plain)) as source, av.open(str(path), "w") as out:
        video = out.add_stream_from_template(source.streams[0], opaque=True)
        data = out.add_data_stream("klv")
        for packet in source.demux(source.streams[0]):
            if packet.size:
                packet.stream = video
                out.mux(packet)
        words = av.Packet(b"N52E13")
        words.pts = words.dts = 0
        words.time_base, words.stream = Fraction(1, 90_000), data
        out.mux(words)
    plain.unlink()
    return path
