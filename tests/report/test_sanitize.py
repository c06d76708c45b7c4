"""What others named cannot act where it is shown."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report import answers
from tests.sweeps import made_function
from tuner.model.finding import Finding
from tuner.report import markdown, sanitize, terminal

HOSTILE = (
    "\x1b[31mred\x1b[0m\x07\r\nx\u202e`</details><script>alert(1)</script>|a|"
    "[l](http://evil.example) @admin #1 ![i](x) **b** www.evil.example"
)


@given(st.text())
def test_plain_text_is_one_line_without_control_characters(text: str) -> None:
    """No escape sequence, line break or bidirectional override survives."""
    shown = sanitize.plain(text)
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp"} for char in shown)
    assert len(shown.splitlines()) <= 1


@given(st.text(alphabet="`a| \n"))
def test_a_code_span_cannot_be_closed_from_within(text: str) -> None:
    """The fence is longer than any run of backticks inside it."""
    span = sanitize.code_span(text)
    fence = re.match(r"`+", span)
    assert fence is not None
    inside = span[len(fence.group()) : -len(fence.group())]
    assert span.endswith(fence.group())
    assert all(len(run) < len(fence.group()) for run in re.findall(r"`+", inside))


def test_a_table_cell_keeps_its_pipes_to_itself() -> None:
    """A pipe in a name does not open another column."""
    assert sanitize.code_span("a|b", in_table=True) == "`a\\|b`"


@given(st.text(alphabet="<>&@#!*_`[]()ab1:/. $~|\\"))
def test_markdown_text_carries_no_tag_link_or_mention(text: str) -> None:
    """Tags become entities, brackets and emphasis are escaped, mentions and links are broken."""
    shown = sanitize.markdown(text)
    assert "<" not in shown
    assert ">" not in shown
    assert not re.search(r"[@#!~$]\w", shown)
    assert "://" not in shown
    assert not re.search(r"(?<!\\)(\\\\)*[`*_\[\]]", shown)


def hostile_answer() -> str:
    made = answers.resize(
        function=made_function(3008, name=HOSTILE, runtime=HOSTILE),
        findings=(Finding("handler-failed", "error", f"Fails with {HOSTILE}"),),
        assumptions=(HOSTILE,),
    )
    return markdown.render(made)


def test_a_comment_cannot_be_injected_into() -> None:
    """Of a hostile name, runtime and error nothing becomes HTML, a link, an image or a mention."""
    outside_code = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", hostile_answer())
    assert "<script" not in outside_code
    assert outside_code.count("</details>") == outside_code.count("<details><summary>") == 2
    assert "](" not in outside_code.replace("\\]", "")
    assert "@admin" not in outside_code
    assert "\x1b" not in hostile_answer()


@pytest.mark.parametrize("color", [True, False])
def test_no_escape_sequence_of_a_name_reaches_the_terminal(color: bool) -> None:
    """Only the report's own colors are escape sequences, and none without color."""
    made = answers.resize(
        function=made_function(3008, name=HOSTILE, runtime="\x1b]0;title\x07"),
        findings=(Finding("x", "warning", HOSTILE),),
        assumptions=(HOSTILE,),
    )
    made = replace(made, sweep=replace(made.sweep, file=f"/x/{HOSTILE}"))
    shown = terminal.render(made, width=100, color=color)
    assert "\x07" not in shown
    assert "\u202e" not in shown
    own = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert "\x1b" not in own
    assert color or own == shown


def test_rich_markup_in_a_name_is_shown_as_it_is() -> None:
    """Brackets in foreign text are text."""
    made = answers.resize(function=made_function(3008, name="[bold red]x[/]:smile:"))
    assert "[bold red]x[/]:smile:" in terminal.render(made, width=100, color=False)
