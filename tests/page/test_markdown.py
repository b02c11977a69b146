from __future__ import annotations

from anonflow.page.markdown import markdown
from anonflow.page.page import Facts, Page, Plot, Table, Text


def test_a_page_is_headings_tables_and_paragraphs() -> None:
    page = Page(
        "Title",
        "What matters.",
        [
            Facts("Facts", {"share": 0.123456, "none": None, "sure": True}, "A note."),
            Table("Rows", ("a", "b"), [(1, "x"), (2.5, "y")]),
            Plot("Drawn", "<svg></svg>"),
            Text("Words", ["One.", "Two."]),
        ],
    )
    said = markdown(page)
    assert said.startswith("# Title\n\nWhat matters.\n\n## Facts\n\n|  |  |\n| --- | --- |\n| share | 0.1235 |\n")
    assert "| none | – |" in said and "| sure | yes |\n\nA note.\n" in said
    assert "## Rows\n\n| a | b |\n| --- | --- |\n| 1 | x |\n| 2.5 | y |\n" in said
    assert "One.\n\nTwo.\n" in said and "svg" not in said


def test_text_is_no_markup() -> None:
    said = markdown(Page("a|b", "<b>*bold*</b> [link](x)\n# not a heading", []))
    assert said.startswith("# a\\|b\n\n\\<b\\>\\*bold\\*\\</b\\> \\[link\\](x) \\# not a heading\n")
