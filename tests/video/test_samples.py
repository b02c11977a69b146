from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from anonflow.errors import DamagedVideoError, UnsupportedFormatError
from anonflow.video.samples import Block, SoundFormat, audio_frame, loudest, read_sound, silence, sound_format
from tests.carrying import clip_with_sound, heard
from tests.media import Clip, make_clip

RATE = 48_000


def _whole(path: Path, stream: int = 1) -> Block:
    blocks = list(read_sound(path, stream))
    assert all(a.stop == b.start for a, b in pairwise(blocks))
    return Block(blocks[0].start, np.concatenate([block.samples for block in blocks], axis=1))


@pytest.mark.parametrize(("codec", "kind"), [("pcm_s16le", "s16p"), ("pcm_u8", "u8p"), ("flac", "s16p")])
def test_samples_are_those_that_were_encoded(tmp_path: Path, codec: str, kind: str) -> None:
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (2, RATE))
    path = clip_with_sound(tmp_path / "a.mkv", codec, noise)
    assert sound_format(path, 1) == SoundFormat(RATE, "stereo", kind)
    found = _whole(path)
    assert found.start == 0 and found.samples.shape == (2, RATE)
    scale = 2 ** (8 * found.samples.dtype.itemsize - 1)
    middle = 128 if codec == "pcm_u8" else 0
    assert np.abs((found.samples.astype(float) - middle) / scale - noise).max() < 2 / scale


def test_a_gap_becomes_silence_and_every_sample_stays_at_its_time(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "gap.mkv", Clip(audio=("libopus",), time_base=Fraction(1, 1000)))
    late = tmp_path / "late.mkv"
    with av.open(str(path)) as source, av.open(str(late), "w") as out:
        stream = out.add_stream_from_template(source.streams[1], opaque=True)
        for packet in source.demux(source.streams[1]):
            if packet.size:
                if packet.pts >= 500:
                    packet.pts, packet.dts = packet.pts + 200, packet.dts + 200
                packet.stream = stream
                out.mux(packet)
    before, after = _whole(path), _whole(late, 0)
    assert abs(after.samples.shape[1] - before.samples.shape[1] - RATE // 5) <= RATE // 1000
    found = heard(late, after.samples.shape[1])
    quiet = after.samples[0, int(0.55 * RATE) : int(0.65 * RATE)]
    assert not quiet.any() and not found[int(0.55 * RATE) : int(0.65 * RATE)].any()
    assert np.array_equal(after.samples[:, -RATE // 10 :], before.samples[:, -RATE // 10 :])


def test_damaged_sound_is_refused(tmp_path: Path) -> None:
    path = clip_with_sound(tmp_path / "a.mkv", "flac", np.random.default_rng(2).uniform(-0.5, 0.5, (1, RATE)))
    bad = tmp_path / "bad.mkv"
    with av.open(str(path)) as source, av.open(str(bad), "w") as out:
        stream = out.add_stream_from_template(source.streams[1], opaque=True)
        for number, packet in enumerate(source.demux(source.streams[1])):
            if packet.size:
                payload = bytes(packet) if number != 3 else bytes(len(bytes(packet)))
                made = av.Packet(payload)
                made.pts, made.dts, made.time_base, made.stream = packet.pts, packet.dts, packet.time_base, stream
                out.mux(made)
    with pytest.raises(DamagedVideoError, match="audio=drop"):
        list(read_sound(bad, 0))


def test_a_stream_without_sound_cannot_be_changed(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", Clip(n_frames=5))
    with pytest.raises(UnsupportedFormatError):
        list(read_sound(path, 0))


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.int32, np.float32])
def test_silence_is_not_loud_and_one_step_is(kind: type) -> None:
    quiet = silence(2, 5, np.dtype(kind))
    assert loudest(quiet) == 0.0 and loudest(quiet[:, :0]) == 0.0
    quiet[1, 3] += 1
    assert loudest(quiet) == {np.uint8: 2**-7, np.int16: 2**-15, np.int32: 2**-31, np.float32: 1.0}[kind]


def test_a_frame_has_the_time_of_its_block() -> None:
    samples = np.arange(8, dtype=np.int16).reshape(2, 4)
    frame = audio_frame(SoundFormat(RATE, "stereo", "s16p"), Block(-7, samples))
    assert (frame.pts, frame.samples, frame.sample_rate) == (-7, 4, RATE)
    assert np.array_equal(frame.to_ndarray(), samples)
