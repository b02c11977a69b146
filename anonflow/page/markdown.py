"""The same page as Markdown, for review in a repository. Plots and pictures stay in the HTML."""

from __future__ import annotations

from collections.abc import Sequence

from anonflow.page.page import Facts, Page, Part, Table, Text, shown


def markdown(page: Page) -> str:
    """The page as GitHub Markdown; what would be markup in its text is escaped."""
    parts = [_part(part) for part in page.parts]
    return "\n".join([f"# {_plain(page.title)}", "", _plain(page.lead), "", *filter(None, parts)])


def _part(part: Part) -> str:
    if isinstance(part, Facts):
        body = _table(("", ""), [(name, value) for name, value in part.values.items()])
    elif isinstance(part, Table):
        body = _table(part.columns, part.rows)
    elif isinstance(part, Text):
        body = "\n\n".join(_plain(paragraph) for paragraph in part.paragraphs)
    else:
        return ""
    note = f"\n\n{_plain(part.note)}" if part.note else ""
    return f"## {_plain(part.title)}\n\n{body}{note}\n"


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [[_plain(name) for name in columns], ["---"] * len(columns)]
    lines += [[_plain(shown(value)) for value in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    escaped = "".join(f"\\{c}" if c in "\\`*_[]<>|#" else c for c in text)
    return " ".join(escaped.split())
