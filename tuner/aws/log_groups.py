"""Log groups of CloudWatch Logs: their class, size and retention; and lines without a query."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from tuner.model.account import LogGroup, LogLine

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from tuner.aws.services import Services

LAMBDA_PREFIX: Final = "/aws/lambda/"
_PAGE: Final = 50
SAMPLE_PARTS: Final = 24
SAMPLE_LINES: Final = 500


def find_log_groups(services: Services, names: Collection[str]) -> dict[str, LogGroup]:
    """The existing ones among the names, by name. Raises AwsError.

    A few are asked for one by one. If there are many, Lambda's own groups are read from the list,
    50 per page, and only groups that the owner named are asked for one by one.
    """
    found: dict[str, LogGroup] = {}
    single = list(dict.fromkeys(names))
    if len(single) > _PAGE:
        raws = services.listed(
            "logs", "DescribeLogGroups", logGroupNamePrefix=LAMBDA_PREFIX, limit=_PAGE
        )
        found = {each.name: each for each in map(_group, raws)}
        single = [name for name in single if not name.startswith(LAMBDA_PREFIX)]
    for name in single:
        # The group itself comes first of all that begin with its name.
        page = services.ask("logs", "DescribeLogGroups", logGroupNamePrefix=name, limit=1)
        found |= {each.name: each for each in map(_group, page.get("logGroups", ()))}
    return {name: found[name] for name in names if name in found}


def _group(raw: dict[str, Any]) -> LogGroup:
    return LogGroup(
        name=raw["logGroupName"],
        log_class=raw.get("logGroupClass", "STANDARD"),
        stored_bytes=int(raw.get("storedBytes", 0)),
        retention_days=raw.get("retentionInDays"),
        created_at=from_ms(raw.get("creationTime", 0)),
    )


def report_lines(
    services: Services,
    log_group: str,
    *,
    start: datetime,
    end: datetime,
    logs_json: bool,
    with_others: bool = False,
) -> Iterator[LogLine]:
    """The lines with reports (or all), oldest first (FilterLogEvents costs nothing).

    Raises AwsError.
    """
    wanted: dict[str, Any] = (
        {} if with_others else {"filterPattern": report_pattern(logs_json=logs_json)}
    )
    for event in services.listed(
        "logs",
        "FilterLogEvents",
        logGroupName=log_group,
        startTime=to_ms(start),
        endTime=to_ms(end),
        **wanted,
    ):
        line = _line(event, log_group)
        yield replace(line, message=line.message.rstrip("\n"))


def report_pattern(*, logs_json: bool) -> str:
    """What FilterLogEvents finds reports by."""
    return '{ $.type = "platform.report" }' if logs_json else '"REPORT RequestId"'


def sampled_lines(
    services: Services, log_group: str, *, start: datetime, end: datetime, word: str | None = None
) -> Iterator[LogLine]:
    """The first lines of each of 24 parts of a window, a request each (FilterLogEvents is free).

    With `word` only those that have it. Raises AwsError.
    """
    wanted: dict[str, Any] = {} if word is None else {"filterPattern": f'"{word}"'}
    step = (end - start) / SAMPLE_PARTS
    for number in range(SAMPLE_PARTS):
        begin = start + number * step
        page = services.ask(
            "logs",
            "FilterLogEvents",
            logGroupName=log_group,
            startTime=to_ms(begin),
            endTime=to_ms(begin + step) - 1,
            limit=SAMPLE_LINES,
            **wanted,
        )
        yield from (_line(event, log_group) for event in page.get("events", ()))


def _line(event: dict[str, Any], log_group: str) -> LogLine:
    return LogLine(
        from_ms(event["timestamp"]), log_group, event.get("logStreamName", ""), event["message"]
    )


def from_ms(epoch_ms: float) -> datetime:
    """A moment of CloudWatch Logs, UTC."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)


def to_ms(moment: datetime) -> int:
    """The reverse."""
    return int(moment.timestamp() * 1000)
