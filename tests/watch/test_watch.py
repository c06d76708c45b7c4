"""`tuner watch --logs`: findings with evidence, price and remedy, exit codes, and bad input."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.running import one_line, run_here
from tests.logs import forms
from tests.logs.forms import Invocation
from tests.observe.archives import steady, write_archive

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
    assert evidence["refactoring_saves_usd_per_hour"] == pytest.approx(
        30 * (rate + 2e-7) / hours, rel=1e-6
    )
    in_last_hour = sum(each >= 60 for each in at)
    assert found["usd_per_hour"] == pytest.approx(in_last_hour * (rate + 2e-7), rel=1e-6)
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


def test_a_message_that_failed_is_told_until_it_was_taken_away(tmp_path: Path) -> None:
    """Twenty failures a minute apart, then two hours without; not told of the last hour alone."""
    own = ('{"level": "ERROR", "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d"}',)
    made = [
        Invocation(each, own=own, status="error") if each < 20 else Invocation(each)
        for each in range(140)
    ]
    [found] = watched(tmp_path, made, "--detailed-exitcode", code=13)["findings"]
    assert (found["code"], found["since"]) == ("poison_message", forms.iso(made[0].end_ms))
    assert found["until"] == forms.iso(made[19].end_ms)
    assert found["usd_per_hour"] == 0
    evidence = found["evidence"]
    assert (evidence["failure_count"], evidence["message_count"]) == (20, 1)
    assert evidence["interval_s"] == 60
    narrowed = watched(tmp_path, made, "--days", "0.04", "--detailed-exitcode")
    assert narrowed["findings"] == []
    assert narrowed["functions"][0]["invocation_count"] < 60


def test_a_batch_that_fails_counts_once_for_all_its_messages(tmp_path: Path) -> None:
    """Three messages in each of twenty failures: twenty failures, by hand what they cost."""
    ids = [f'"messageId": "059f36b4-87a3-44ab-83d2-66197583{each}"' for each in (1000, 2000, 3000)]
    own = tuple(f'{{"level": "ERROR", {each}}}' for each in ids)
    made = [Invocation(each, own=own, status="error") for each in range(20)]
    [found] = watched(tmp_path, made)["findings"]
    evidence = found["evidence"]
    assert (evidence["failure_count"], evidence["message_count"]) == (20, 3)
    assert evidence["interval_s"] == 60
    cost_usd = 20 * (128 / 1000 * 0.0000166667 + 2e-7)
    assert evidence["cost_usd"] == pytest.approx(cost_usd, rel=1e-6)
    assert found["usd_per_hour"] == pytest.approx(cost_usd * 60 / 19, rel=1e-6)


def test_several_functions_are_one_answer(tmp_path: Path) -> None:
    """Each with its own reports, and the text says what is found of which."""
    logs = write_archive(
        tmp_path / "logs", {"a": steady(days=1, per_day=50, billed_ms=100, seed=1),
                            "b": steady(days=1, per_day=70, billed_ms=100, seed=2)},
    )  # fmt: skip
    words = ("watch", "a", "b", "--logs", str(logs))
    state = {"TUNER_STATE_DIR": str(tmp_path / "state")}
    answer = json.loads(run_here(*words, "--json", **state).stdout)
    counts = [(each["name"], each["invocation_count"]) for each in answer["functions"]]
    assert counts == [("a", 50), ("b", 70)]
    assert any("history" in each for each in answer["functions"][0]["not_judged"])
    text = run_here(*words, **state).stdout
    assert "Nothing unusual." in text
    [head] = [line for line in text.splitlines() if line.startswith("b · us-east-1")]
    assert head.startswith("b · us-east-1 · 1024 MB · 70 invocations in 23.")
    assert "hours to 2026-03-01 23:" in head  # when now is, as far as the log tells


def test_the_count_stands_beside_the_days_that_it_is_of(tmp_path: Path) -> None:
    """With --days that's the window; what the logs have from before is told as history."""
    logs = write_archive(
        tmp_path / "logs", {"a": steady(days=10, per_day=50, billed_ms=100, seed=1)}
    )
    words = ("watch", "a", "--logs", str(logs))
    state = {"TUNER_STATE_DIR": str(tmp_path / "state")}
    narrowed = " ".join(run_here(*words, "--days", "3", **state).stdout.split())
    count = json.loads(run_here(*words, "--days", "3", "--json", **state).stdout)
    assert 140 <= count["functions"][0]["invocation_count"] <= 160
    assert "invocations in 3.0 days of 10.0 days to 2026-03-" in narrowed
    assert "500 invocations in 10.0 days to 2026-03-" in " ".join(
        run_here(*words, **state).stdout.split()
    )


def test_logs_without_times_or_of_another_function_are_one_line(tmp_path: Path) -> None:
    """Nothing can be judged of them, and what to do is said."""
    events = Invocation(1).text_events()
    (tmp_path / "logs").write_bytes(forms.plain(events))
    state = {"TUNER_STATE_DIR": str(tmp_path / "state")}
    ran = run_here("watch", "thumbs", "--logs", str(tmp_path / "logs"), **state)
    assert ran.returncode == 1
    assert "no line has a time" in one_line(ran)
    logs = write_archive(
        tmp_path / "named", {"a": steady(days=1, per_day=50, billed_ms=100, seed=1)}
    )
    ran = run_here("watch", "b", "--logs", str(logs), **state)
    assert ran.returncode == 1
    assert "the logs are of a" in one_line(ran)


def test_timeouts_are_priced_with_what_they_are_of_the_whole(tmp_path: Path) -> None:
    """A third times out after 3 s, which costs most of it; a shorter timeout is named, by hand."""
    at = set(random.Random(5).sample(range(150), 50))
    made = [
        Invocation(each, duration="3000.00", billed_ms=3000, status="timeout")
        if each in at
        else Invocation(each)
        for each in range(150)
    ]
    [found] = watched(tmp_path, made, "--detailed-exitcode", code=13)["findings"]
    assert (found["code"], found["severity"]) == ("timeout_cost", "warning")
    evidence = found["evidence"]
    rate = 0.0000166667
    wasted, useful = 50 * (3 * rate + 2e-7), 100 * (0.128 * rate + 2e-7)
    assert evidence["timeout_count"] == 50
    assert evidence["wasted_usd"] == pytest.approx(wasted, rel=1e-6)
    assert evidence["cost_factor"] == pytest.approx((wasted + useful) / useful, rel=1e-6)
    assert "A timeout near 0.3 s" in found["action"]


TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
MESSAGE = '{"level": "ERROR", "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d"}'


@pytest.mark.parametrize("code", ["poison_message", "recursion"])
def test_a_finding_costs_what_its_last_hour_did(tmp_path: Path, code: str) -> None:
    """Two hours of one message or one chain: the second hour is a tenth of the first, by hand."""

    def made(number: int) -> Invocation:
        took = 400_000 if number < 60 else 40_000
        own, status = MESSAGE, "error"
        if code == "recursion":
            own, status = f"trace {TRACE};Lineage=a87bd80c:{number + 1}", None
        took_as_said = {"duration": f"{took}.00", "billed_ms": took}
        return Invocation(number, own=(own,), status=status, **took_as_said)

    [found] = watched(tmp_path, [made(each) for each in range(120)])["findings"]
    assert (found["code"], found["until"]) == (code, None)
    rate = 0.0000166667
    whole = 60 * 440 * rate + 120 * 2e-7
    assert found["evidence"]["cost_usd"] == pytest.approx(whole, rel=1e-6)
    assert found["usd_per_hour"] == pytest.approx(60 * (40 * rate + 2e-7), rel=1e-6)


@pytest.mark.parametrize(("year", "place"), [("1970", 0), ("9998", -1)])
def test_a_time_of_a_clock_that_was_never_set_takes_no_time(
    tmp_path: Path, year: str, place: int
) -> None:
    """Decades without a line are not gone through minute by minute: the message is found."""
    own = (MESSAGE,)
    made = [Invocation(each, own=own, status="error") for each in range(20)]
    events = [event for each in made for event in each.text_events()]
    lines = forms.exported(events).decode().splitlines()
    odd = forms.exported(Invocation(999).text_events()).decode().splitlines()[-1]
    lines.insert(len(lines) if place else 0, year + odd[4:])
    (tmp_path / "logs").write_text("\n".join(lines))
    ran = run_here(
        *("watch", "thumbs", "--logs", str(tmp_path / "logs"), "--json"),
        TUNER_STATE_DIR=str(tmp_path / "state"),
    )
    assert ran.returncode == 0, ran.stderr
    [found] = json.loads(ran.stdout)["findings"]
    assert (found["code"], found["evidence"]["failure_count"]) == ("poison_message", 20)
