"""The day that prices are old by: warned of in every report, and set by SOURCE_DATE_EPOCH."""

from __future__ import annotations

import pytest

from tests.cli.running import one_line, run_here

SWEEP = "examples/sweeps/mixed.jsonl"
IN_2030 = "1893456000"
SOON = "1790000000"  # 2026-09-21: 21 days after us-east-1's Lambda prices were confirmed
REPORTS = [
    ("report", "text"),
    ("report", "json"),
    ("report", "markdown"),
    ("report", "html"),
    ("break-even", "text"),
    ("break-even", "json"),
    ("break-even", "markdown"),
]


@pytest.mark.parametrize(("command", "form"), REPORTS)
def test_old_prices_are_a_warning_in_every_report(command: str, form: str) -> None:
    """Whatever the format, it says how old they are and what renews them."""
    ran = run_here(command, SWEEP, "--format", form, SOURCE_DATE_EPOCH=IN_2030)
    assert ran.returncode == 0, ran.stderr
    said = " ".join(ran.stdout.split()).replace("\\-", "-")
    assert "days ago: tuner prices refresh asks AWS" in said


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
def test_a_comparison_warns_as_well(form: str) -> None:
    """It weighs costs, and so it rests on prices."""
    ran = run_here("compare", SWEEP, SWEEP, "--format", form, SOURCE_DATE_EPOCH=IN_2030)
    assert "days ago: tuner prices refresh asks AWS" in " ".join(ran.stdout.split())


def test_prices_that_are_not_old_are_not_warned_of() -> None:
    """90 days are borne; the break-even's other prices are older than Lambda's."""
    ran = run_here("report", SWEEP, SOURCE_DATE_EPOCH=SOON)
    assert "prices refresh" not in ran.stdout
    assert "prices refresh" in run_here("break-even", SWEEP, SOURCE_DATE_EPOCH=SOON).stdout


def test_what_is_no_time_is_one_clear_line() -> None:
    """SOURCE_DATE_EPOCH is named."""
    ran = run_here("report", SWEEP, SOURCE_DATE_EPOCH="yesterday")
    assert "SOURCE_DATE_EPOCH" in one_line(ran)
