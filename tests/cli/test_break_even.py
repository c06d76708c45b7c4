"""`tuner break-even` from a saved sweep."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.running import run_here
from tests.sweeps import made_sweep, save_sweep
from tuner.observe import kept


@pytest.fixture
def sweep_file(tmp_path: Path) -> str:
    sweep = made_sweep(lambda memory_mb: 250 + 5 * 1769 / min(memory_mb, 1769))
    return save_sweep(tmp_path / "made.jsonl", sweep)


def test_the_answer_is_shown_in_every_format(sweep_file: str) -> None:
    """Text with the chart, JSON, Markdown, and a page of its own."""
    text = run_here("break-even", sweep_file, "--rate", "1000/s")
    assert text.returncode == 0
    assert "CANDIDATE FOR CONTAINERS" in text.stdout
    found = json.loads(run_here("break-even", sweep_file, "--per-month", "30M", "--json").stdout)
    assert found["rate_per_s"] == pytest.approx(30e6 / 2_628_000)
    same = json.loads(run_here("break-even", sweep_file, "--rate", "30M/month", "--json").stdout)
    assert same["rate_per_s"] == found["rate_per_s"]
    markdown = run_here("break-even", sweep_file, "--format", "markdown").stdout
    assert markdown.startswith("**BREAK-EVEN")
    page = Path(sweep_file).with_suffix(".html")
    asked = ("--rate", "1000/s", "--format", "html", "--out", str(page))
    assert run_here("break-even", sweep_file, *asked).returncode == 0
    shown = page.read_text(encoding="utf-8")
    assert "CANDIDATE FOR CONTAINERS" in shown
    assert "made.jsonl" in shown
    assert str(page.parent) not in shown


def test_ecs_s_rows_that_equal_ec2_s_are_explained() -> None:
    """The reason stands below the table, in text and Markdown; nowhere if they differ."""
    for more in ((), ("--format", "markdown")):
        ran = run_here("break-even", "examples/sweeps/mixed.jsonl", "--rate", "50/s", *more)
        assert "ECS adds no fee to its instances" in " ".join(ran.stdout.split())


def test_small_amounts_keep_their_cents_and_one_is_singular() -> None:
    """An interval below 100 dollars says more than whole dollars; the bill multiplies with ×."""
    text = run_here("break-even", "examples/sweeps/mixed.jsonl", "--rate", "1/s", "--bill").stdout
    assert "· 1 request/s\n" in text
    row = next(line for line in text.splitlines() if line.startswith("  Lambda "))
    assert re.search(r" 6\.74 +6\.\d\d–7\.\d\d$", row.rstrip())
    assert re.search(r"request +× 0\.0000002 ", text)


def test_what_was_observed_lately_counts(sweep_file: str, tmp_path: Path) -> None:
    """Rate and memory of a fresh observation; a rate that is given stays as it is."""
    seen = {
        "kind": "observation",
        "function": {"name": "made", "region": "us-east-1"},
        "window": {"to": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}Z"},
        "rate_per_s": 1000.0,
        "cold_start_share": 0.2,
        "by_memory": [{"memory_mb": 1024, "invocation_count": 9000, "max_memory_used_mb": 700}],
    }
    kept.keep(tmp_path, seen)
    ran = run_here("break-even", sweep_file, "--json", TUNER_STATE_DIR=str(tmp_path))
    found = json.loads(ran.stdout)
    assert "Rate: 1,000 requests/s, by the observation until" in ran.stderr
    assert (found["rate_per_s"], found["work"]["memory_used_mb"]) == (1000.0, 700)
    asked = ("break-even", sweep_file, "--rate", "5/s", "--json")
    given = run_here(*asked, TUNER_STATE_DIR=str(tmp_path))
    assert json.loads(given.stdout)["rate_per_s"] == 5.0
    assert "Rate" not in given.stderr


def test_leaving_has_an_exit_code_of_its_own(sweep_file: str) -> None:
    """11 for leaving, 12 for too close, 0 for staying, where it is asked for."""
    for rate, code in (("1000/s", 11), ("50/s", 12), ("60/min", 0)):
        ran = run_here("break-even", sweep_file, "--rate", rate, "--detailed-exitcode")
        assert ran.returncode == code


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--rate", "0"), "isn't above 0"),
        (("--rate", "fifty"), "'fifty' isn't a rate: write 50/s"),
        (("--per-month", "many"), "'many' isn't a number: write 50, 500k or 30M"),
        (("--rate", "5/fortnight"), "no known unit"),
        (("--rate", "1/s", "--per-month", "1M"), "not several"),
        (("--traffic", "nowhere.csv"), "can't be read"),
        (("--rate", "1/s", "--peak-ratio", "0.5"), "give 1 or more"),
    ],
)
def test_what_cannot_be_is_one_clear_line(
    sweep_file: str, options: tuple[str, ...], complaint: str
) -> None:
    """Bad traffic is named in one line on stderr, with nothing on stdout."""
    ran = run_here("break-even", sweep_file, *options)
    assert ran.returncode != 0
    assert ran.stdout == ""
    assert complaint in ran.stderr
    assert ran.stderr.count("\n") == 1
