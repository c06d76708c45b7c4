"""What lines weigh, in every form that logs come in."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.logs import forms
from tuner.logs.log_sizes import LogSizes, read_log_sizes
from tuner.model.observation import Window

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OWN = (
    "[DEBUG]\t2026-11-20T10:00:00.010Z\t8f5a7c3e-2f4b-4c55-9d3a-000000000001\tbody of the request",
    "2026-11-20T10:00:00.010Z\t8f5a7c3e-2f4b-4c55-9d3a-000000000001\tINFO\tdöne",
    '{"level":"ERROR","what":"no such key"}',
)
EVENTS = [event for n in range(6) for event in forms.Invocation(n, own=OWN).text_events()]
TEXT_FORMS = (
    forms.exported, forms.tailed, forms.tailed_short, forms.sam_logs, forms.led_by_epoch,
    forms.led_by_local_time, forms.filtered_text, forms.got_text, forms.filtered,
    forms.filtered_pages, forms.messages_of_json, forms.pairs_of_json, forms.insights_results,
    forms.event_lines, forms.subscription, forms.subscription_lines, forms.firehose,
    forms.lambda_event, forms.kinesis_event, forms.console_csv, forms.insights_csv, forms.plain,
)  # fmt: skip


def sizes_of(folder: Path, raw: bytes, function: str = "thumbs", **window: Any) -> LogSizes:
    (folder / "log").write_bytes(raw)
    return read_log_sizes([folder / "log"], function, Window(**window))


def weighed(found: LogSizes) -> dict[tuple[str, str], tuple[int, int]]:
    return {key: (each.event_count, each.size_bytes) for key, each in found.shares.items()}


@pytest.mark.parametrize("write", TEXT_FORMS, ids=lambda each: each.__name__)
def test_every_form_weighs_the_same(write: Callable[..., bytes], tmp_path: Path) -> None:
    """Events by whose they are and by level, and their bytes as CloudWatch has them; where a form
    drops the line break (and the tab before it) at a message's end, that much less each.
    """
    found = weighed(sizes_of(tmp_path, write(EVENTS)))
    platform = [each for each in EVENTS if each.is_platform]
    expected = {
        ("platform", "INFO"): (18, sum(len(each.message) for each in platform)),
        ("function", "DEBUG"): (6, 6 * (len(OWN[0]) + 1)),
        ("function", "INFO"): (6, 6 * (len(OWN[1].encode()) + 1)),
        ("function", "ERROR"): (6, 6 * (len(OWN[2]) + 1)),
    }
    assert found.keys() == expected.keys()
    for key, (count, size) in expected.items():
        assert found[key][0] == count
        assert size - 2 * count <= found[key][1] <= size


@pytest.mark.parametrize("write", [forms.exported, forms.subscription, forms.filtered, forms.plain])
def test_json_logs_are_told_as_such(write: Callable[..., bytes], tmp_path: Path) -> None:
    """Records of the platform beside the function's own; nothing would be saved by JSON."""
    own = ('{"timestamp":"2026-11-20T10:00:00.010Z","level":"INFO","message":"x"}',)
    events = [event for n in range(4) for event in forms.Invocation(n, own=own).json_events()]
    found = sizes_of(tmp_path, write(events))
    assert weighed(found)["function", "INFO"][0] == 4
    assert weighed(found)["platform", "INFO"][0] == 8
    assert all(each.json_count == each.event_count for each in found.shares.values())
    assert sum(each.json_bytes for each in found.shares.values()) == found.size_bytes
    assert found.report_count == 4


def test_a_message_of_several_lines_is_one(tmp_path: Path) -> None:
    """A traceback in an export goes on under its first line, with its level."""
    message = "[ERROR] KeyError: 'x'\nTraceback (most recent call last):\n  File \"a.py\", line 3\n"
    events = [forms.Event(forms.START_MS, message), forms.Event(forms.START_MS + 5, "next INFO\n")]
    found = weighed(sizes_of(tmp_path, forms.exported(events)))
    assert found["function", "ERROR"] == (1, len(message))
    assert found["function", "INFO"] == (1, len("next INFO\n"))


def test_other_functions_and_other_times_are_left_out(tmp_path: Path) -> None:
    """As in `observe`: what names another function, and what isn't in the window."""
    raw = gzip.compress(forms.subscription(EVENTS))
    assert sizes_of(tmp_path, raw, "other").event_count == 0
    assert sizes_of(tmp_path, raw).event_count == len(EVENTS)
    third = moment(forms.START_MS + 2 * 60_000 - 300)
    assert sizes_of(tmp_path, raw, start=third).event_count == len(EVENTS) * 4 // 6
    assert sizes_of(tmp_path, raw, end=third).event_count == len(EVENTS) * 2 // 6
    assert dict(sizes_of(tmp_path, raw).streams) == {
        forms.STREAM: sum(len(each.message.encode()) for each in EVENTS)
    }


def test_what_extensions_take_is_behind_the_runtimes_end(tmp_path: Path) -> None:
    """By hand: 130 ms of Lambda's less 100 ms of the runtime's; a timeout is no sample."""
    events = []
    for number, (runtime, whole, status) in enumerate([(100, 130, "success"), (50, 50.5, "success"),
                                                       (10, 3000, "timeout")]):  # fmt: skip
        request = f"8f5a7c3e-2f4b-4c55-9d3a-{number:012x}"
        done = {"requestId": request, "status": status, "metrics": {"durationMs": runtime}}
        report = {
            "requestId": request,
            "status": status,
            "metrics": {"durationMs": whole, "billedDurationMs": 1, "memorySizeMB": 128},
        }
        for kind, record in (("runtimeDone", done), ("report", report)):
            value = {
                "time": "2026-11-20T10:00:00.000Z",
                "type": f"platform.{kind}",
                "record": record,
            }
            events.append(forms.Event(forms.START_MS + number, json.dumps(value) + "\n"))
    found = sizes_of(tmp_path, forms.subscription(events))
    assert found.after_response_ms == pytest.approx([30, 0.5])


def test_rows_of_a_querys_fields_are_no_lines(tmp_path: Path) -> None:
    """They weigh nothing, because nobody knows what the lines had."""
    rows = forms.found_fields([forms.Invocation(1), forms.Invocation(2)])
    assert sizes_of(tmp_path, rows).event_count == 0


def moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
