"""`tuner observe --overheads`: what a function pays besides its work, as a user asks."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.running import one_line, run_here
from tests.logs import forms
from tuner.api import observing
from tuner.api.reading import FilesRequest
from tuner.logs.log_sizes import read_log_sizes
from tuner.model.observation import Window
from tuner.observe.layer_weight import VersionInit, layer_weights
from tuner.observe.overhead_findings import with_findings
from tuner.observe.overheads import LogSettings, weigh_overheads
from tuner.pricing import load_price_book

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DAY_MINUTES = 1440
COUNT = 21
"""Invocations, half a day apart: ten days."""
DEBUG = "[DEBUG]\t2026-11-20T10:00:00.010Z\t8f5a7c3e-2f4b-4c55-9d3a-000000000001\t" + "x" * 5000


def events(*own: str, duration: str = "100.00", xray: bool = False) -> list[forms.Event]:
    made = []
    for number in range(COUNT):
        each = forms.Invocation(
            number * DAY_MINUTES // 2,
            duration=duration,
            billed_ms=100,
            memory_mb=512,
            own=own,
            init="400.00" if number == 0 else None,
        )
        found = each.text_events()
        if xray:
            sampled = "true" if number % 3 == 0 else "false"
            last = found[-1]
            trace = f"{last.message}XRAY TraceId: 1-a\tSegmentId: b\tSampled: {sampled}\t\n"
            found[-1] = forms.Event(last.at_ms, trace)
        made += found
    return made


@pytest.fixture
def observe(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    def run(found: list[forms.Event], *arguments: str) -> dict[str, Any]:
        raw, log = forms.subscription(found), tmp_path / "log"
        if not log.exists() or log.read_bytes() != raw:  # what was read is kept
            log.write_bytes(raw)
        ran = run_here(
            *("observe", "thumbs", "--logs", str(log), "--overheads", "--json"),
            *arguments,
            TUNER_STATE_DIR=str(tmp_path / "state"),
        )  # held against the schema
        assert ran.returncode == 0, ran.stderr
        answer: dict[str, Any] = json.loads(ran.stdout)
        return answer

    return run


def codes(answer: dict[str, Any]) -> set[str]:
    return {each["code"] for each in answer["overheads"]["findings"]}


def test_the_bill_is_by_the_bytes_of_all_lines(observe: Callable[..., dict[str, Any]]) -> None:
    """By hand: bytes over 2^30, ten days to 730 hours, $0.50 a GB and $0.03 for 15% of it."""
    made = events(DEBUG, "done")
    size = sum(len(each.message.encode()) for each in made)
    answer = observe(made)
    found = answer["overheads"]["logging"]
    assert (found["size_bytes"], found["event_count"]) == (size, COUNT * 5)
    begin, end = made[0].at_ms, made[-1].at_ms
    month_gb = Decimal(size) / 2**30 * 730 * 3_600_000 / (end - begin)
    assert found["gb_per_month"] == pytest.approx(float(month_gb), rel=1e-12)
    assert found["ingestion_usd_per_month"] == pytest.approx(float(month_gb) / 2, rel=1e-12)
    assert found["storage_usd_per_month"] == pytest.approx(float(month_gb) * 0.0045, rel=1e-12)
    million_gb = size / COUNT * 1e6 / 2**30
    assert found["usd_per_million"] == pytest.approx(million_gb * 0.5045, rel=1e-12)
    assert answer["overheads"]["compute"]["usd_per_million"] == answer["cost_usd_per_million"]


def test_levels_add_up_and_dropping_one_saves_its_share(
    observe: Callable[..., dict[str, Any]],
) -> None:
    """DEBUG lines are what INFO would save, in ingestion and storage; ERROR saves no more here."""
    found = observe(events(DEBUG, "[ERROR] KeyError: 'x'"), "--retention-days", "365")["overheads"]
    shares = {(each["origin"], each["level"]): each for each in found["logging"]["by_level"]}
    assert sum(each["share_ratio"] for each in shares.values()) == pytest.approx(1)
    assert shares["function", "DEBUG"]["size_bytes"] == COUNT * (len(DEBUG) + 1)
    assert shares["function", "ERROR"]["event_count"] == COUNT
    savings = {each["name"]: each for each in found["savings"]}
    assert set(savings) == {"level_info", "json", "infrequent_access", "s3"}
    dropped_gb = (len(DEBUG) + 1) * 1e6 / 2**30
    # $0.50 to ingest, and twelve months of 15% of it at $0.03 to keep
    assert savings["level_info"]["usd_per_million"] == pytest.approx(dropped_gb * 0.554, rel=1e-9)
    size_gb = found["logging"]["bytes_per_invocation"] * 1e6 / 2**30
    assert savings["infrequent_access"]["usd_per_million"] == pytest.approx(size_gb * 0.25)
    assert savings["s3"]["usd_per_million"] == pytest.approx(size_gb * (0.25 + 0.054))


def test_logging_above_compute_is_a_warning_with_what_saves_most(
    observe: Callable[..., dict[str, Any]],
) -> None:
    """5 kB of DEBUG against 100 ms at 512 MB; a second of work with short lines says nothing."""
    loud = observe(events(DEBUG))
    assert codes(loud) == {"logging_costs_more_than_compute", "debug_lines_in_production"}
    message = next(
        each["message"]
        for each in loud["overheads"]["findings"]
        if each["code"] == "logging_costs_more_than_compute"
    )
    assert "log level INFO would save $" in message
    assert loud["overheads"]["logging_ratio"] > 1
    quiet = observe(events("done", duration="1000.00"))
    assert not codes(quiet)
    assert quiet["overheads"]["logging_ratio"] < 1


def test_the_class_decides_the_price(observe: Callable[..., dict[str, Any]]) -> None:
    """Infrequent Access costs half, and isn't advised where it's there; other logs fill tiers."""
    standard = observe(events(DEBUG))["overheads"]["logging"]
    found = observe(events(DEBUG), "--log-class", "infrequent-access")["overheads"]
    assert found["logging"]["ingestion_usd_per_month"] == pytest.approx(
        standard["ingestion_usd_per_month"] / 2
    )
    assert "infrequent_access" not in {each["name"] for each in found["savings"]}
    full = observe(events(DEBUG), "--account-log-gb", "60000")["overheads"]["logging"]
    assert full["ingestion_usd_per_month"] == pytest.approx(
        standard["ingestion_usd_per_month"] / 10
    )


def test_traces_are_counted_by_their_reports(observe: Callable[..., dict[str, Any]]) -> None:
    """Every third is recorded: 7 of 21, at $5 a million."""
    found = observe(events("done", xray=True))["overheads"]["tracing"]
    assert found["traced_ratio"] == pytest.approx(7 / 21)
    assert found["usd_per_million"] == pytest.approx(5 / 3)


def test_extensions_time_is_priced_at_the_functions_memory(
    observe: Callable[..., dict[str, Any]],
) -> None:
    """25 ms behind a response of 100 ms at 512 MB: 0.0125 GB-s, $0.21 a million."""
    made = []
    for number in range(COUNT):
        each = forms.Invocation(
            number * DAY_MINUTES, duration="125.00", billed_ms=125, memory_mb=512
        )
        *begin, report = each.json_events()
        record = {"requestId": each.request_id, "status": "success", "metrics": {"durationMs": 100}}
        done = {"time": forms.iso(each.end_ms), "type": "platform.runtimeDone", "record": record}
        agent = {"name": "agent", "state": "Ready", "events": ["INVOKE"]}
        told = {"time": forms.iso(each.end_ms), "type": "platform.extension", "record": agent}
        lines = [forms.Event(each.end_ms - 1, json.dumps(value) + "\n") for value in (told, done)]
        made += [*begin, *lines, report]
    answer = observe(made)
    found = answer["overheads"]["extensions"]
    assert (found["names"], found["invocation_count"]) == (["agent"], COUNT)
    assert found["mean_ms"] == pytest.approx(25)
    assert found["duration_ratio"] == pytest.approx(0.2)
    assert found["usd_per_million"] == pytest.approx(0.0125 * 0.0000166667 * 1e6)
    assert answer["overheads"]["logging"]["log_format"] == "JSON"
    assert "extensions_take_time" in codes(answer)


def test_the_text_shows_the_bill_the_levels_and_the_savings(tmp_path: Path) -> None:
    """Below what `observe` says; no message of the function's is shown."""
    (tmp_path / "log").write_bytes(forms.subscription(events(DEBUG, "[INFO] secret 17")))
    ran = run_here(
        *("observe", "thumbs", "--logs", str(tmp_path / "log"), "--overheads"),
        TUNER_STATE_DIR=str(tmp_path / "state"),
    )
    assert ran.returncode == 0, ran.stderr
    text = ran.stdout
    assert text.index("invocations") < text.index("Overheads of thumbs")
    assert "log ingestion (standard)" in text
    assert "log level INFO" in text
    assert "secret" not in text


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--log-class", "standard"), "--log-class is for --overheads"),
        (("--overheads", "--log-class", "cheap"), "cheap"),
        (("--overheads", "--retention-days", "0"), "retention-days"),
        (("--overheads", "--logs", "-"), "not stdin"),
    ],
)
def test_what_cannot_be_weighed_is_one_clear_line(
    arguments: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    """What is wrong and what to do, with a non-zero exit."""
    (tmp_path / "log").write_bytes(forms.subscription(events("done")))
    ran = run_here(
        *("observe", "thumbs", "--logs", str(tmp_path / "log"), *arguments),
        TUNER_STATE_DIR=str(tmp_path / "state"),
    )
    assert told in one_line(ran)


def test_fields_without_lines_cannot_be_weighed(tmp_path: Path) -> None:
    """A query's fields are reports and no lines: one clear line says what to take instead."""
    rows = forms.found_fields([forms.Invocation(n) for n in range(3)])
    (tmp_path / "log").write_bytes(rows)
    ran = run_here(
        *("observe", "thumbs", "--logs", str(tmp_path / "log"), "--overheads"),
        TUNER_STATE_DIR=str(tmp_path / "state"),
    )
    assert "have fields of reports and no lines" in one_line(ran)


def test_a_layers_weight_is_inits_difference() -> None:
    """By hand: (3 × 500 + 1 × 300) / 4 with it, 250 without; its own version doesn't matter, one
    that all have is none, and versions whose layers nobody knows don't count.
    """
    common = ("base:1", 1000)
    versions = (
        VersionInit("1", 2, 250.0, 80, (common,)),
        VersionInit("2", 3, 500.0, 90, (common, ("agent:4", 7_000_000))),
        VersionInit("3", 1, 300.0, 90, (common, ("agent:5", 8_000_000))),
        VersionInit("4", 50, 9000.0, 90, None),
    )
    [weight] = layer_weights(versions)
    assert (weight.name, weight.size_bytes) == ("agent", 8_000_000)
    assert (weight.with_ms, weight.without_ms) == (450, 250)
    assert (weight.init_ms, weight.with_count, weight.without_count) == (200, 4, 2)


def test_the_lines_of_lambda_insights_and_their_metrics_are_priced(
    observe: Callable[..., dict[str, Any]],
) -> None:
    """Four by function and by version at $0.30 each, and a line an invocation at $0.50 a GB."""
    names = ("memory_utilization", "total_memory", "used_memory_max", "cpu_total_time")
    value = {
        "_aws": {
            "CloudWatchMetrics": [
                {
                    "Namespace": "LambdaInsights",
                    "Dimensions": [["function_name"], ["function_name", "version"]],
                    "Metrics": [{"Name": name} for name in names],
                }
            ]
        },
        "function_name": "thumbs",
        "version": "7",
        "cpu_total_time": 12,
        "request_id": "x",
    }
    line = json.dumps(value)
    found = observe(events(line))["overheads"]["metrics"]
    assert (found["metric_count"], found["insights_count"]) == (8, 8)
    assert found["usd_per_month"] == pytest.approx(2.40)
    a_million = (len(line) + 1) * 1e6 / 2**30 * 0.5
    assert found["insights_log_usd_per_million"] == pytest.approx(a_million)


def test_a_system_log_level_is_for_json_logs_alone(observe: Callable[..., dict[str, Any]]) -> None:
    """Text has none; of JSON logs, WARN drops the platform's lines."""
    text = {each["name"] for each in observe(events("done"))["overheads"]["savings"]}
    assert "system_level" not in text
    own = '{"timestamp":"2026-11-20T10:00:00.010Z","level":"INFO","message":"x"}'
    made = [
        event
        for number in range(COUNT)
        for event in forms.Invocation(number * DAY_MINUTES, own=(own,)).json_events()
    ]
    found = observe(made)["overheads"]
    platform = sum(
        each["size_bytes"] for each in found["logging"]["by_level"] if each["origin"] == "platform"
    )
    saving = next(each for each in found["savings"] if each["name"] == "system_level")
    gb = platform / COUNT * 1e6 / 2**30
    assert saving["usd_per_million"] == pytest.approx(gb * 0.5045)
    assert "json" not in {each["name"] for each in found["savings"]}


def test_the_same_lines_in_two_files_count_once(tmp_path: Path) -> None:
    """As reports do: given twice, in two forms, they weigh what they weigh."""
    made = events("done")
    for name, write in (("a.json", forms.subscription), ("b.log", forms.filtered)):
        (tmp_path / name).write_bytes(write(made))
    one, both = (
        json.loads(
            run_here(
                *("observe", "thumbs", "--overheads", "--json"),
                *(word for name in names for word in ("--logs", str(tmp_path / name))),
                TUNER_STATE_DIR=str(tmp_path / "state"),
            ).stdout
        )["overheads"]["logging"]
        for names in (("a.json",), ("a.json", "b.log"))
    )
    assert both["size_bytes"] == one["size_bytes"]
    assert both["usd_per_million"] == pytest.approx(one["usd_per_million"])


def test_a_large_log_is_advised_by_the_month(tmp_path: Path) -> None:
    """A TB in ten days, kept for ever: Infrequent Access, and what a year adds up to; by hand."""
    (tmp_path / "log").write_bytes(forms.subscription(events("done", duration="60000.00")))
    observed = observing.observe(
        FilesRequest((tmp_path / "log",), "thumbs"), state_dir=tmp_path / "state"
    )
    sizes = read_log_sizes([tmp_path / "log"], "thumbs", Window())
    book = load_price_book()
    prices = (book.lambda_prices("us-east-1", "x86_64"), book.log_prices("us-east-1"))
    settings = LogSettings(is_known=True, metered_bytes=2.0**40)
    found = with_findings(weigh_overheads(observed, sizes, settings, (), prices))
    told = {each.code: each.message for each in found.findings}
    month_gb = 1024 * 730 / 240.0002  # the last report ends 200 ms after ten days
    assert f"save ${month_gb * 0.25:,.0f}"[:8] in told["log_class_saves"]
    storage = month_gb * 0.0045
    assert f"adds ${storage:,.2f}"[:8] in told["logs_kept_for_ever"]
    kept = weigh_overheads(observed, sizes, replace(settings, retention_days=30), (), prices)
    assert "logs_kept_for_ever" not in {each.code for each in with_findings(kept).findings}
