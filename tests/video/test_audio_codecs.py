from __future__ import annotations

import pytest

from anonflow.video.audio_codecs import must_be_converted


@pytest.mark.parametrize(
    ("codec", "converted"),
    [("aac", False), ("vorbis", False), ("pcm_s16be", False), ("wmav2", True), ("adpcm_ms", True), ("speex", True)],
)
def test_what_no_container_holds_is_converted(codec: str, converted: bool) -> None:
    assert must_be_converted(codec) == converted


@pytest.mark.parametrize("codec", ["unknown", "", "no_such_codec"])
def test_what_cannot_be_decoded_cannot_be_converted_either(codec: str) -> None:
    assert not must_be_converted(codec)
