"""`tuner watch --alarms`: metrics from reports, thresholds by hand, and files that parse."""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tree_sitter
import tree_sitter_hcl
import yaml

from tests.aws.live_log import make_live_function
from tests.aws.moto_process import REGION, client, moto_process
from tests.bench import observe_alarms
from tests.cli.running import one_line, run_here
from tests.observe.archives import Call, write_archive
from tests.observe.made import ObservedReport, store_of
from tests.watch.alarm_worlds import DAY, START, Arrivals, made_history
from tuner.model.alarm import Alarm, CostRate, FunctionAlarms, Metric
from tuner.model.observation import Origin, Window
from tuner.report.alarm_files import render_cloudformation, render_terraform
from tuner.watch.alarm_thresholds import alarms_of, composite_of, sustained
from tuner.watch.metric_history import MetricHistory, read_history

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

COST = CostRate(2e-7, 1.66667e-8, 1024)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def counts(values: list[float]) -> MetricHistory:
    """A history of these invocations a minute; none is no data point."""
    series = np.array([each or math.nan for each in values], dtype=float)
    return MetricHistory(START, len(series), {("Invocations", "Sum"): series})


def alarm(history: MetricHistory, kind: str) -> Alarm:
    [found] = [each for each in alarms_of("made", history, None) if each.kind == kind]
    return found


def test_a_function_that_seldom_runs_is_not_alarmed_on_for_a_busy_hour() -> None:
    """Once a day for four weeks, about 100 ms, idle on Sundays, but for an hour of a call a minute:
    the threshold of its duration is above every one of them, so it never rings.
    """
    rng = random.Random(7)
    series = np.full(28 * DAY, np.nan)
    for day in range(28):
        if day % 7 != 6:
            series[day * DAY + rng.randrange(DAY)] = rng.uniform(80, 120)
    series[17 * DAY + 600 : 17 * DAY + 660] = [rng.uniform(80, 120) for _ in range(60)]
    found = alarm(MetricHistory(START, len(series), {("Duration", "Average"): series}), "duration")
    assert (found.datapoints_to_alarm, found.evaluation_periods) == (1, 1)
    assert 120 < found.threshold < 1000
    assert found.replay is not None
    assert found.replay.rings == ()


def test_metrics_are_of_the_minute_in_which_it_was_invoked() -> None:
    """Three invocations by hand: one that runs over a minute's end, one cold, one that fails."""
    reports = [
        ObservedReport("a", NOON + timedelta(seconds=70), 30_000.0, 30_000, 512),
        ObservedReport("b", NOON + timedelta(seconds=62), 1000.0, 3000, 512, init_duration_ms=2000),
        ObservedReport("c", NOON + timedelta(seconds=190), 500.0, 500, 512, outcome="error"),
    ]
    store = store_of(*((Origin("made", "made"), each) for each in reports))
    history = read_history(store, "made", Window())
    assert (history.start, history.minute_count) == (NOON, 4)
    quiet = read_history(store, "made", Window(), until=NOON + timedelta(minutes=9))
    assert (quiet.end, quiet.minute_count) == (NOON + timedelta(minutes=9), 9)

    def values(metric: str, statistic: str) -> list[float | None]:
        found = history.series[metric, statistic]
        return [None if math.isnan(each) else float(each) for each in found]

    assert values("Invocations", "Sum") == [2, None, None, 1]
    assert values("Errors", "Sum") == [0, None, None, 1]
    assert values("Duration", "Average") == [15_500, None, None, 500]
    assert values("ConcurrentExecutions", "Maximum") == [2, 2, None, 1]
    assert history.cost_usd_per_hour(COST)[0] == pytest.approx(
        60 * (2 * 2e-7 + 31_000 * 1.66667e-8)
    )


def test_concurrency_is_what_counting_by_the_second_finds() -> None:
    """Against a count at every moment at which one begins."""
    rng = random.Random(3)
    reports = []
    for number in range(200):
        at = NOON + timedelta(seconds=rng.uniform(200, 1800))
        reports.append(ObservedReport(f"{number}", at, rng.uniform(10, 150_000), 1, 512))
    history = read_history(store_of(*((Origin("m", "m"), each) for each in reports)), "m", Window())
    spans = [
        (each.logged_at - timedelta(milliseconds=each.duration_ms), each.logged_at)
        for each in reports
        if each.logged_at is not None
    ]
    found = history.series["ConcurrentExecutions", "Maximum"]
    for number in range(history.minute_count):
        begin = history.start + timedelta(minutes=number)
        end = begin + timedelta(minutes=1)
        moments = [begin, *(start for start, _ in spans if begin <= start < end)]
        most = max(sum(start <= each < stop for start, stop in spans) for each in moments)
        assert (found[number] == most) or (most == 0 and math.isnan(found[number]))


def test_the_sustained_level_is_the_mth_largest_of_n() -> None:
    """By hand, 2 of 3: what is missing is below everything."""
    found = sustained(np.array([5.0, math.nan, 3.0, 8.0, 1.0, math.nan]), 3, 2)
    assert found.tolist() == [-math.inf, -math.inf, 3.0, 3.0, 3.0, 1.0]


def test_a_threshold_is_what_one_day_in_700_passes() -> None:
    """Fourteen days that are alike: Gumbel's level above their median, as by hand."""
    day = [0.0] * DAY
    day[100:110] = [40.0] * 10
    found = alarm(counts(day * 14), "invocations-surge")
    deviations = (-math.log(-math.log(699 / 700)) + math.log(math.log(2))) * math.sqrt(6) / math.pi
    level = math.exp(math.log(41) + deviations * 0.1 * (1 + 3 / 14)) - 1
    assert found.threshold == math.ceil(level)
    assert found.replay is not None
    assert found.replay.rings == ()
    assert "40 a minute held for 5 of 5 minutes" in found.why


def test_an_incident_rings_and_what_comes_again_is_a_pattern() -> None:
    """Once in four weeks is replayed as a ring on its day; weekly raises the threshold above it."""
    quiet = ([2.0] * 20 + [0.0] * (DAY - 20)) * 28
    once, weekly = list(quiet), list(quiet)
    once[9 * DAY + 600 : 9 * DAY + 640] = [500.0] * 40
    for week in range(4):
        weekly[week * 7 * DAY + 600 : week * 7 * DAY + 640] = [500.0] * 40
    incident = alarm(counts(once), "invocations-surge")
    assert incident.threshold < 50
    assert incident.replay is not None
    [(begin, end)] = incident.replay.rings
    assert begin == START + timedelta(days=9, minutes=605)
    assert end == START + timedelta(days=9, minutes=643)  # five of seven minutes are still there
    pattern = alarm(counts(weekly), "invocations-surge")
    assert pattern.threshold == 625 or pattern.threshold == 630  # noqa: PLR1714 - 1.25 × 500, two digits
    assert pattern.replay is not None
    assert pattern.replay.rings == ()
    assert "on 4 occasions" in pattern.why


def test_a_function_without_a_single_error_rings_for_any_that_last() -> None:
    """And one that had some rings for more than its own."""
    clean = made_history(Arrivals(per_minute=3, error_share=0.0), 14, 1)
    assert alarm(clean, "errors").threshold == 0
    assert "none at all" in alarm(clean, "errors").why
    assert (
        alarm(made_history(Arrivals(per_minute=30, error_share=0.2), 14, 1), "errors").threshold > 5
    )


@pytest.mark.parametrize("hung_days", [(), (20,), (13, 20), (20, 21, 22)])
def test_a_durations_threshold_is_below_the_timeout(hung_days: tuple[int, ...]) -> None:
    """Days differ so much that it would be above 30 s, and a mean is never longer than the timeout:
    nine tenths of it, and what hung once would have rung; twice, or for days, is its pattern.
    """
    rng = random.Random(11)
    series = np.concatenate([np.full(DAY, 6000 * rng.lognormvariate(0, 0.35)) for _ in range(28)])
    for day in hung_days:
        series[day * DAY + 600 : day * DAY + 660] = 30_000.0
    history = MetricHistory(START, len(series), {("Duration", "Average"): series})
    [free, held] = [
        each
        for timeout_ms in (None, 30_000.0)
        for each in alarms_of("made", history, None, timeout_ms=timeout_ms)
        if each.kind == "duration"
    ]
    assert free.threshold > 30_000
    if len(hung_days) > 1:
        assert held == free
        return
    assert held.threshold == 27_000
    assert "its timeout of 30 s" in held.why
    assert held.replay is not None
    assert len(held.replay.rings) == len(hung_days)


def test_days_that_cost_nothing_are_told_so() -> None:
    """A call a day never holds a quarter of an hour: half of the days had 0, not 2e-19."""
    calls, took_ms = np.full(20 * DAY, np.nan), np.full(20 * DAY, np.nan)
    calls[600::DAY], took_ms[600::DAY] = 1.0, 100.0
    series = {
        ("Invocations", "Sum"): calls,
        ("Duration", "Average"): took_ms,
        ("Duration", "Sum"): took_ms,
    }
    found = alarms_of("made", MetricHistory(START, len(calls), series), COST)
    [why] = [each.why for each in found if each.kind == "cost"]
    assert why.startswith("half of the days had 0 $ an hour")


def test_what_the_history_lacks_is_not_made_up() -> None:
    """No alarm on throttles or queues without their series; Lambda's own counter isn't replayed."""
    history = made_history(Arrivals(), 3, 1)
    kinds = {each.kind: each for each in alarms_of("made", history, COST)}
    assert not {"throttles", "async-event-age", "queue-age"} & set(kinds)
    assert kinds["recursion"].replay is kinds["invocations-anomaly"].replay is None
    with_more = history.with_points(
        {
            ("RecursiveInvocationsDropped", "Sum"): [(START + timedelta(minutes=90), 2.0)],
            ("jobs", "Maximum"): [(START + timedelta(minutes=n), 30.0) for n in range(600)],
        }
    )
    kinds = {each.kind: each for each in alarms_of("made", with_more, COST, queues=("jobs",))}
    rung = kinds["recursion"].replay
    assert rung is not None
    assert rung.days == ("2026-03-02",)
    assert kinds["queue-age"].metric.dimension == ("QueueName", "jobs")
    assert kinds["queue-age"].threshold > 30


def test_the_weeks_after_do_not_ring_and_a_runaway_does() -> None:
    """A function with few invocations and a season (more: the bench)."""
    kind = observe_alarms.KINDS[1]
    assert observe_alarms.false_rings(kind, 3)[0] == 0
    found = observe_alarms.minutes_to_ring(kind, 1200, 1.0, failing=False, seed=3)
    assert found is not None
    assert found <= 10


def found_alarms(function: str = "made", days: int = 14) -> FunctionAlarms:
    history = made_history(Arrivals(), days, 1)
    history = history.with_points(
        {("jobs.fifo", "Maximum"): [(START + timedelta(minutes=n), 30.0) for n in range(600)]}
    )
    alarms = alarms_of(function, history, COST, queues=("jobs.fifo",))
    return FunctionAlarms(
        function=function,
        region="us-east-1",
        start=history.start,
        end=history.end,
        alarms=alarms,
        composite=composite_of(alarms, history),
        usd_per_month=12.5,
        budget_usd=19,
    )


AWKWARD = 'a"b${x}%{y}\n# c: !Ref'
FUNCTIONS = (found_alarms("made"), found_alarms("Made"), found_alarms("9-lives_of"))


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as what they hold."""


def _short_form(loader: _Loader, tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return {tag: loader.construct_scalar(node)}
    assert isinstance(node, yaml.SequenceNode)
    return {tag: loader.construct_sequence(node, deep=True)}


_Loader.add_multi_constructor("!", _short_form)


def test_a_template_has_every_alarm_as_it_was_replayed() -> None:
    """Read by a parser: threshold, periods and metric of each, under names that don't clash."""
    document = yaml.load(render_cloudformation(FUNCTIONS), _Loader)
    resources = document["Resources"]
    by_name = {
        each["Properties"]["AlarmName"]: each["Properties"]
        for each in resources.values()
        if each["Type"] == "AWS::CloudWatch::Alarm"
    }
    wanted = [each for found in FUNCTIONS for each in found.alarms]
    assert by_name.keys() == {each.name for each in wanted}
    for each in wanted:
        made = by_name[each.name]
        assert made["EvaluationPeriods"] == each.evaluation_periods
        assert made["DatapointsToAlarm"] == each.datapoints_to_alarm
        assert made["TreatMissingData"] == each.missing
        if each.band_deviations is None:
            assert made["Threshold"] == pytest.approx(each.threshold)
        if each.cost is None and each.band_deviations is None:
            dimension = dict(zip(("Name", "Value"), each.metric.dimension, strict=True))
            assert made["Dimensions"] == [dimension]
    composites = [
        each["Properties"]["AlarmRule"]
        for each in resources.values()
        if each["Type"] == "AWS::CloudWatch::CompositeAlarm"
    ]
    for rule, found in zip(composites, FUNCTIONS, strict=True):
        named = {part.split('"')[1] for part in rule.split("ALARM(")[1:]}
        assert named == {each.name for each in found.alarms}


@pytest.mark.parametrize("budget_usd", [19, None])
def test_terraform_reads_what_is_written(budget_usd: int | None) -> None:
    """No error in the tree of an independent parser, a resource for each alarm and composite."""
    functions = [replace(each, budget_usd=budget_usd) for each in FUNCTIONS]
    text = render_terraform(functions)
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_hcl.language()))
    tree = parser.parse(text.encode())
    assert not tree.root_node.has_error
    heads = [line.split('"')[1::2] for line in text.splitlines() if line.startswith("resource ")]
    assert len({tuple(each) for each in heads}) == len(heads)
    kinds = [kind for kind, _ in heads]
    assert kinds.count("aws_cloudwatch_metric_alarm") == sum(len(f.alarms) for f in functions)
    assert kinds.count("aws_cloudwatch_composite_alarm") == 3
    assert ("aws_budgets_budget" in kinds) is (budget_usd is not None)


def test_foreign_text_stays_text() -> None:
    """A queue's name with quotes, templates and line breaks ends neither string nor comment."""
    made = replace(
        FUNCTIONS[0].alarms[0], metric=Metric("Errors", "Sum", dimension=("QueueName", AWKWARD)),
        says=AWKWARD, why=AWKWARD,
    )  # fmt: skip
    found = replace(FUNCTIONS[0], alarms=(made,), notes=(AWKWARD,))
    document = yaml.load(render_cloudformation([found]), _Loader)
    [alarm_] = [
        each["Properties"]
        for each in document["Resources"].values()
        if each["Type"] == "AWS::CloudWatch::Alarm"
    ]
    assert alarm_["Dimensions"] == [{"Name": "QueueName", "Value": AWKWARD}]
    text = render_terraform([found])
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_hcl.language()))
    assert not parser.parse(text.encode()).root_node.has_error
    assert "$${x}%%{y}" in text


@pytest.mark.slow
def test_cfn_lint_finds_nothing(tmp_path: Path) -> None:
    """By CloudFormation's own schemas of every resource."""
    api = pytest.importorskip("cfnlint.api")
    template = render_cloudformation(FUNCTIONS)
    (tmp_path / "alarms.yaml").write_text(template)
    assert api.lint(template, config=None) == []
    assert api.lint(template.replace("EvaluationPeriods: 5", "EvaluationPeriods: 0"), config=None)


def watch(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_here(
        *("watch", "made", "--logs", str(tmp_path / "logs"), *arguments),
        TUNER_STATE_DIR=str(tmp_path / "state"),
    )


def test_the_file_and_its_replay(tmp_path: Path) -> None:
    """To a file or to stdout; --json has both; what is wrong is one line."""
    rng = random.Random(1)
    hours = sorted(rng.uniform(0, 72) for _ in range(600))
    write_archive(tmp_path / "logs", {"made": [Call(each, 200) for each in hours]})
    file = tmp_path / "alarms.tf"
    ran = watch(tmp_path, "--alarms", "terraform", "--out", str(file))
    assert ran.returncode == 0, ran.stderr
    assert f"Written to {file}." in ran.stdout
    assert "invocations-surge" in ran.stdout
    printed = watch(tmp_path, "--alarms", "terraform")
    assert printed.stdout == file.read_text()
    assert "runs-away" in printed.stderr
    found = json.loads(watch(tmp_path, "--alarms", "cloudformation", "--json").stdout)
    [function] = found["functions"]
    assert found["text"].startswith("# Alarms on made")
    assert any("under 14" in each for each in function["notes"])
    replay = next(each for each in function["alarms"] if each["kind"] == "cost")["replay"]
    assert replay["ring_count"] == len(replay["rings"])
    assert "--out is for the file of --alarms" in one_line(watch(tmp_path, "--out", "x"))
    nowhere = watch(tmp_path, "--alarms", "terraform", "--out", "/nowhere/x.tf")
    assert "there is no folder /nowhere" in one_line(nowhere)  # before anything is read
    write_archive(tmp_path / "logs", {"made": [Call(each / 4, 200) for each in range(8)]})
    short = one_line(watch(tmp_path, "--alarms", "terraform"))
    assert "a history of 1.8 hours says nothing of what is usual" in short


def test_a_file_is_of_one_region(tmp_path: Path) -> None:
    """An alarm that's deployed in another region has no metric, and never rings."""
    arns = [f"arn:aws:lambda:{each}:123456789012:function:f" for each in ("eu-west-1", "us-east-1")]
    for source in ("--live", "--logs"):
        where = () if source == "--live" else (str(tmp_path),)
        ran = run_here("watch", *arns, source, *where, "--alarms", "terraform")
        assert ran.returncode == 2
        assert "are in eu-west-1, us-east-1" in one_line(ran)


@pytest.mark.slow
def test_an_account_has_alarms_on_what_logs_do_not_say(tmp_path: Path) -> None:
    """Throttles, errors that no report tells of, and the ages of its stream's records and of the
    queue that feeds the function, from its last minutes on.
    """
    with moto_process() as url:
        make_live_function(url)
        queue = client("sqs", url).create_queue(QueueName="jobs")["QueueUrl"]
        arn = client("sqs", url).get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        client("lambda", url).create_event_source_mapping(
            FunctionName="resize", EventSourceArn=arn["Attributes"]["QueueArn"]
        )
        client("cloudwatch", url).put_metric_data(
            Namespace="AWS/SQS",
            MetricData=[
                {
                    "MetricName": "ApproximateAgeOfOldestMessage",
                    "Dimensions": [{"Name": "QueueName", "Value": "jobs"}],
                    "Timestamp": datetime.now(UTC) - timedelta(minutes=ago),
                    "Value": 300.0,
                }
                for ago in range(20, 60)
            ],
        )
        for metric, value in (("Errors", 3.0), ("IteratorAge", 90_000.0)):
            client("cloudwatch", url).put_metric_data(
                Namespace="AWS/Lambda",
                MetricData=[
                    {
                        "MetricName": metric,
                        "Dimensions": [{"Name": "FunctionName", "Value": "resize"}],
                        "Timestamp": datetime.now(UTC) - timedelta(minutes=ago),
                        "Value": value,
                    }
                    for ago in range(20, 60)
                ],
            )
        ran = run_here(
            *("watch", "resize", "--live", "--endpoint-url", url, "--region", REGION, "--json"),
            *("--alarms", "cloudformation"),
            TUNER_STATE_DIR=str(tmp_path),
        )
    assert ran.returncode == 0, ran.stderr
    [function] = json.loads(ran.stdout)["functions"]
    kinds = {each["kind"]: each for each in function["alarms"]}
    assert kinds["queue-age"]["threshold"] > 300
    assert kinds["iterator-age"]["threshold"] > 90_000
    assert kinds["errors"]["threshold"] > 3
    assert kinds["throttles"]["replay"] is not None
    assert function["notes"] == [each for each in function["notes"] if "under 14" in each]
