"""Changing sound on its way from decoder to encoder: silent spans, and voices at another pitch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import cast

import av
import av.error
import av.filter
import numpy as np

from anonflow.config import TimeSpan
from anonflow.video.samples import Block, Samples, SoundFormat, audio_frame, silence

_LEAD_S = 0.018
"""By how much FFmpeg's `atempo` is early on average, measured with clicks."""
Span = tuple[int, float]
"""From one sample to before another, on the container's time line; the latter may be infinite."""


def spans_in_samples(
    mute: Sequence[TimeSpan], first_frame_s: Fraction, rate_hz: int, lead: int = 0, trail: int = 0
) -> tuple[Span, ...]:
    """Spans in seconds since the video's first frame as samples, rounded outward.

    They are widened by `lead` samples before and `trail` samples behind.
    """

    def sample(time_s: float) -> Fraction:
        return (Fraction(time_s) + first_frame_s) * rate_hz

    return tuple(
        (
            math.floor(sample(span.from_s)) - lead,
            math.inf if span.to_s is None else math.ceil(sample(span.to_s)) + trail,
        )
        for span in mute
    )


def inside(block: Block, spans: Iterable[Span]) -> Iterator[slice]:
    """Which of the block's samples lie in a span."""
    for start, stop in spans:
        first, last = max(start, block.start), min(stop, block.stop)
        if first < last:
            yield slice(first - block.start, int(last) - block.start)


def muted(blocks: Iterable[Block], spans: Sequence[Span]) -> Iterator[Block]:
    """The blocks, silent in the spans."""
    for block in blocks:
        samples = block.samples.copy()
        channels = samples.shape[0]
        for part in inside(block, spans):
            samples[:, part] = silence(channels, part.stop - part.start, samples.dtype)
        yield Block(block.start, samples)


def shifted(blocks: Iterable[Block], form: SoundFormat, semitones: float) -> Iterator[Block]:
    """The blocks at another pitch, with their start and their length to the sample.

    Played faster and stretched back in time (WSOLA, FFmpeg's `atempo`), by waveform and not by voice: formants move
    along. It disguises a voice and does not hide it. A sound within comes up to 30 ms before or after its time.
    """
    graph = _graph(form, semitones)
    made = _silence(form, round(_LEAD_S * form.rate_hz))
    start, length, given = 0, 0, 0
    for block in blocks:
        start = start if length else block.start
        length = block.stop - start
        graph.push(audio_frame(form, Block(block.start - start, block.samples)))
        made = np.concatenate([made, *_pulled(graph)], axis=1)
        if made.shape[1] and given < length:
            yield Block(start + given, made[:, : length - given])
        given, made = min(length, given + made.shape[1]), made[:, length - given :]
    graph.push(None)
    made = np.concatenate([made, *_pulled(graph), _silence(form, length)], axis=1)
    if given < length:
        yield Block(start + given, made[:, : length - given])


def _silence(form: SoundFormat, n: int) -> Samples:
    return silence(av.AudioLayout(form.layout).nb_channels, n, _dtype(form))


def _dtype(form: SoundFormat) -> np.dtype[np.generic]:
    kinds = {"u8p": "u1", "s16p": "i2", "s32p": "i4", "fltp": "f4", "dblp": "f8"}
    return np.dtype(kinds[form.sample_format])


def _graph(form: SoundFormat, semitones: float) -> av.filter.Graph:
    played_hz = round(form.rate_hz * 2 ** (semitones / 12))
    graph = av.filter.Graph()
    source = graph.add_abuffer(
        sample_rate=form.rate_hz,
        format=form.sample_format,
        layout=form.layout,
        time_base=Fraction(1, form.rate_hz),
    )
    graph.link_nodes(
        source,
        graph.add("asetrate", f"{played_hz}"),
        graph.add("aresample", f"{form.rate_hz}"),
        graph.add("atempo", f"{form.rate_hz / played_hz:.12f}"),
        graph.add("aformat", f"sample_fmts={form.sample_format}:channel_layouts={form.layout}"),
        graph.add("abuffersink"),
    ).configure()
    return graph


def _pulled(graph: av.filter.Graph) -> Iterator[Samples]:
    while True:
        try:
            frame = cast(av.AudioFrame, graph.pull())
        except (av.error.BlockingIOError, av.error.EOFError):
            return
        yield frame.to_ndarray()
