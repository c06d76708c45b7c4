"""The same invocations in every form that Lambda's logs come in."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

GROUP: Final = "/aws/lambda/thumbs"
STREAM: Final = "2026/11/20/[7]0123456789abcdef0123456789abcdef"
START_MS: Final = 1_795_168_800_000  # 2026-11-20T10:00:00Z


@dataclass(frozen=True, slots=True)
class Event:
    """A message with its time."""

    at_ms: int
    message: str
    is_platform: bool = True


@dataclass(frozen=True, slots=True)
class Invocation:
    """A made invocation, and what it leaves in a log."""

    number: int
    duration: str = "127.10"
    billed_ms: int = 128
    memory_mb: int = 1024
    init: str | None = None
    status: str | None = None
    own: tuple[str, ...] = field(default=())
    """What the function prints."""

    @property
    def request_id(self) -> str:
        """Like Lambda's."""
        return f"8f5a7c3e-2f4b-4c55-9d3a-{self.number:012x}"

    @property
    def end_ms(self) -> int:
        """When its report was written: invocations are a minute apart."""
        return START_MS + self.number * 60_000

    def text_events(self) -> list[Event]:
        """As a text log has it."""
        report = (
            f"REPORT RequestId: {self.request_id}\tDuration: {self.duration} ms\t"
            f"Billed Duration: {self.billed_ms} ms\tMemory Size: {self.memory_mb} MB\t"
            "Max Memory Used: 73 MB\t"
        )
        report += f"Init Duration: {self.init} ms\t" if self.init else ""
        report += f"Status: {self.status}\t" if self.status else ""
        begin = self.end_ms - 200
        return [
            Event(begin, f"START RequestId: {self.request_id} Version: 7\n"),
            *(Event(begin + 10, f"{line}\n", is_platform=False) for line in self.own),
            Event(self.end_ms - 1, f"END RequestId: {self.request_id}\n"),
            Event(self.end_ms, f"{report}\n"),
        ]

    def json_events(self) -> list[Event]:
        """As a JSON log has it."""
        metrics: dict[str, Any] = {
            "durationMs": float(self.duration),
            "billedDurationMs": self.billed_ms,
            "memorySizeMB": self.memory_mb,
            "maxMemoryUsedMB": 73,
        }
        if self.init:
            metrics["initDurationMs"] = float(self.init)
        record = {"requestId": self.request_id, "metrics": metrics}
        record["status"] = self.status or "success"
        begin = {"requestId": self.request_id, "version": "7"}
        return [
            Event(self.end_ms - 200, _platform(self.end_ms - 200, "start", begin)),
            *(Event(self.end_ms - 190, f"{line}\n", is_platform=False) for line in self.own),
            Event(self.end_ms, _platform(self.end_ms, "report", record)),
        ]


def _platform(at_ms: int, kind: str, record: dict[str, Any]) -> str:
    value = {"time": iso(at_ms), "type": f"platform.{kind}", "record": record}
    return json.dumps(value, separators=(",", ":")) + "\n"


def iso(at_ms: int, *, zone: str = "Z", digits: int = 3) -> str:
    """`2026-11-20T10:00:00.123Z`."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{at_ms % 1000:03d}{'0' * (digits - 3)}{zone}" if digits else text + zone


def plain(events: Sequence[Event]) -> bytes:
    """Messages alone, as `sam local` and `tuner local` print them."""
    return "".join(each.message for each in events).encode()


def _led(events: Sequence[Event], lead: Callable[[Event], str]) -> bytes:
    return "".join(f"{lead(each)}{each.message}" for each in events).encode()


def exported(events: Sequence[Event]) -> bytes:
    """A file of a CloudWatch export, before it is packed."""
    return _led(events, lambda each: f"{iso(each.at_ms)} ")


def tailed(events: Sequence[Event]) -> bytes:
    """`aws logs tail`."""
    return _led(events, lambda each: f"{iso(each.at_ms, zone='+00:00', digits=6)} {STREAM} ")


def tailed_short(events: Sequence[Event]) -> bytes:
    """`aws logs tail --format short`, colored."""
    return _led(events, lambda each: f"\x1b[32m{iso(each.at_ms, zone='', digits=0)}\x1b[0m ")


def sam_logs(events: Sequence[Event]) -> bytes:
    """`sam logs`, colored."""
    return _led(
        events,
        lambda each: (
            f"\x1b[36m{STREAM}\x1b[0m \x1b[33m{iso(each.at_ms, zone='', digits=6)}\x1b[0m "
        ),
    )


def led_by_epoch(events: Sequence[Event]) -> bytes:
    """`aws logs filter-log-events --query 'events[].[timestamp,message]' --output text`."""
    return _led(events, lambda each: f"{each.at_ms}\t")


def led_by_local_time(events: Sequence[Event]) -> bytes:
    """Times of another zone, with its offset."""
    hours = 9
    return _led(events, lambda each: f"{iso(each.at_ms + hours * 3_600_000, zone='+09:00')} ")


def filtered_text(events: Sequence[Event]) -> bytes:
    """`aws logs filter-log-events --output text`."""
    rows = [
        f"EVENTS\t{each.at_ms:056d}\t{each.at_ms + 5_432}\t{STREAM}\t{each.message}\t{each.at_ms}\n"
        for each in events
    ]
    return ("".join(rows) + f"SEARCHEDLOGSTREAMS\t{STREAM}\tTrue\n").encode()


def got_text(events: Sequence[Event]) -> bytes:
    """`aws logs get-log-events --output text`: without line breaks at messages' ends."""
    rows = [
        f"EVENTS\t{each.at_ms + 5_432}\t{each.message.rstrip()}\t{each.at_ms}\n" for each in events
    ]
    return ("b/123\tf/456\n" + "".join(rows)).encode()


def filtered(events: Sequence[Event]) -> bytes:
    """`aws logs filter-log-events --output json`."""
    found = [
        {
            "logStreamName": STREAM,
            "timestamp": each.at_ms,
            "message": each.message,
            "ingestionTime": each.at_ms + 5_432,
            "eventId": f"{each.at_ms:056d}",
        }
        for each in events
    ]
    return json.dumps({"events": found, "searchedLogStreams": []}, indent=4).encode()


def filtered_pages(events: Sequence[Event]) -> bytes:
    """Several answers one after another."""
    half = len(events) // 2
    return filtered(events[:half]) + b"\n" + filtered(events[half:])


def messages_of_json(events: Sequence[Event]) -> bytes:
    """`aws logs filter-log-events --query 'events[].message'`."""
    return json.dumps([each.message for each in events], indent=4).encode()


def pairs_of_json(events: Sequence[Event]) -> bytes:
    """`--query 'events[].[timestamp,message]'`."""
    return json.dumps([[each.at_ms, each.message] for each in events], indent=4).encode()


def insights_results(events: Sequence[Event]) -> bytes:
    """`aws logs get-query-results`."""
    rows = [
        [
            {"field": "@timestamp", "value": iso(each.at_ms, zone="").replace("T", " ")},
            {"field": "@message", "value": each.message},
            {"field": "@log", "value": f"123456789012:{GROUP}"},
            {"field": "@logStream", "value": STREAM},
            {"field": "@ptr", "value": "Ck8K"},
        ]
        for each in events
    ]
    return json.dumps({"results": rows, "status": "Complete"}, indent=4).encode()


def event_lines(events: Sequence[Event]) -> bytes:
    """An event a line."""
    return "".join(
        json.dumps({"timestamp": each.at_ms, "message": each.message, "logStream": STREAM}) + "\n"
        for each in events
    ).encode()


def records(events: Sequence[Event], *, size: int = 3) -> list[dict[str, Any]]:
    """What CloudWatch Logs sends to a subscription."""
    return [
        {
            "messageType": "DATA_MESSAGE",
            "owner": "123456789012",
            "logGroup": GROUP,
            "logStream": STREAM,
            "subscriptionFilters": ["all"],
            "logEvents": [
                {"id": f"{each.at_ms:056d}", "timestamp": each.at_ms, "message": each.message}
                for each in events[begin : begin + size]
            ],
        }
        for begin in range(0, len(events), size)
    ]


CONTROL: Final = {"messageType": "CONTROL_MESSAGE", "owner": "CloudwatchLogs", "logEvents": []}


def subscription(events: Sequence[Event]) -> bytes:
    """Records without anything between them."""
    return "".join(json.dumps(each) for each in [CONTROL, *records(events)]).encode()


def subscription_lines(events: Sequence[Event]) -> bytes:
    """A record a line."""
    return "\n".join(json.dumps(each) for each in records(events)).encode()


def firehose(events: Sequence[Event]) -> bytes:
    """Each record packed by CloudWatch, all of them again by Firehose."""
    packed = b"".join(gzip.compress(json.dumps(each).encode()) for each in records(events))
    return gzip.compress(packed)


def lambda_event(events: Sequence[Event]) -> bytes:
    """What a function that is subscribed gets."""
    data = gzip.compress(json.dumps(records(events, size=10_000)[0]).encode())
    return json.dumps({"awslogs": {"data": base64.b64encode(data).decode()}}).encode()


def kinesis_event(events: Sequence[Event]) -> bytes:
    """The same through a stream."""
    data = [gzip.compress(json.dumps(each).encode()) for each in records(events)]
    found = [{"kinesis": {"data": base64.b64encode(each).decode()}} for each in data]
    return json.dumps({"Records": found}).encode()


def _table(names: Sequence[str], rows: Sequence[Sequence[object]], separator: str = ",") -> bytes:
    out = io.StringIO()
    table = csv.writer(out, delimiter=separator, lineterminator="\n")
    table.writerows([names, *rows])
    return out.getvalue().encode()


def console_csv(events: Sequence[Event]) -> bytes:
    """What the console saves of a log's events."""
    return _table(("timestamp", "message"), [(each.at_ms, each.message) for each in events])


def insights_csv(events: Sequence[Event]) -> bytes:
    """What the console saves of a query's messages."""
    rows = [
        (iso(each.at_ms, zone="").replace("T", " "), each.message, f"123456789012:{GROUP}", STREAM)
        for each in events
    ]
    return _table(("@timestamp", "@message", "@log", "@logStream"), rows)


def insights_json(events: Sequence[Event]) -> bytes:
    """The same as JSON: messages that are JSON come as objects, and other fields beside them."""
    rows = [
        {
            "@timestamp": iso(each.at_ms, zone="").replace("T", " "),
            "@message": json.loads(each.message) if each.message[0] == "{" else each.message,
            "@logStream": STREAM,
            "@duration": "",
            "level": "INFO",
        }
        for each in events
    ]
    return json.dumps(rows, indent=2).encode()


def found_fields(invocations: Sequence[Invocation], separator: str = ",") -> bytes:
    """What the console saves of a query for the fields of reports."""
    names = ("@timestamp", "@requestId", "@duration", "@billedDuration", "@memorySize",
             "@maxMemoryUsed", "@initDuration", "@logStream")  # fmt: skip
    rows = [
        (iso(each.end_ms, zone="").replace("T", " "), each.request_id, each.duration,
         f"{each.billed_ms}.0", f"{each.memory_mb / 1000:.3f}E9", "7.3E7", each.init or "", STREAM)
        for each in invocations
    ]  # fmt: skip
    return _table(names, rows, separator)


def found_fields_json(invocations: Sequence[Invocation]) -> bytes:
    """The same as JSON, of JSON logs."""
    rows = []
    for each in invocations:
        row = {
            "@timestamp": iso(each.end_ms, zone="").replace("T", " "),
            "@logStream": STREAM,
            "record.requestId": each.request_id,
            "record.status": each.status or "success",
            "record.metrics.durationMs": each.duration,
            "record.metrics.billedDurationMs": str(each.billed_ms),
            "record.metrics.memorySizeMB": str(each.memory_mb),
            "record.metrics.maxMemoryUsedMB": "73",
        }
        rows.append(row | ({"record.metrics.initDurationMs": each.init} if each.init else {}))
    return json.dumps(rows).encode()


TIMED: Final[tuple[Callable[[Sequence[Event]], bytes], ...]] = (
    exported, tailed, tailed_short, sam_logs, led_by_epoch, led_by_local_time, filtered_text,
    got_text, filtered, filtered_pages, pairs_of_json, insights_results, event_lines, subscription,
    subscription_lines, firehose, lambda_event, kinesis_event, console_csv, insights_csv,
    insights_json,
)  # fmt: skip
UNTIMED: Final[tuple[Callable[[Sequence[Event]], bytes], ...]] = (plain, messages_of_json)
