"""The comment's text: inert, and within its budget."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.report import answers
from tests.sweeps import made_function
from tuner.forge.comments import Marker
from tuner.model.finding import Finding
from tuner.report.comment import MAX_CHARS, Subject, render_comment
from tuner.report.markdown import DROPPED_FIRST

TIME = "2026-01-01T00:00:00Z"
FOREIGN = st.text(alphabet="<>-! `|@#*_[]()\n\\ab:/&$\u202e", max_size=30)


def subject(**changes: object) -> Subject:
    return Subject(answers.resize(**changes), TIME, code="deployed")


def many(count: int, note_chars: int = 0) -> list[Subject]:
    finding = Finding("long", "warning", "x" * note_chars)
    return [
        subject(function=made_function(3008, name=f"f{number}"), findings=(finding,))
        for number in range(count)
    ]


def without_code(text: str) -> str:
    """What stands outside of code spans: an escaped backtick opens none (CommonMark 6.1)."""
    kept, at = [], 0
    while at < len(text):
        run = re.compile(r"`+").match(text, at)
        if run is None:
            length = 2 if text[at] == "\\" else 1
            kept.append(text[at : at + length])
            at += length
            continue
        end = re.compile(rf"(?<!`){run.group()}(?!`)").search(text, run.end())
        at = end.end() if end else run.end()
    return "".join(kept)


@settings(max_examples=60)
@given(name=FOREIGN, said=FOREIGN, assumed=FOREIGN, digest=FOREIGN)
def test_nothing_foreign_acts(name: str, said: str, assumed: str, digest: str) -> None:
    """Whatever a function, an error or a file calls itself, the comment's own markup alone acts."""
    made = subject(
        function=made_function(3008, name=name, code_sha256=digest),
        findings=(Finding("x", "warning", said),),
        assumptions=(assumed,),
    )
    text = render_comment([made])
    outside = without_code(text)
    assert set(re.findall(r"<[^>]*>", outside)) <= {
        "<details>", "</details>", "<summary>", "</summary>", "<sub>", "</sub>",
    }  # fmt: skip
    assert not re.search(r"[@#]\w", outside)
    assert Marker.of(text) is None
    assert not re.search(r"^\s*/", text, re.MULTILINE)  # GitLab's quick actions


def test_what_fits_is_whole() -> None:
    """Nothing is left out of a short comment."""
    text = render_comment(many(1))
    assert "Left out" not in text
    assert "<summary>Sizes" in text


def test_sections_are_left_out_whole_and_in_order() -> None:
    """Ever smaller budgets lose the sizes, the assumptions, the findings, the tables."""
    made, seen = many(3, note_chars=200), []
    for max_chars in range(len(render_comment(made)), 900, -50):
        text = render_comment(made, max_chars=max_chars)
        assert len(text) <= max_chars
        assert text.count("<details>") == text.count("</details>")
        assert text.count("```") % 2 == 0
        assert text.startswith("measured on deployed code\n")
        left_out = re.findall(r"Left out for length: (.*)\.</sub>", text)
        if left_out and left_out[0] not in seen:
            seen.append(left_out[0])
    count = len(DROPPED_FIRST)
    orders = [", ".join(DROPPED_FIRST[:each]) for each in range(1, count + 1)]
    assert seen[:count] == orders
    assert seen[count] == f"{orders[-1]}, tables"


@pytest.mark.slow
def test_a_thousand_functions_fit() -> None:
    """The budget holds with any number of them, and the last line says how many are not shown."""
    mixed = many(1000)
    mixed[0] = mixed[0]._replace(code="change")
    text = render_comment(mixed)
    assert len(text) <= MAX_CHARS
    assert re.search(r"tables, \d+ of 1000 functions", text)


def test_a_long_finding_is_left_out() -> None:
    """One function whose finding alone is over the budget loses the finding, not the verdict."""
    made = subject(findings=(Finding("x", "error", "y" * 70_000),))
    text = render_comment([made])
    assert len(text) <= MAX_CHARS
    assert "**RESIZE" in text
