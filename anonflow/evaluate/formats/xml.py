"""XML of annotations, with the line of every element. Entities and document types, which can harm, are refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from anonflow.evaluate.formats.reading import failure, read_text

_MAX_DEPTH = 32
_REMEDY = "Export the annotations again"


@dataclass
class Element:
    """One element: its tag, attributes, text and children, and the line that it begins in."""

    tag: str
    attributes: dict[str, str]
    line: int
    text: str = ""
    children: list[Element] = field(default_factory=list)

    @property
    def place(self) -> str:
        """For messages."""
        return f"line {self.line} (<{self.tag}>)"

    def all(self, tag: str) -> Iterator[Element]:
        """The children with that tag."""
        return (child for child in self.children if child.tag == tag)

    def child(self, *tags: str) -> Element | None:
        """The first child with the first tag, its first child with the second, and so on."""
        found: Element | None = self
        for tag in tags:
            found = next(found.all(tag), None) if found else None
        return found

    def word(self, *tags: str) -> str:
        """The text of `child`, without white space around it; empty if there is none."""
        found = self.child(*tags)
        return found.text.strip() if found else ""


def read_xml(path: Path) -> Element:
    """The root element. Raises TruthError, with the line, for what is no XML or declares a document type."""
    stack = [Element("", {}, 0)]
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise failure(
            path, f"line {parser.CurrentLineNumber}", "it declares a document type or entities", "Take that out"
        )

    def start(tag: str, attributes: dict[str, str]) -> None:
        if len(stack) > _MAX_DEPTH:
            raise failure(path, f"line {parser.CurrentLineNumber}", f"deeper than {_MAX_DEPTH} elements", _REMEDY)
        element = Element(tag, attributes, parser.CurrentLineNumber)
        stack[-1].children.append(element)
        stack.append(element)

    def end(_tag: str) -> None:
        stack.pop()

    def text(words: str) -> None:
        stack[-1].text += words

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    try:
        parser.Parse(read_text(path).encode(), True)
    except expat.ExpatError as error:
        raise failure(path, f"line {error.lineno}", f"it is no XML ({error})", _REMEDY) from error
    return stack[0].children[0]


def root_tag(path: Path) -> str:
    """The tag of the root element; empty if the file is no XML."""
    found: list[str] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda tag, _: found.append(tag)
    try:
        with path.open("rb") as file:
            parser.Parse(file.read(2**16), False)
    except (expat.ExpatError, OSError):
        return found[0] if found else ""
    return found[0] if found else ""
