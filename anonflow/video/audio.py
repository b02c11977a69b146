"""Fingerprints of audio streams, to show that their packets were copied bit for bit."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from fractions import Fraction

import av
import av.stream

from anonflow.storage import StoragePath
from anonflow.types import FrameIndex
from anonflow.video.container import open_source

_MPEG_AUDIO = dict.fromkeys(("mp1", "mp2", "mp3"), "mpeg audio")
"""MP4 has one name for all layers; each packet says itself which one it is."""


@dataclass(frozen=True)
class AudioDigest:
    """What one audio stream holds."""

    codec: str
    sha256: str
    """Over the payloads of all packets, in order."""
    n_packets: int
    start_s: Fraction
    was_framed: bool
    """Each packet had a transport header (ADTS), which other containers don't have; it is not hashed."""

    @property
    def content(self) -> tuple[str, str, int]:
        """What a copy must have too. PCM has no packets of its own: each container cuts it as it likes."""
        return codec_family(self.codec), self.sha256, 0 if self.codec.startswith("pcm_") else self.n_packets


def codec_family(codec: str) -> str:
    """The name under which any container knows the codec."""
    return _MPEG_AUDIO.get(codec, codec)


class _Hasher:
    """Collects one stream's packets into a digest."""

    def __init__(self, codec: str) -> None:
        self._codec = codec
        self._hash = hashlib.sha256()
        self._n_packets = 0
        self._start_s: Fraction | None = None
        self._was_framed = False

    def add(self, packet: av.Packet[av.stream.Stream]) -> None:
        payload = bytes(packet)
        header_size = _adts_header_size(payload) if self._codec == "aac" else 0
        self._was_framed |= header_size > 0
        self._hash.update(payload[header_size:])
        self._n_packets += 1
        if self._start_s is None and packet.pts is not None:
            self._start_s = packet.pts * packet.time_base

    def digest(self) -> AudioDigest:
        start_s = self._start_s or Fraction(0)
        return AudioDigest(self._codec, self._hash.hexdigest(), self._n_packets, start_s, self._was_framed)


def digest_audio(path: StoragePath, index: FrameIndex) -> tuple[AudioDigest, ...]:
    """Fingerprints of the audio streams of `index`, which must be that of `path`, in their order."""
    hashers = {stream.index: _Hasher(stream.codec) for stream in index.audio}
    if hashers:
        with open_source(path) as container:
            for packet in container.demux(*(container.streams[number] for number in hashers)):
                if packet.size:
                    hashers[packet.stream.index].add(packet)
    return tuple(hasher.digest() for hasher in hashers.values())


def _adts_header_size(payload: bytes) -> int:
    """Bytes of the ADTS header (ISO/IEC 14496-3, 1.A.2.2) at the start of a packet, 0 if there is none.

    A raw AAC frame cannot be taken for one: 12 set bits would be the end of the frame, and no frame starts there.
    """
    if len(payload) < 7 or payload[0] != 0xFF or payload[1] & 0xF6 != 0xF0:
        return 0
    return 7 if payload[1] & 1 else 9
