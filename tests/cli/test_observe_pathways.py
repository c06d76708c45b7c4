"""`tuner observe --pathways`: how else events could come, as a user asks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.running import one_line, run_here
from tests.observe.archives import Call, write_archive

if TYPE_CHECKING:
    from pathlib import Path

GIVEN = ("observe", "thumbs", "--pathways", "--trigger", "sns", "--rate", "50/s")


def asked(*arguments: str, **variables: str) -> dict[str, Any]:
    ran = run_here(*arguments, "--json", **variables)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)  # held against the schema
    return found


def test_with_trigger_and_rate_nothing_is_read(tmp_path: Path) -> None:
    """No account, no log, nothing kept: the bill of every pathway, its items adding up."""
    found = asked(*GIVEN, "--event-size", "4kB", TUNER_STATE_DIR=str(tmp_path))
    assert (found["kind"], found["function"]) == ("pathways", "thumbs")
    ways = found["pathways"]
    assert (ways["pathway"], ways["trigger_source"], ways["rate_source"]) == (
        "sns",
        "given",
        "given",
    )
    options = {each["name"]: each for each in ways["options"]}
    assert len(options) == 8
    for each in options.values():
        assert each["cost_usd_per_month"] == pytest.approx(
            sum(item["cost_usd"] for item in each["items"])
        )
        assert each["delay_ms"] is None or each["delay_ms"]["as_of"]
    assert options["sns"]["service_usd_per_month"] == pytest.approx(65.70)
    assert not list(tmp_path.iterdir())


def test_the_table_marks_todays_pathway() -> None:
    """One table, a row each, and what is measured with its source; plain ASCII where it must be."""
    ran = run_here(*GIVEN, "--max-delay", "150ms")
    assert ran.returncode == 0, ran.stderr
    rows = [line.split() for line in ran.stdout.splitlines()]
    assert next(row[:2] for row in rows if "SNS" in row and "▶" in row) == ["▶", "SNS"]
    said = " ".join(ran.stdout.split())
    assert "SNS takes 225 ms at p99, over 150 ms" in said
    assert "measured with 1,024 messages" in said
    assert "not documented" in said


def test_the_rate_of_logs_counts_unless_it_is_given(tmp_path: Path) -> None:
    """A key beside the observation; one event an invocation is assumed and said."""
    calls = [Call(number / 60, 100) for number in range(1441)]  # one a minute for a day
    logs = str(write_archive(tmp_path / "logs", {"thumbs": calls}))
    base = ("observe", "thumbs", "--logs", logs, "--pathways", "--trigger", "sqs")
    state = {"TUNER_STATE_DIR": str(tmp_path / "state")}
    ways = asked(*base, **state)["pathways"]
    assert ways["rate_per_s"] == pytest.approx(1441 / 86_400)
    assert ways["rate_source"] == "observed"
    assert any("an event an observed invocation" in each for each in ways["assumptions"])
    assert asked(*base, "--rate", "7/s", **state)["pathways"]["rate_per_s"] == 7
    assert asked("observe", "thumbs", "--logs", logs, **state)["pathways"] is None
    text = run_here(*base, **state).stdout
    assert text.index("invocations") < text.index("thumbs · us-east-1 · SQS (given)")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--max-delay", "1s"), "--max-delay is for --pathways"),
        (("--pathways", "--trigger", "kafka", "--rate", "1/s"), "kafka"),
        (
            ("--pathways", "--trigger", "sns", "--rate", "1/s", "--need", "luck"),
            "'luck' isn't known",
        ),
        (("--pathways", "--trigger", "sns", "--rate", "0/s"), "isn't above 0"),
        (
            ("--pathways", "--trigger", "sns", "--rate", "1/s", "--event-size", "9MB"),
            "out of range",
        ),
        (
            ("--pathways", "--trigger", "sqs", "--rate", "1/s", "--batch-window", "6m"),
            "at most 300 s (--batch-window)",
        ),
        (
            ("--pathways", "--trigger", "sqs", "--rate", "1/s", "--batch-size", "10001"),
            "at most 10,000 events (--batch-size)",
        ),
        (
            ("--pathways", "--trigger", "sqs", "--rate", "1e300/s"),
            "more than there can be: check its unit",
        ),
        (
            ("--pathways", "--trigger", "sns", "--rate", "1/s", "--per-invocation", "3ms"),
            "give --memory-size",
        ),
        (
            ("--pathways", "--trigger", "sns", "--rate", "1/s", "--region", "eu-wset-1"),
            "did you mean eu-west-1",
        ),
    ],
)
def test_what_cannot_be_compared_is_one_clear_line(arguments: tuple[str, ...], told: str) -> None:
    """What is wrong and what to do, with a non-zero exit."""
    ran = run_here("observe", "thumbs", *arguments)
    assert told in one_line(ran)


def test_logs_tell_no_trigger(tmp_path: Path) -> None:
    """With files the trigger must be given, and the message names the flag."""
    logs = str(write_archive(tmp_path / "logs", {"thumbs": [Call(0, 100), Call(9, 100)]}))
    ran = run_here(
        *("observe", "thumbs", "--logs", logs, "--pathways"), TUNER_STATE_DIR=str(tmp_path / "s")
    )
    assert "say how events reach the function: --trigger" in one_line(ran)
