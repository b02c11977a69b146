"""What of a source goes into the output besides its picture: the policy, and what it selects of one file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from anonflow.config import AudioConfig, KeepConfig, TimeSpan
from anonflow.storage import StoragePath
from anonflow.types import FrameIndex
from anonflow.video.audio_codecs import must_be_converted
from anonflow.video.inventory import TIMECODE, Chapter, Inventory, Part, take_inventory
from anonflow.video.keys import allowed, content, matches

_ENCODERS = {
    **{name: name for name in ("aac", "flac", "ac3", "eac3", "alac", "mp2")},
    **{"mp3": "libmp3lame", "opus": "libopus"},
}
_PCM = "pcm_"
_FALLBACK = "aac"
_CONVERT = "convert"
"""No mode that one can choose: the sound is encoded again because no container holds it as it is."""


@dataclass(frozen=True)
class Sound:
    """What becomes of the sound of one video: an audio mode and its silent spans, from the first frame on."""

    mode: str = "copy"
    mute: tuple[TimeSpan, ...] = ()
    semitones: float = 0.0

    @property
    def is_changed(self) -> bool:
        """Whether the sound is decoded and encoded again."""
        return self.mode in ("pitch", _CONVERT) or (self.mode == "mute_spans" and bool(self.mute))

    def possible(self, codecs: Iterable[str]) -> Sound:
        """The same, or what comes nearest for tracks of these codecs: what no container holds is encoded again."""
        stays = self.is_changed or self.mode == "drop" or not any(must_be_converted(codec) for codec in codecs)
        return self if stays else Sound(_CONVERT)


@dataclass(frozen=True)
class CarryPolicy:
    """What is kept of one video; by default its sound, and nothing else."""

    keep: KeepConfig = field(default_factory=KeepConfig)
    sound: Sound = field(default_factory=Sound)

    @classmethod
    def of(cls, keep: KeepConfig, audio: AudioConfig, mute: Sequence[TimeSpan]) -> CarryPolicy:
        """The policy for a video for which `mute` spans were set by hand, beside those for all videos."""
        return cls(keep, Sound(audio.mode, (*audio.mute, *mute), audio.semitones))


SOUND_ONLY = CarryPolicy()
"""The default."""


@dataclass(frozen=True)
class Selection:
    """What goes into the output of one file, and the names of what does not."""

    sound: Sound
    picture: Part
    audio: tuple[Part, ...]
    others: tuple[Part, ...]
    """Subtitles, data, attachments and covers, in the source's order."""
    keys: dict[str, str]
    stream_keys: dict[int, dict[str, str]]
    """By the source's stream index, for the picture too."""
    chapters: tuple[Chapter, ...]
    removed_streams: tuple[str, ...]
    """Their kinds and codecs."""
    removed_chapters: tuple[str, ...]
    """`chapters` or `chapter titles`."""
    removed_keys: tuple[str, ...]

    @property
    def streams(self) -> tuple[Part, ...]:
        """Everything but the picture, in the output's order."""
        return *self.audio, *self.others

    @classmethod
    def of_sound(cls, index: FrameIndex) -> Selection:
        """All sound, copied, of a file of which only the index is known."""
        audio = tuple(Part(stream.index, "audio", stream.codec, None, 0, {}) for stream in index.audio)
        picture = Part(index.stream_index, "video", index.stream.codec, None, 0, {})
        return cls(Sound(), picture, audio, (), {}, {}, (), (), (), ())

    def of_kind(self, kind: str) -> tuple[Part, ...]:
        """The streams of one kind, among those that are neither picture nor sound."""
        return tuple(part for part in self.others if part.kind == kind)

    def audio_codec(self, part: Part) -> str:
        """The codec that an audio stream has in the output."""
        return encoded_as(part.codec) if self.sound.is_changed else part.codec


def select(path: StoragePath, index: FrameIndex, policy: CarryPolicy) -> Selection:
    """What `policy` takes of the source `path`, whose index is `index`."""
    return select_from(take_inventory(path, index.stream_index), policy)


def select_from(found: Inventory, policy: CarryPolicy) -> Selection:
    """What `policy` takes of a file with that inventory."""
    keep = policy.keep
    parts = [part for part in found.parts if part.kind != "chapter track"]
    taken = _without_more_timecodes([part for part in parts if _is_taken(part, policy)])
    chosen = (found.picture, *taken)
    chapters = found.chapters if "times" in keep.chapters else ()
    if "titles" not in keep.chapters:
        chapters = tuple(Chapter(c.start_s, c.stop_s, "") for c in chapters)
    streams = {part.index: allowed(part.keys, keep.metadata) for part in chosen}
    return Selection(
        sound=policy.sound.possible(part.codec for part in taken if part.kind == "audio"),
        picture=found.picture,
        audio=tuple(part for part in taken if part.kind == "audio"),
        others=tuple(part for part in taken if part.kind != "audio"),
        keys=allowed(found.keys, keep.metadata),
        stream_keys=streams,
        chapters=chapters,
        removed_streams=tuple(part.name for part in parts if part not in taken),
        removed_chapters=_removed_chapters(found, keep),
        removed_keys=_removed_keys(found, policy),
    )


def encoder_for(codec: str) -> str:
    """FFmpeg's encoder of changed sound: of the source's codec where there is one that is good, else of AAC."""
    return codec if codec.startswith(_PCM) else _ENCODERS.get(codec, _FALLBACK)


def encoded_as(codec: str) -> str:
    """The codec that sound of `codec` has after a change."""
    return codec if codec.startswith(_PCM) or codec in _ENCODERS else _FALLBACK


def _is_taken(part: Part, policy: CarryPolicy) -> bool:
    keep = policy.keep
    if part.kind == "audio":
        return policy.sound.mode != "drop"
    if part.kind == "subtitle":
        return matches(part.language or "und", keep.subtitles)
    if part.kind == "data":
        names = (part.codec, part.keys.get("handler_name", ""))
        return any(matches(name, keep.data) for name in names if name)
    if part.kind == "attachment":
        return matches(part.codec, keep.attachments)
    return part.kind == "cover" and matches(part.codec, keep.cover)


def _without_more_timecodes(parts: list[Part]) -> list[Part]:
    """Only the first timecode track: it is the picture's, and the only one that MP4's muxer can make."""
    more = [part for part in parts if part.codec == TIMECODE][1:]
    return [part for part in parts if part not in more]


def _removed_chapters(found: Inventory, keep: KeepConfig) -> tuple[str, ...]:
    if not found.chapters:
        return ()
    if "times" not in keep.chapters:
        return ("chapters",)
    has_titles = any(chapter.title for chapter in found.chapters)
    return ("chapter titles",) if has_titles and "titles" not in keep.chapters else ()


def _removed_keys(found: Inventory, policy: CarryPolicy) -> tuple[str, ...]:
    names: set[str] = set()
    for keys in (found.keys, found.picture.keys, *(part.keys for part in found.parts)):
        names |= content(keys).keys() - allowed(keys, policy.keep.metadata).keys()
    return tuple(sorted(names))


def timecode(selection: Selection) -> str | None:
    """The timecode of the first frame, when its track is kept; MP4's muxer makes the track of it."""
    tracks = [part for part in selection.of_kind("data") if part.codec == TIMECODE]
    return tracks[0].keys["timecode"] if tracks else None
