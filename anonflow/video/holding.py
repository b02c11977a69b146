"""What each output container can hold of what is not the picture, as FFmpeg's muxers write and read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from anonflow.video.audio_codecs import HELD_AUDIO
from anonflow.video.carry import Selection
from anonflow.video.inventory import TIMECODE, Part

_MATROSKA_TEXT = {"subrip", "ass", "webvtt", "text", "hdmv_pgs_subtitle", "hdmv_text_subtitle"}
_HELD = {
    ("subtitle", ".mp4"): {"mov_text"},
    ("subtitle", ".mov"): {"mov_text"},
    ("subtitle", ".webm"): {"webvtt"},
    ("subtitle", ".mkv"): _MATROSKA_TEXT | {"dvd_subtitle", "dvb_subtitle", "arib_caption"},
    ("data", ".mp4"): {"bin_data", TIMECODE},
    ("data", ".mov"): {"bin_data", TIMECODE},
    ("cover", ".mp4"): {"mjpeg", "png", "bmp"},
    ("cover", ".mkv"): {"mjpeg", "png", "bmp", "gif", "webp", "tiff"},
}
_MATROSKA = (".mkv", ".webm")
_MOV_PLAIN_KEYS = {"title", "creation_time", "location"}
_PLAIN_KEYS = {"artist", "album", "comment", "genre", "copyright", "composer", "description"} | _MOV_PLAIN_KEYS
_MP4_STREAM_KEYS = {"title", "handler_name", "creation_time"}
_QUICKTIME_LANGUAGES = (
    "ara bel bul ces chi dan dut eng est fin fra ger gre heb hin hun ice ita jpn kor lav lit mlt nor pol por ron "
    "rus slk slv spa tha tur ukr urd"
)
"""Those that QuickTime's own table has, of which FFmpeg's muxer writes no other."""
_SAME_LANGUAGE = {
    **{"deu": "ger", "fre": "fra", "nld": "dut", "ell": "gre", "isl": "ice", "zho": "chi"},
    **{"cze": "ces", "slo": "slk", "rum": "ron"},
}
"""ISO 639-2 has two codes for some languages; QuickTime's table knows the ones on the right."""


def unheld(extension: str, selection: Selection) -> tuple[str, ...]:
    """Names of what is selected and a container (`.mp4`, `.mov`, `.mkv`, `.webm`) cannot hold as it is."""
    return tuple(dict.fromkeys(_unheld(extension, selection)))


def language_in(extension: str, language: str | None) -> str | None:
    """How a container spells a language; None for one that it cannot say."""
    if language is None or extension in _MATROSKA:
        return language
    if extension == ".mov":
        language = _SAME_LANGUAGE.get(language, language)
        return language if language in _QUICKTIME_LANGUAGES.split() else None
    return language if len(language) == 3 and language.isascii() and language.islower() else None


def same_language(first: str | None, second: str | None) -> bool:
    """Whether two codes mean one language."""
    one, other = (_SAME_LANGUAGE.get(code or "", code) for code in (first, second))
    return one == other


def has_plain_keys(extension: str, keys: Iterable[str]) -> bool:
    """Whether these keys of a file have places of their own in MP4 or MOV; others need a table of free names."""
    return set(keys) <= (_MOV_PLAIN_KEYS if extension == ".mov" else _PLAIN_KEYS)


def says_all_languages(extension: str, selection: Selection) -> bool:
    """Whether the container can say the language of every stream. It is worth another container, but no refusal."""
    streams = (selection.picture, *selection.streams)
    return all(part.language is None or language_in(extension, part.language) for part in streams)


def _unheld(extension: str, selection: Selection) -> Iterator[str]:
    for part in selection.audio:
        codec = selection.audio_codec(part)
        if codec not in HELD_AUDIO[extension]:
            yield f"audio:{codec}"
    for part in selection.others:
        if not _holds(extension, part):
            yield part.name
    is_movie = extension not in _MATROSKA
    if is_movie and selection.chapters and selection.chapters[0].start_s != 0:
        yield "chapters that begin later than the video"  # QuickTime's begin with it
    if extension == ".mp4" and selection.of_kind("cover") and not has_plain_keys(extension, selection.keys):
        yield "cover beside free keys"  # FFmpeg writes one table or the other
    for keys in selection.stream_keys.values() if is_movie else ():
        yield from (f"key:{name}" for name in sorted(_unheld_keys(keys, selection.keys)))


def _holds(extension: str, part: Part) -> bool:
    if part.kind == "attachment":
        return extension == ".mkv" and part.codec != "unknown"
    return part.codec in _HELD.get((part.kind, extension), ())


def _unheld_keys(keys: dict[str, str], file_keys: dict[str, str]) -> set[str]:
    """MP4 has one date for all streams; it is the file's."""
    names = keys.keys() - _MP4_STREAM_KEYS
    dates = [entry.get("creation_time", "")[:19] for entry in (keys, file_keys)]
    return names | ({"creation_time"} if dates[0] and dates[0] != dates[1] else set())
