"""`observe` without files, against moto in a process of its own: the same answer by either way."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws.live_log import (
    COUNT,
    LAST_HOUR,
    NOW,
    STREAM,
    billed_mb_ms,
    lines,
    make_live_function,
    request_id,
)
from tests.aws.moto_process import REGION, client, make_function, moto_process
from tests.cli.running import run_here
from tuner.api.live_reports import open_services
from tuner.api.observing_live import live_logs, observe_live
from tuner.api.overheads import OverheadsRequest, overheads_live
from tuner.api.pathways import read_trigger
from tuner.api.reading import Caller, LiveRequest
from tuner.aws.function_list import version_layers
from tuner.aws.log_groups import to_ms
from tuner.errors import FunctionNotFoundError, InputError, NotAgreedError, PriceError, UsageError
from tuner.model.request import Target
from tuner.pricing import load_price_book

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from tuner.model.account import ReadingCost
    from tuner.model.observation import Observation


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with moto_process() as url:
        make_live_function(url)
        yield url


@pytest.fixture
def observe(url: str, tmp_path: Path) -> Callable[..., Observation]:
    def run(function: str = "resize", **given: Any) -> Observation:
        caller = Caller(tmp_path, NOW, given.pop("agree", lambda _: True))
        book = given.pop("price_book", None)
        where = Target(region=REGION, endpoint_url=url)
        return observe_live(LiveRequest(function, where, **given), caller, price_book=book)

    return run


@pytest.mark.slow
@pytest.mark.parametrize("source", ["insights", "events"])
def test_either_way_every_report_counts_once(
    observe: Callable[..., Observation], source: str
) -> None:
    """By hand: invocations, billed time to the last digit, sizes, outcomes; what metrics add."""
    found = observe(source=source)
    usage = found.usage
    assert usage.invocation_count == COUNT
    assert usage.billed_mb_ms == billed_mb_ms()
    assert (usage.timeout_count, usage.cold_start_count) == (4, 4)
    assert [(each.memory_mb, each.version) for each in found.by_memory] == [(512, "7"), (1024, "7")]
    assert (found.memory_mb, found.throttle_count, found.max_concurrency) == (1024, 3, 2)
    assert found.window.seconds == 14 * 86_400
    assert found.rate_per_s == pytest.approx(COUNT / (14 * 86_400))
    assert float(found.log_ingestion_cost_usd or 0) == pytest.approx(2 * 0.57, rel=0.2)
    assert found.ephemeral_storage_cost_usd == 0


def test_the_same_question_asks_for_no_log_again(
    observe: Callable[..., Observation], tmp_path: Path
) -> None:
    """Nobody is asked about a price, and the answer is the same; no message is kept."""
    asked: list[ReadingCost] = []

    def agree(cost: ReadingCost) -> bool:
        asked.append(cost)
        return True

    first = observe(agree=agree)
    assert observe(agree=agree) == first
    assert len(asked) == 1
    kept = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert b"secret" not in kept


def test_a_window_that_was_narrowed_is_kept_as_well(url: str, tmp_path: Path) -> None:
    """Two million invocations: the later half, asked again within the hour, costs nothing."""
    make_live_function(url, "busy")
    first, then = LAST_HOUR + timedelta(minutes=5), LAST_HOUR + timedelta(minutes=6)
    client("cloudwatch", url).put_metric_data(
        Namespace="AWS/Lambda",
        MetricData=[
            {
                "MetricName": "Invocations",
                "Dimensions": [{"Name": "FunctionName", "Value": "busy"}],
                "Timestamp": first - timedelta(days=1),
                "Value": 2e6,
            }
        ],
    )
    asked: list[ReadingCost] = []

    def agree(cost: ReadingCost) -> bool:
        asked.append(cost)
        return True

    request = LiveRequest("busy", Target(region=REGION, endpoint_url=url))
    for now in (first, then):
        found = observe_live(request, Caller(tmp_path, now, agree))
        assert "window_narrowed" in [each.code for each in found.findings]
    assert len(asked) == 1


@pytest.mark.parametrize("source", ["insights", "events"])
def test_a_watch_is_told_of_what_came_since(url: str, tmp_path: Path, source: Any) -> None:
    """A quarter of an hour after an earlier one: what was logged since, and what came too late for
    that, each once; a retry is a second attempt. Only that is read, and within a minute nothing.
    """
    name = f"watched-{source}"
    make_live_function(url, name)
    first, then = LAST_HOUR + timedelta(minutes=5), LAST_HOUR + timedelta(minutes=20)
    scanned: list[ReadingCost] = []
    request = LiveRequest(name, Target(region=REGION, endpoint_url=url), source=source)

    def agree(cost: ReadingCost) -> bool:
        scanned.append(cost)
        return True

    def read(now: datetime) -> tuple[int, list[int], datetime | None]:
        with live_logs(request, Caller(tmp_path, now, agree), purpose="watch") as (logs, *_):
            rows = logs.store.connection.execute(
                "SELECT attempt FROM reports WHERE request_id = ? ORDER BY logged_at",
                [request_id(9)],
            ).fetchall()
            usage = logs.store.total(name)
            assert usage is not None
            return usage.invocation_count, [each[0] for each in rows], logs.window.end

    assert read(first) == (COUNT, [1], first)
    added = [(-2, 50), (8, 51), (10, 9), (13, 52)]
    client("logs", url).put_log_events(
        logGroupName=f"/aws/lambda/{name}",
        logStreamName=STREAM,
        logEvents=[
            {"timestamp": to_ms(first + timedelta(minutes=minutes)), "message": text}
            for minutes, number in added
            for text in lines(number, 1024)
        ],
    )
    assert read(then) == (COUNT + 4, [1, 2], then)
    asked = len(scanned)
    assert read(then + timedelta(seconds=20))[:2] == (COUNT + 4, [1, 2])
    assert len(scanned) == asked


def test_without_agreement_no_query_is_sent(observe: Callable[..., Observation]) -> None:
    """A no ends it."""
    with pytest.raises(NotAgreedError):
        observe(agree=lambda _: False)


def test_what_has_no_log_is_one_clear_line(observe: Callable[..., Observation], url: str) -> None:
    """No function of that name; one that was never invoked."""
    with pytest.raises(FunctionNotFoundError, match="no function nothing in eu-west-1"):
        observe("nothing")
    make_function(url, "fresh", MemorySize=128)
    with pytest.raises(InputError, match="no log group /aws/lambda/fresh in eu-west-1") as caught:
        observe("fresh")
    assert "CloudWatch counts 0 invocations" in str(caught.value)


def test_what_cannot_be_answered_is_told_before_a_query(
    observe: Callable[..., Observation],
) -> None:
    """No days, and a region without prices: nobody is asked to pay for a query first."""

    def agree(_: ReadingCost) -> bool:
        raise AssertionError("asked for a price")

    with pytest.raises(UsageError, match="`days=0`"):
        observe(days=0, agree=agree)
    nothing_known = replace(load_price_book(), lambda_entries=())
    with pytest.raises(PriceError, match="eu-west-1"):
        observe(agree=agree, price_book=nothing_known)


def test_a_log_that_is_kept_for_less_says_so(observe: Callable[..., Observation], url: str) -> None:
    """The window is what is retained."""
    logs = client("logs", url)
    logs.put_retention_policy(logGroupName="/aws/lambda/resize", retentionInDays=3)
    try:
        found = observe()
    finally:
        logs.delete_retention_policy(logGroupName="/aws/lambda/resize")
    assert found.window.seconds == 3 * 86_400
    [finding] = [each for each in found.findings if each.code == "retention_short"]
    assert "for 3 of the 14 days" in finding.message


def test_the_command_says_the_price_and_prints_the_promised_object(
    url: str, tmp_path: Path
) -> None:
    """Held against the schema; progress goes to stderr."""
    ran = run_here(
        *("observe", "resize", "--endpoint-url", url, "--region", REGION, "--json"),
        TUNER_STATE_DIR=str(tmp_path),
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["invocation_count"] == COUNT
    assert "Log queries will scan " in ran.stderr
    assert "Queries scanned" in ran.stderr


def test_the_account_says_how_events_come(url: str, tmp_path: Path) -> None:
    """A queue's mapping with its batch and window; a disabled one and S3 beside it don't count."""
    queues, functions = client("sqs", url), client("lambda", url)
    for name, given in (
        ("jobs", {"BatchSize": 25, "MaximumBatchingWindowInSeconds": 2}),
        ("old-jobs", {"BatchSize": 1, "Enabled": False}),
    ):
        address = queues.create_queue(QueueName=name)["QueueUrl"]
        arn = queues.get_queue_attributes(QueueUrl=address, AttributeNames=["QueueArn"])
        functions.create_event_source_mapping(
            EventSourceArn=arn["Attributes"]["QueueArn"], FunctionName="resize", **given
        )
    permit(functions, "resize", "s3")
    ran = run_here(
        *("observe", "resize", "--endpoint-url", url, "--region", REGION, "--json"),
        *("--pathways", "--event-size", "2kB"),
        TUNER_STATE_DIR=str(tmp_path),
    )
    assert ran.returncode == 0, ran.stderr
    ways = json.loads(ran.stdout)["pathways"]
    assert (ways["pathway"], ways["trigger_source"], ways["rate_source"]) == (
        "sqs",
        "configuration",
        "observed",
    )
    assert ways["batch_window_s"] == 2


def test_a_function_that_several_services_reach_asks_which(url: str, tmp_path: Path) -> None:
    """SNS and EventBridge: one line with both and the flag. A single one counts, none is direct."""
    caller = Caller(tmp_path, NOW, lambda _: True)
    where = Target(region=REGION, endpoint_url=url)
    make_function(url, "fan")
    assert read_trigger("fan", where, caller).service == "direct"
    functions = client("lambda", url)
    permit(functions, "fan", "sns")
    assert read_trigger("fan", where, caller).service == "sns"
    permit(functions, "fan", "events")
    with pytest.raises(UsageError, match="gets events from sns, events: say which one counts"):
        read_trigger("fan", where, caller)
    make_function(url, "stored")
    permit(functions, "stored", "s3")
    with pytest.raises(UsageError, match="gets events from s3, which is none of"):
        read_trigger("stored", where, caller)


def test_the_account_says_what_logging_costs(url: str, tmp_path: Path) -> None:
    """Sums as CloudWatch metered them, levels by a sample, retention and layers as they are set."""
    functions = client("lambda", url)
    layer = functions.publish_layer_version(
        LayerName="tools", Content={"ZipFile": b"x" * 1000}, CompatibleRuntimes=["python3.13"]
    )
    functions.update_function_configuration(
        FunctionName="resize", Layers=[layer["LayerVersionArn"]]
    )
    client("logs", url).put_retention_policy(logGroupName="/aws/lambda/resize", retentionInDays=30)
    ran = run_here(
        *("observe", "resize", "--endpoint-url", url, "--region", REGION, "--json"),
        "--overheads",
        TUNER_STATE_DIR=str(tmp_path),
    )
    assert ran.returncode == 0, ran.stderr
    answer = json.loads(ran.stdout)
    found = answer["overheads"]["logging"]
    assert found["is_sample"]
    assert found["size_bytes"] == 2_000_000_000
    # eu-west-1: $0.57 a GB; 14 days of 730 hours; $0.03 for 15% of it, 30 of 30.41667 days
    month_gb = 2e9 / 2**30 * 730 / (14 * 24)
    assert found["ingestion_usd_per_month"] == pytest.approx(month_gb * 0.57)
    assert found["storage_usd_per_month"] == pytest.approx(month_gb * 0.0045 * 30 / (730 / 24))
    assert found["retention_days"] == 30
    lines = {(each["origin"], each["level"]): each for each in found["by_level"]}
    assert lines["function", "none"]["event_count"] == COUNT
    assert lines["platform", "INFO"]["event_count"] == COUNT * 3
    assert answer["log_ingestion_cost_usd"] == pytest.approx(2e9 / 2**30 * 0.57)
    where = Target(region=REGION, endpoint_url=url)
    with open_services(where, "observe", Caller(tmp_path, NOW, lambda _: True)) as services:
        [(name, size)] = version_layers(services, "resize")["$LATEST"]
    assert (name, size) == ("tools:1", layer["Content"]["CodeSize"])
    [version] = answer["overheads"]["versions"]
    assert (version["version"], version["cold_start_count"]) == ("7", 4)


def test_a_sample_stands_in_for_what_nobody_metered(url: str, tmp_path: Path) -> None:
    """Without CloudWatch's metric, bytes are those of the sample by report; Insights' log is read.

    By hand: 100 bytes a line of Lambda Insights, a million of them at $0.57 a GB.
    """
    functions, logs = client("lambda", url), client("logs", url)
    layer = functions.publish_layer_version(
        LayerName="LambdaInsightsExtension", Content={"ZipFile": b"x"}
    )
    make_function(url, "measured", MemorySize=1024, Layers=[layer["LayerVersionArn"]])
    group, whole = "/aws/lambda/measured", 0
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName=STREAM)
    for number in range(3):
        told = lines(number, 1024)
        whole += sum(map(len, told))
        stamp = to_ms(NOW) - 3_600_000 * (30 - number)
        logs.put_log_events(
            logGroupName=group,
            logStreamName=STREAM,
            logEvents=[{"timestamp": stamp + n, "message": each} for n, each in enumerate(told)],
        )
    logs.create_log_group(logGroupName="/aws/lambda-insights")
    logs.create_log_stream(logGroupName="/aws/lambda-insights", logStreamName="measured")
    begin = '{"function_name":"measured","cpu_total_time":12,"filler":"'
    line = begin + "x" * (98 - len(begin)) + '"}'
    other = line.replace("measured", "resize42")
    at = [to_ms(NOW) - 3_600_000 * hours for hours in (3, 2, 1)]
    logs.put_log_events(
        logGroupName="/aws/lambda-insights",
        logStreamName="measured",
        logEvents=[
            {"timestamp": moment + n, "message": text}
            for moment in at
            for n, text in enumerate((line, other))
        ],
    )
    caller = Caller(tmp_path, NOW, lambda _: True)
    where = Target(region=REGION, endpoint_url=url)
    observed = observe_live(LiveRequest("measured", where), caller)
    found = overheads_live(OverheadsRequest(), "measured", observed, where, caller)
    assert float(found.metrics.insights_log_usd_per_million) == pytest.approx(
        100 * 1e6 / 2**30 * 0.57
    )
    assert found.size_bytes == whole  # all lines are in the sample here
    assert any("by their bytes a report" in each for each in found.assumptions)


def permit(functions: Any, name: str, service: str) -> None:
    """Let a service call a function."""
    functions.add_permission(
        FunctionName=name,
        StatementId=service,
        Action="lambda:InvokeFunction",
        Principal=f"{service}.amazonaws.com",
    )
