"""What a log message is: whose, at which level, how large, and how large as JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner.logs.log_message import read_message
from tuner.logs.report import format_report_json, parse_report

ID = "8f5e0b1c-0000-4000-8000-000000000001"
AT = "2026-11-29T10:00:00.123Z"


@pytest.mark.parametrize(
    ("text", "origin", "level"),
    [
        (f"START RequestId: {ID} Version: 7\n", "platform", "INFO"),
        (f"END RequestId: {ID}\n", "platform", "INFO"),
        (f"REPORT RequestId: {ID}\tDuration: 1.00 ms\t", "platform", "INFO"),
        (
            "INIT_START Runtime Version: python:3.13.v1\tRuntime Version ARN: arn:x",
            "platform",
            "INFO",
        ),
        ("EXTENSION\tName: agent\tState: Ready\tEvents: [INVOKE, SHUTDOWN]", "platform", "INFO"),
        (f"[DEBUG]\t{AT}\t{ID}\tquery took 3 ms", "function", "DEBUG"),
        (f"{AT}\t{ID}\tWARN\tslow", "function", "WARN"),
        (f"{AT}\tundefined\tINFO\tloaded", "function", "INFO"),
        ("2026-11-29 10:00:00 ERROR c.e.Handler - no such key", "function", "ERROR"),
        ("WARNING: deprecated", "function", "WARN"),
        ("CRITICAL out of disk", "function", "FATAL"),
        ("hello, WORLD of INFORMATION", "function", "none"),
        ("x" * 200 + " ERROR", "function", "none"),
        ('{"level":"debug","message":"x"}', "function", "DEBUG"),
        ('{"level":20,"msg":"pino"}', "function", "DEBUG"),
        ('{"severity":"WARNING","message":"x"}', "function", "WARN"),
        ('{"message":"no level"}', "function", "none"),
        ('{"level":true,"message":"x"}', "function", "none"),
        ("{not json", "function", "none"),
        ('{"time":"x","type":"platform.start","record":{"requestId":"a"}}', "platform", "INFO"),
        ('{"cpu_total_time":12,"request_id":"a"}', "lambda_insights", "INFO"),
    ],
)
def test_a_line_tells_whose_it_is_and_its_level(text: str, origin: str, level: str) -> None:
    """The platform's, the function's in its runtime's or logger's form, or Lambda Insights'."""
    message = read_message(text)
    assert (message.origin, message.level) == (origin, level)
    assert message.size_bytes == len(text.encode())


def test_a_report_in_json_has_the_size_that_it_has() -> None:
    """As the platform writes the record, whatever the figures; END has none at INFO."""
    text = (
        f"REPORT RequestId: {ID}\tDuration: 1234.56 ms\tBilled Duration: 1235 ms\t"
        "Memory Size: 1024 MB\tMax Memory Used: 312 MB\t"
    )
    record = json.loads(format_report_json(parse_report(text), AT))
    record["record"]["status"] = "success"
    written = json.dumps(record, separators=(",", ":"))
    assert read_message(text).json_bytes == len(written)
    assert read_message(f"END RequestId: {ID}").json_bytes == 0
    start = (
        f'{{"time":"{AT}","type":"platform.start","record":{{"requestId":"{ID}","version":"7"}}}}'
    )
    assert read_message(f"START RequestId: {ID} Version: 7\n").json_bytes == len(start)


def test_a_text_line_in_json_has_its_time_level_and_request() -> None:
    """What the runtime puts before it becomes keys; quotes in it are escaped."""
    written = json.dumps(
        {"timestamp": AT, "level": "ERROR", "message": 'no "key"', "requestId": ID},
        separators=(",", ":"),
    )
    assert read_message(f'[ERROR]\t{AT}\t{ID}\tno "key"').json_bytes == len(written)
    as_it_is = '{"level":"INFO","message":"x"}'
    assert read_message(as_it_is).json_bytes == len(as_it_is)


def test_traces_extensions_and_metrics_are_told() -> None:
    """A sampled report, an extension by its name, an embedded metric for each set of dimensions."""
    report = (
        f"REPORT RequestId: {ID}\tDuration: 1.00 ms\t\nXRAY TraceId: 1-a\tSegmentId: b\tSampled: "
    )
    assert read_message(f"{report}true").is_traced
    assert not read_message(f"{report}false").is_traced
    assert read_message("EXTENSION\tName: agent\tState: Ready").extension == "agent"
    line = json.dumps(
        {
            "_aws": {
                "CloudWatchMetrics": [
                    {
                        "Namespace": "LambdaInsights",
                        "Dimensions": [["function_name"], ["function_name", "version"]],
                        "Metrics": [{"Name": "rx_bytes"}, {"Name": "tx_bytes"}],
                    }
                ]
            },
            "function_name": "thumbs",
            "version": "7",
        }
    )
    message = read_message(line)
    assert message.origin == "lambda_insights"
    assert len(message.metrics) == 4  # two metrics, each by function and by version


@settings(max_examples=50)
@given(st.text())
def test_any_text_is_some_message(text: str) -> None:
    """Nothing raises, and bytes are counted as written."""
    assert read_message(text).size_bytes == len(text.encode("utf-8", "surrogatepass"))
