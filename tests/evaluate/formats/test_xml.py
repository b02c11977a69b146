from __future__ import annotations

from pathlib import Path

import pytest

from anonflow.errors import TruthError
from anonflow.evaluate.formats.xml import read_xml, root_tag
from tests.evaluate.formats.files import write


def test_elements_have_lines_words_and_children(tmp_path: Path) -> None:
    root = read_xml(write(tmp_path / "a.xml", "<a>\n <b x='1'> word </b>\n <b><c>deep</c></b>\n</a>"))
    assert root.tag == "a" and [b.line for b in root.all("b")] == [2, 3]
    assert root.word("b") == "word" and next(root.all("b")).attributes == {"x": "1"}
    assert root.child("b", "c") is None and list(root.all("b"))[1].word("c") == "deep" and root.word("z") == ""


@pytest.mark.parametrize(
    "text",
    [
        "<!DOCTYPE a [<!ENTITY x 'y'>]>\n<a>&x;</a>",
        "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
        '<!DOCTYPE a [<!ENTITY l "l"><!ENTITY m "&l;&l;&l;&l;">]><a>&m;</a>',
    ],
)
def test_entities_and_document_types_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(TruthError, match="line 1: it declares a document type"):
        read_xml(write(tmp_path / "a.xml", text))


def test_what_is_no_xml_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(TruthError, match="line 2: it is no XML"):
        read_xml(write(tmp_path / "a.xml", "<a>\n<b></a>"))
    with pytest.raises(TruthError, match="deeper than"):
        read_xml(write(tmp_path / "a.xml", "<a>" * 40 + "</a>" * 40))


def test_the_root_is_known_without_reading_all(tmp_path: Path) -> None:
    assert root_tag(write(tmp_path / "a.xml", "<annotations><b>")) == "annotations"
    assert root_tag(write(tmp_path / "a.xml", "no")) == ""
