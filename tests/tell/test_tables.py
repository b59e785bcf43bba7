"""Tables of what is told: on a page that reads Markdown, and in a mail."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from carewatch.tell.tables import Part, html, markdown

MOVES = Part("level", ("customers", "from"), (("3", "0 -> 1"), ("1,204", "a|b")), ("... and 2 more",))


@pytest.mark.req("D14", "S101")
def test_markdown_keeps_rows_apart_and_shows_every_sign_as_it_is() -> None:
    odd = Part("<b> *bold* [link](x)", lines=("A_B `code` #1",))
    assert markdown([MOVES, odd]) == (
        "**level**\n\n"
        "| customers | from |\n| --- | --- |\n| 3 | 0 -> 1 |\n| 1,204 | a\\|b |\n\n"
        "- ... and 2 more\n\n"
        "**\\<b> \\*bold\\* \\[link\\](x)**\n\n"
        "- A\\_B \\`code\\` \\#1"
    )


@pytest.mark.req("D14")
def test_a_mail_has_a_row_for_each_row_and_no_markup_of_its_content() -> None:
    class Seen(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.rows: list[list[str]] = []
            self.tags: set[str] = set()

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.tags.add(tag)
            if tag == "tr":
                self.rows.append([])

        def handle_data(self, data: str) -> None:
            if data.strip() and self.rows:
                self.rows[-1].append(data.strip())

    seen = Seen()
    seen.feed(html([Part("x", ("a", "b"), (("<i>1</i>", "2"),))], title="<script>", language="zh-CN"))
    assert seen.rows == [["a", "b"], ["<i>1</i>", "2"]]
    assert not seen.tags & {"script", "i", "link", "img", "style"}, "nothing is fetched, nothing runs"
