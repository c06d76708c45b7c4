"""`tuner watch --stop-at`: what a function costs now, who agrees to stop it, and what is told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import typer

from tests.aws.live_log import STREAM, lines, make_live_function
from tests.aws.moto_process import REGION, client, make_function, moto_process
from tests.aws.wire import Received, Reply, WireServer, refusal
from tests.cli.running import one_line, run_here
from tests.sweeps import made_function
from tuner.api.reading import Caller, LiveRequest
from tuner.api.stopping import CostNow, _cost_by_log, _other_sizes, cost_by_metrics
from tuner.aws import connect
from tuner.aws.log_groups import to_ms
from tuner.aws.services import Services
from tuner.aws.session import open_session
from tuner.cli.values import usd_per_hour
from tuner.model.request import Target
from tuner.pricing import load_price_book

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Sequence
    from pathlib import Path

NOW = datetime(2026, 11, 30, 10, 0, 30, tzinfo=UTC)
PRICES = load_price_book().lambda_prices("us-east-1", "x86_64")


def cost(
    counts: dict[int, float],
    took_ms: dict[int, float],
    by_live_ms: dict[int, float] | None = None,
) -> CostNow | None:
    """By CloudWatch's data points, each so many minutes before 10:00; some by an alias at 256 MB,
    where $LATEST has 1,024.
    """

    def answer(received: Received) -> Reply:
        [query] = received.json["MetricDataQueries"]
        metric = query["MetricStat"]["Metric"]
        dimensions = {each["Name"]: each["Value"] for each in metric["Dimensions"]}
        by_name = {"Invocations": counts, "Duration": took_ms}
        whole = "Resource" not in dimensions
        given = (by_name[metric["MetricName"]] if whole else by_live_ms or {}).items()
        assert whole or dimensions["Resource"] == "made:live"
        points = {
            (NOW.replace(second=0) - timedelta(minutes=ago)).timestamp(): value
            for ago, value in given
        }
        asked = {at: each for at, each in points.items() if at >= received.json["StartTime"]}
        result = {"Id": "m0", "Timestamps": [*asked], "Values": [*asked.values()]}
        return Reply(body={"MetricDataResults": [result]})

    return asked(answer, () if by_live_ms is None else [("live", 256)])


def asked(answer: Any, aliases: Sequence[tuple[str, int]] = ()) -> CostNow | None:
    with WireServer() as wire:
        wire.answer = answer
        session = open_session(region="us-east-1", profile=None, endpoint_url=wire.url)
        with Services(session, purpose="watch", sleep=lambda _s: None) as services:
            function = replace(made_function(1024), timeout_s=900)
            return cost_by_metrics(services, function, PRICES, NOW, aliases)


def test_five_minutes_tell_what_an_hour_costs() -> None:
    """By hand: 1,000 invocations of 3 s at 1 GB in the five minutes up to the newest one."""
    minutes = dict.fromkeys((1, 2, 3, 4, 5), 200.0) | {8: 5000.0}
    found = cost(minutes, {ago: each * 3000 for ago, each in minutes.items()})
    assert found is not None
    assert found.invocation_count == 1000
    assert found.usd_per_hour == pytest.approx(12 * (1000 * 2e-7 + 3000 * 0.0000166667))


def test_what_an_alias_takes_costs_what_its_version_does() -> None:
    """Three quarters of the time by an alias at a quarter of the size, by hand."""
    minutes = dict.fromkeys((1, 2, 3, 4, 5), 200.0)
    took_ms = {ago: each * 3000 for ago, each in minutes.items()}
    found = cost(minutes, took_ms, {ago: 0.75 * each for ago, each in took_ms.items()})
    assert found is not None
    gb_s = 3000 * (0.25 + 0.75 * 0.25)
    assert found.usd_per_hour == pytest.approx(12 * (1000 * 2e-7 + gb_s * 0.0000166667))


def test_an_alias_counts_at_the_least_memory_that_it_routes_to() -> None:
    """Not one whose version has what $LATEST has; nothing where none may be read."""
    with moto_process() as url:
        make_function(url, "made", MemorySize=256)
        functions = client("lambda", url)
        for memory_mb in (256, 512, 1024):
            functions.update_function_configuration(FunctionName="made", MemorySize=memory_mb)
            functions.publish_version(FunctionName="made", Description=f"{memory_mb}")
        for name, version, weights in (
            ("live", "1", {}),
            ("split", "2", {"3": 0.5}),
            ("next", "3", {}),
        ):
            functions.create_alias(
                FunctionName="made",
                Name=name,
                FunctionVersion=version,
                RoutingConfig={"AdditionalVersionWeights": weights},
            )
        with connect(region=REGION, profile=None, endpoint_url=url, function="made") as gateway:
            found = _other_sizes(gateway, gateway.read_function("made"))
    assert sorted(found) == [("live", 256), ("split", 512)]


def test_what_ended_minutes_ago_is_no_emergency() -> None:
    """A burst that CloudWatch saw six minutes ago costs nothing now; no data point isn't known."""
    found = cost({6: 1e6, 7: 1e6}, {6: 1e9, 7: 1e9})
    assert found is not None
    assert (found.usd_per_hour, found.invocation_count) == (0.0, 0)
    assert cost({}, {}) is None
    assert asked(lambda _: refusal(403, "AccessDenied", "no")) is None


@pytest.mark.parametrize("took_min", [2, 6, 15])
def test_invocations_that_take_minutes_cost_what_they_take(took_min: int) -> None:
    """CloudWatch tells of them once they have ended, in the minute in which they began: the last
    ones that it can know of count, by hand; those that ended minutes ago don't.
    """
    minutes = {took_min + ago: 100.0 for ago in range(1, 15)}
    took_ms = {ago: each * took_min * 60_000 for ago, each in minutes.items()}
    found = cost(minutes, took_ms)
    assert found is not None
    assert found.invocation_count == 500
    seconds = 500 * took_min * 60
    assert found.usd_per_hour == pytest.approx(12 * (500 * 2e-7 + seconds * 0.0000166667))
    ended = cost(
        {ago + 5: each for ago, each in minutes.items()},
        {ago + 5: each for ago, each in took_ms.items()},
    )
    assert ended is not None
    assert ended.usd_per_hour == 0


@pytest.mark.parametrize("text", ["20usd/h", "$20/h", "20 USD/hour", "20/h"])
def test_a_limit_is_dollars_an_hour(text: str) -> None:
    """However it's written."""
    assert usd_per_hour(text) == 20


@pytest.mark.parametrize("text", ["20", "20usd", "20/day", "0usd/h", "-1/h", "1.2.3/h"])
def test_a_limit_without_the_hour_is_refused(text: str) -> None:
    """20 could be a day's."""
    with pytest.raises(typer.BadParameter):
        usd_per_hour(text)


@pytest.mark.parametrize("arguments", [("--logs", "x"), (), ("--live", "--alarms", "terraform")])
def test_it_takes_the_account_and_the_explicit_flag(arguments: tuple[str, ...]) -> None:
    """Logs say what was, and alarms are written, not carried out."""
    ran = run_here("watch", "made", "--stop-at", "20usd/h", *arguments)
    assert ran.returncode == 2
    assert "--stop-at goes with --live" in one_line(ran)


def test_without_metrics_the_log_is_read_anew_each_time(tmp_path: Path) -> None:
    """What it costs now isn't what it cost when it was asked first, minutes ago."""
    now = datetime.now(UTC)
    with moto_process() as url:
        make_live_function(url)
        request = LiveRequest("resize", Target(region=REGION, endpoint_url=url))

        def count(at: datetime) -> int:
            found = _cost_by_log("resize", request, Caller(tmp_path, at, lambda _: True))
            return found.invocation_count

        assert count(now) == 0
        client("logs", url).put_log_events(
            logGroupName="/aws/lambda/resize",
            logStreamName=STREAM,
            logEvents=[
                {"timestamp": to_ms(now + timedelta(seconds=number)), "message": text}
                for number in range(50, 60)
                for text in lines(number, 1024)
            ],
        )
        assert count(now + timedelta(minutes=2)) == 10


@pytest.fixture
def url() -> Iterator[str]:
    """A function of 1 GB whose last minutes cost $60 an hour by CloudWatch."""
    with moto_process() as url:
        make_live_function(url)
        now = datetime.now(UTC)
        client("cloudwatch", url).put_metric_data(
            Namespace="AWS/Lambda",
            MetricData=[
                {
                    "MetricName": name,
                    "Dimensions": [{"Name": "FunctionName", "Value": "resize"}],
                    "Timestamp": now - timedelta(minutes=ago),
                    "Value": value,
                }
                for ago in (1, 2, 3, 4, 5)
                for name, value in (("Invocations", 100.0), ("Duration", 6e7))
            ],
        )
        yield url


@pytest.mark.slow
def test_it_is_stopped_told_and_let_run_again(url: str, tmp_path: Path) -> None:
    """Only with --yes or a terminal, and only from the limit on; then recover undoes it."""
    lambdas = client("lambda", url)

    def reserved() -> int | None:
        found: int | None = lambdas.get_function_concurrency(FunctionName="resize").get(
            "ReservedConcurrentExecutions"
        )
        return found

    def watch(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run_here(
            *("watch", "resize", "--live", "--endpoint-url", url, "--region", REGION, *arguments),
            TUNER_STATE_DIR=str(tmp_path),
        )

    assert watch().returncode == 0
    below = watch("--stop-at", "1000usd/h", "--yes")
    assert (below.returncode, reserved()) == (0, None)
    paid = watch("--stop-at", "40usd/h", "--discount", "50%", "--yes")
    assert (paid.returncode, reserved()) == (0, None)
    assert "resize costs $30.00 an hour" in paid.stdout
    asked_for = watch("--stop-at", "20usd/h")
    assert (asked_for.returncode, reserved()) == (2, None)
    assert "pass --yes" in asked_for.stderr
    lambdas.put_function_concurrency(FunctionName="resize", ReservedConcurrentExecutions=5)
    ran = watch("--stop-at", "20usd/h", "--yes", "--json")
    assert (ran.returncode, reserved()) == (0, 0), ran.stderr
    [stop] = json.loads(ran.stdout)["stops"]
    assert (stop["stopped"], stop["reserved_before"]) == (True, 5)
    assert stop["usd_per_hour"] == pytest.approx(60, rel=0.02)
    assert "--reserved-concurrent-executions 5" in stop["undo"]
    assert "resize is STOPPED: reserved concurrency 0, was 5" in ran.stderr
    again = watch("--stop-at", "20usd/h", "--yes")
    assert "not stopped, it is stopped since" in again.stdout
    elsewhere = run_here(
        *("watch", "resize", "--live", "--endpoint-url", url, "--region", REGION),
        *("--stop-at", "20usd/h", "--yes"),
        TUNER_STATE_DIR=str(tmp_path / "elsewhere"),
    )
    assert elsewhere.returncode == 0, elsewhere.stderr
    assert "is 0 already, and tuner didn't set it" in elsewhere.stdout
    undone = run_here("recover", "--yes", "--endpoint-url", url, TUNER_STATE_DIR=str(tmp_path))
    assert (undone.returncode, reserved()) == (0, 5), undone.stderr
    assert "let it run again" in undone.stdout
    client("logs", url).delete_log_group(logGroupName="/aws/lambda/resize")
    unwatched = watch("--stop-at", "20usd/h", "--yes", "--json")
    assert (unwatched.returncode, reserved()) == (1, 0)
    told = json.loads(unwatched.stdout)["message"]
    assert told.startswith("resize is STOPPED (tuner recover lets it run again); then: ")


def test_its_policy_changes_nothing_but_reserved_concurrency() -> None:
    """Two actions that change, on this function alone; the rest is what watching reads."""
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:resize"
    policy = json.loads(run_here("iam-policy", arn, "--for", "stop").stdout)
    reading = json.loads(run_here("iam-policy", arn, "--for", "watch").stdout)
    added = [each for each in policy["Statement"] if each not in reading["Statement"]]
    assert {each["Sid"]: (each["Action"], each["Resource"]) for each in added} == {
        "OptionalSeeSizesOfAliases": (
            ["lambda:ListAliases", "lambda:ListVersionsByFunction"],
            arn,
        ),
        "ReadReservedConcurrency": ("lambda:GetFunctionConcurrency", arn),
        "StopItAndLetItRunAgain": (
            ["lambda:DeleteFunctionConcurrency", "lambda:PutFunctionConcurrency"],
            arn,
        ),
    }
    assert "FUNCTION" in one_line(run_here("iam-policy", "--for", "stop"))
