"""A scan in words: how savings, places and what couldn't be read are written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.observe.test_scanning import FUNCTION, advised, scanned
from tuner.model.account import ReadingCost
from tuner.model.finding import Finding
from tuner.model.interval import Interval
from tuner.model.observation import Window
from tuner.model.scan import Scan, ScannedFunction
from tuner.report.page.functions import render_scan
from tuner.report.scan import render, saving_cell, to_json


def scan_of(*functions: ScannedFunction) -> Scan:
    cost = ReadingCost(2.5e9, 0.0125, 10, 0.0001)
    assumed = ("list prices",)
    return Scan(functions, Window(), ("here",), cost, "2026-08-31", (), assumed)


def made(name: str, account: str = "123456789012") -> ScannedFunction:
    advice = advised("resize", 512, 40.0)
    function = replace(FUNCTION, name=name, account=account)
    return replace(scanned(), function=function, cost_usd_per_month=100.0, advice=advice)


@pytest.mark.parametrize(
    ("saving", "expected"),
    [
        (Interval(147.711, 67.69, 1175.03), "147.71 (67.69–1,175.03)"),
        (Interval(3.04, -0.31, 9.14), "3.04 (−0.31 to 9.14)"),
        (None, "–"),
    ],
)
def test_a_saving_is_written_with_its_interval(saving: Interval | None, expected: str) -> None:
    """An end below zero has a minus sign and a word between."""
    assert saving_cell(saving) == expected


def test_places_are_told_where_there_are_several() -> None:
    """One region says nothing; two accounts are told apart."""
    assert "eu-west-1" not in render(scan_of(made("a")), width=100, encoding="utf-8")
    both = render(scan_of(made("a"), made("b", "210987654321")), width=100, encoding="utf-8")
    assert "210987654321 eu-west-1" in both


def test_only_so_many_rows_are_shown_and_the_rest_is_counted() -> None:
    """What is left out is said, and the findings name functions of all."""
    noted = replace(made("z"), findings=(Finding("function_idle", "info", "it wasn't invoked"),))
    text = render(
        scan_of(*[made(f"f{n}") for n in range(3)], noted), width=100, encoding="utf-8", top=2
    )
    assert "f1 " in text
    assert "f2 " not in text
    assert "and 2 more functions" in text
    assert "· Not invoked, 1: z" in text


def test_a_finding_without_a_heading_of_its_own_has_its_code() -> None:
    """In text and on the page, a function's finding is headed even if nobody wrote a heading."""
    noted = replace(made("z"), findings=(Finding("never_seen", "warning", "it is odd"),))
    assert "! Never seen, 1: z (it is odd)" in render(scan_of(noted), width=100, encoding="utf-8")
    assert "Never seen, 1: z" in render_scan(scan_of(noted))


def test_no_escape_sequence_of_a_finding_reaches_the_terminal() -> None:
    """What archives and AWS say of functions is shown as words, whatever is in it."""
    foreign = "\x1b[31mred\x1b[0m\u202e\x07"
    noted = replace(made("z"), findings=(Finding("logs_not_read", "warning", foreign),))
    own = (Finding("logs_not_read", "warning", foreign),)
    found = replace(scan_of(noted), findings=own, assumptions=(foreign,))
    text = render(found, width=100, encoding="utf-8")
    assert text.count("[31mred") == 3
    assert not set("\x1b\u202e\x07") & set(text)


def test_ascii_alone_is_enough() -> None:
    """A terminal without Unicode gets stand-ins, never an error."""
    assert render(scan_of(made("a")), width=80, encoding="ascii").isascii()


def test_unknown_figures_are_null_and_no_key_is_left_out() -> None:
    """A function of an unknown region has no cost; its object has the same keys."""
    known, unknown = made("a"), replace(made("b"), cost_usd_per_month=None, advice=None)
    first, second = to_json(scan_of(known, unknown))["functions"]
    assert first.keys() == second.keys()
    assert (second["cost_usd_per_month"], second["advice"]) == (None, None)
