from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from anonflow.page.page import Facts, Image, Page, Plot, Table, Text, render, shown
from anonflow.page.plots import bars


class Reader(HTMLParser):
    """Text and attributes of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text: list[str] = []
        self.open: list[str] = []
        self.links: list[str] = []
        self.feed(html)
        assert not self.open, "elements that are never closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "img"):
            self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


PAGE = Page(
    "A <title>",
    "What & why",
    [
        Facts("Facts", {"frames": 12345, "share": 0.123456, "none": None, "sure": True}, "a note"),
        Table("Table", ["name", "n"], [["<script>alert(1)</script>", 1], ["b", 20000]]),
        Plot("Plot", bars({"a & b": 1.0}, "n"), "below"),
        Image("Image", b"\x89PNG"),
        Text("Text", ["one", "two < three"]),
    ],
)


def test_everything_is_there_and_escaped() -> None:
    html = render(PAGE)
    text = " ".join(Reader(html).text)
    for expected in (
        "A <title>",
        "What & why",
        "12\u2009345",
        "0.1235",
        "–",
        "yes",
        "a note",
        "a & b",
        "below",
        "two < three",
    ):
        assert expected in text
    assert "<script>alert(1)</script>" in text and "<script" not in html


def test_nothing_is_fetched() -> None:
    html = render(PAGE)
    outside = [link for link in Reader(html).links if not link.startswith(("data:", "#"))]
    assert outside == []
    assert not re.search(r"url\((?!['\"]?#)|@import", html)


def test_equal_pages_give_equal_text() -> None:
    assert render(PAGE) == render(PAGE)


def test_an_empty_table_is_a_table() -> None:
    assert "<tbody>" in render(Page("t", "l", [Table("Empty", ["a"], [])]))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"),
        (1234567, "1\u2009234\u2009567"),
        (0.5, "0.5"),
        (123456.7, "123\u2009457"),
        (False, "no"),
        ("", "–"),
    ],
)
def test_values_as_people_read_them(value: object, expected: str) -> None:
    assert shown(value) == expected
