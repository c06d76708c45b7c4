"""`tuner watch --logs`: findings with evidence, price and remedy, exit codes, and bad input."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.running import one_line, run_here
from tests.logs import forms
from tests.logs.forms import Invocation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def watched(
    folder: Path, invocations: Sequence[Invocation], *arguments: str, code: int = 0
) -> dict[str, Any]:
    """The answer about these invocations, which come a minute apart."""
    events = [event for each in invocations for event in each.text_events()]
    (folder / "logs").write_bytes(forms.exported(events))
    ran = run_here(
        *("watch", "thumbs", "--logs", str(folder / "logs"), "--json", *arguments),
        TUNER_STATE_DIR=str(folder / "state"),
    )
    assert ran.returncode == code, ran.stderr
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer


def test_kills_are_answered_by_memory_and_by_using_less(tmp_path: Path) -> None:
    """One in four is killed: the price of twice the memory, and what kills waste, by hand."""
    killed = {"status": "error\tError Type: Runtime.OutOfMemory"}
    at = {0, *random.Random(4).sample(range(1, 119), 29)}
    made = [Invocation(each, **(killed if each in at else {})) for each in range(120)]
    answer = watched(tmp_path, made, "--detailed-exitcode", code=13)
    [found] = answer["findings"]
    assert (found["code"], found["severity"]) == ("out_of_memory_kills", "warning")
    assert found["until"] is None
    evidence = found["evidence"]
    assert (evidence["kill_count"], evidence["invocation_count"]) == (30, 120)
    hours = 119 / 60
    rate = 128 / 1000 * 0.0000166667
    assert evidence["wasted_usd"] == pytest.approx(30 * (rate + 2e-7), rel=1e-6)
    assert found["usd_per_hour"] == pytest.approx(30 * (rate + 2e-7) / hours, rel=1e-6)
    assert evidence["more_memory_mb"] == 2048
    assert evidence["more_memory_usd_per_hour"] == pytest.approx(120 * rate / hours, rel=1e-6)
    assert "2,048 MB" in found["action"]


def test_a_quiet_function_has_no_finding_and_exit_code_zero(tmp_path: Path) -> None:
    """Two hours of successes are told of as they are."""
    answer = watched(tmp_path, [Invocation(each) for each in range(120)], "--detailed-exitcode")
    assert answer["findings"] == []
    [function] = answer["functions"]
    assert (function["name"], function["invocation_count"]) == ("thumbs", 120)


def test_files_and_an_account_exclude_each_other(tmp_path: Path) -> None:
    """It's a usage error in one line."""
    ran = run_here("watch", "thumbs", "--live", "--logs", str(tmp_path))
    assert ran.returncode == 2
    assert "--live" in one_line(ran)
