"""Interlacing: which field of a frame is shown first."""

from __future__ import annotations

from fractions import Fraction

import av
import av.filter
import numpy as np


def field_order(frame: av.VideoFrame) -> str:
    """`progressive`, `top` or `bottom` (the field that is shown first). The frame is painted over.

    PyAV tells that a frame is interlaced, but not its order. FFmpeg's `separatefields` obeys it, so the rows of the
    frame are made to differ by field, and the first field that comes out says which rows it has.
    """
    if not frame.interlaced_frame:
        return "progressive"
    frame.make_writable()
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)  # type: ignore[call-overload]
    rows[0::2], rows[1::2] = 0, 1
    frame.pts = 0
    first = _first_field(frame)
    return "bottom" if bytes(first.planes[0])[0] else "top"


def _first_field(frame: av.VideoFrame) -> av.VideoFrame:
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 25)
    )
    fields, sink = graph.add("separatefields"), graph.add("buffersink")
    source.link_to(fields)
    fields.link_to(sink)
    graph.configure()
    source.push(frame)
    first = sink.pull()
    assert isinstance(first, av.VideoFrame)
    return first
