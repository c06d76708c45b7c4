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
_TEXT_PATTERN: Final = '"REPORT RequestId"'
_JSON_PATTERN: Final = '{ $.type = "platform.report" }'
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
        for page in services.pages(
            "logs", "DescribeLogGroups", "nextToken", logGroupNamePrefix=LAMBDA_PREFIX, limit=_PAGE
        ):
            found |= {each.name: each for each in _groups(page)}
        single = [name for name in single if not name.startswith(LAMBDA_PREFIX)]
    for name in single:
        # The group itself comes first of all that begin with its name.
        page = services.ask("logs", "DescribeLogGroups", logGroupNamePrefix=name, limit=1)
        found |= {each.name: each for each in _groups(page)}
    return {name: found[name] for name in names if name in found}


def _groups(page: dict[str, Any]) -> Iterator[LogGroup]:
    for raw in page.get("logGroups", ()):
        yield LogGroup(
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
) -> Iterator[tuple[LogLine, ...]]:
    """The lines with reports (or all), oldest first, page by page (FilterLogEvents costs nothing).

    A page may be empty and still not the last. Raises AwsError.
    """
    pattern = _JSON_PATTERN if logs_json else _TEXT_PATTERN
    wanted: dict[str, Any] = {} if with_others else {"filterPattern": pattern}
    for page in services.pages(
        "logs",
        "FilterLogEvents",
        "nextToken",
        logGroupName=log_group,
        startTime=to_ms(start),
        endTime=to_ms(end),
        **wanted,
    ):
        yield tuple(
            replace(each, message=each.message.rstrip("\n")) for each in _lines(page, log_group)
        )


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
        yield from _lines(page, log_group)


def _lines(page: dict[str, Any], log_group: str) -> Iterator[LogLine]:
    for event in page.get("events", ()):
        yield LogLine(
            from_ms(event["timestamp"]),
            log_group,
            event.get("logStreamName", ""),
            event["message"],
        )


def from_ms(epoch_ms: float) -> datetime:
    """A moment of CloudWatch Logs, UTC."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)


def to_ms(moment: datetime) -> int:
    """The reverse."""
    return int(moment.timestamp() * 1000)
