"""A comment's Markdown as the page that a forge makes of it: tables, folds and diff."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

_STYLE: Final = (Path(__file__).parent / "comment.css").read_text(encoding="utf-8")


def comment_page(markdown: str) -> str:
    """HTML of the comment; the style is ours, near GitHub's."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    parser.add_render_rule("fence", _fence)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>comment</title>'
        f"<style>{_STYLE}</style><main>{parser.render(markdown)}</main>"
    )


def _fence(_self: Any, tokens: Sequence[Token], index: int, *_: Any) -> str:
    token = tokens[index]
    if token.info != "diff":
        return f"<pre>{escape(token.content)}</pre>\n"
    kinds = {"+": "added", "-": "removed"}
    lines = "".join(
        f'<span class="{kinds.get(line[:1], "")}">{escape(line)}</span>'
        for line in token.content.splitlines()
    )
    return f'<pre class="diff">{lines}</pre>\n'
