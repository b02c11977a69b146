"""A page as a value, and its HTML: one file, no script, nothing fetched, for light and dark screens and paper."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


@dataclass(frozen=True)
class Facts:
    """Names with a value each."""

    title: str
    values: Mapping[str, object]
    note: str = ""
    kind: str = field(default="facts", init=False)


@dataclass(frozen=True)
class Table:
    """Rows below the names of their columns; numbers are set to the right."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    note: str = ""
    kind: str = field(default="table", init=False)


@dataclass(frozen=True)
class Plot:
    """A picture drawn by `plots`."""

    title: str
    svg: str
    note: str = ""
    kind: str = field(default="plot", init=False)

    @property
    def drawing(self) -> Markup:
        """The picture as it goes into the page; its text was escaped when it was drawn."""
        return Markup(self.svg)


@dataclass(frozen=True)
class Image:
    """A picture with pixels. A page with one is as confidential as what it shows."""

    title: str
    png: bytes
    note: str = ""
    kind: str = field(default="image", init=False)


@dataclass(frozen=True)
class Text:
    """Paragraphs of plain text."""

    title: str
    paragraphs: Sequence[str]
    note: str = ""
    kind: str = field(default="text", init=False)


Part = Facts | Table | Plot | Image | Text


@dataclass(frozen=True)
class Page:
    """A title, a sentence that says what matters most, and parts in their order."""

    title: str
    lead: str
    parts: Sequence[Part]


def render(page: Page) -> str:
    """The page as HTML. All text is escaped; equal pages give equal text."""
    return _environment().get_template("page.html").render(page=page)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("anonflow.page", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["value"] = shown
    environment.filters["base64"] = _base64
    environment.tests["number"] = _is_number
    return environment


def shown(value: object) -> str:
    """A value as people read it: four significant digits, a thin space between thousands, a dash for nothing."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u2009")
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}".replace(",", "\u2009")
    return str(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _base64(png: bytes) -> str:
    return b64encode(png).decode("ascii")
