"""Streams that are neither the picture nor its sound: those that are allowed, whole, and no other."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from anonflow.storage import StoragePath
from anonflow.types import Check, FrameIndex, Verdict
from anonflow.video.carry import Selection
from anonflow.video.container import open_source
from anonflow.video.contract.check import TICK_S, check
from anonflow.video.holding import language_in, same_language
from anonflow.video.inventory import Inventory, Part, read_all

_EMPTY_TEXT = b"\0\0"
"""What MP4's timed text has between two captions; each muxer writes its own."""
_ALPHA_LAYER = "alpha layer"


@dataclass(frozen=True)
class StreamDigest:
    """What a stream holds: a fingerprint of each packet, and its time in ticks of a millisecond."""

    name: str
    contents: tuple[bytes, ...]
    times: tuple[int, ...]

    def equals(self, other: StreamDigest) -> bool:
        """Whether the same content comes at the same times, to a tick."""
        in_step = all(abs(a - b) <= 1 for a, b in zip(self.times, other.times, strict=False))
        return (self.name, self.contents) == (other.name, other.contents) and in_step


def compare_streams(selection: Selection, layers: tuple[str, ...], result: Inventory) -> Check:
    """The output has the streams that are selected, by kind and codec, and nothing else.

    What was removed is named, with the `layers` that were taken out of the picture's stream. Chapters are not
    streams, even if MP4 has a track for them.
    """
    expected = Counter(part.name for part in selection.others)
    found = Counter(part.name for part in result.parts if part.kind not in ("audio", "chapter track"))
    if found != expected:
        missing, extra = (expected - found).elements(), (found - expected).elements()
        return check("other streams", False, _listed(("missing", missing), ("not allowed", extra)))
    removed = (*selection.removed_streams, *layers)
    detail = _listed(("kept", expected.elements()), ("removed", removed)) or "none"
    verdict = Verdict.CHANGED_BY_POLICY if removed else Verdict.EQUAL
    return Check("other streams", verdict, detail)


def compare_contents(source: tuple[StreamDigest, ...], result: tuple[StreamDigest, ...]) -> tuple[Check, ...]:
    """Every kept packet and attached file to the byte, at its time."""
    if not source:
        return ()  # what is there nevertheless, `compare_streams` tells
    unmatched = list(result)
    lost = []
    for digest in source:
        match = next((other for other in unmatched if digest.equals(other)), None)
        if match is None:
            lost.append(digest.name)
        else:
            unmatched.remove(match)
    packets = f"{len(source)} streams, {sum(len(d.contents) for d in source)} packets"
    return (check("kept streams", not lost, f"not equal: {', '.join(lost)}" if lost else packets),)


def compare_languages(extension: str, selection: Selection, result: Inventory) -> Check:
    """Each stream has its language, where the container can say it."""
    expected = [selection.picture, *selection.audio, *selection.of_kind("subtitle")]
    found = [result.picture, *(p for p in result.parts if p.kind in ("audio", "subtitle"))]
    unsaid: list[str] = []
    for part, other in zip(expected, found, strict=False):
        said = language_in(extension, part.language)
        if not same_language(said, other.language):
            return check("languages", False, f"{part.name} has another")
        if part.language and not said:
            unsaid.append(part.language)
    if unsaid:
        return Check("languages", Verdict.CHANGED_BY_POLICY, f"the container cannot say {', '.join(unsaid)}")
    return check("languages", True)


def digest_streams(
    path: StoragePath, parts: Iterable[Part], shift_s: Fraction = Fraction(0)
) -> tuple[StreamDigest, ...]:
    """Fingerprints of streams of `path`, in the order of `parts`, all `shift_s` later.

    Covers are compared by content, not by time.
    """
    parts = tuple(parts)
    packets: dict[int, list[tuple[bytes, int]]] = {part.index: [] for part in parts}
    if not parts:
        return ()
    with open_source(path) as container:
        attached = {p.index: container.streams[p.index] for p in parts if p.kind == "attachment"}
        for number, stream in attached.items():
            packets[number].append((hashlib.sha256(getattr(stream, "data", b"")).digest(), 0))
        timed = {p.index: p for p in parts if p.kind != "attachment"}
        for packet in container.demux(*read_all(container, timed)) if timed else ():
            payload = bytes(packet)
            if not payload or payload == _EMPTY_TEXT:
                continue
            part = timed[packet.stream.index]
            time = 0 if part.kind == "cover" else round(((packet.pts or 0) * packet.time_base + shift_s) / TICK_S)
            packets[part.index].append((hashlib.sha256(payload).digest(), time))
    return tuple(
        StreamDigest(
            part.name,
            tuple(content for content, _ in packets[part.index]),
            tuple(time for _, time in packets[part.index]),
        )
        for part in parts
    )


def removed_layers(index: FrameIndex) -> tuple[str, ...]:
    """What was taken out of the picture's own stream."""
    return tuple(name for name in index.removed_streams if name.startswith(_ALPHA_LAYER))


def _listed(*groups: tuple[str, Iterable[str]]) -> str:
    named = [(word, ", ".join(names)) for word, names in groups]
    return "; ".join(f"{word}: {names}" for word, names in named if names)
