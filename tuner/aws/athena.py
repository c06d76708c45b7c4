"""Athena: statements and queries one after the other, what they scan and cost, and the rows.

A query is priced by the bytes that it reads, as they lie in S3 (packed); statements about tables
are free.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from tuner.aws.account_reports import error_code
from tuner.aws.connection_errors import plain
from tuner.errors import AwsError
from tuner.observe.archive_table import S3Object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tuner.aws.services import Services
    from tuner.observe.archive_table import S3Location

PRICE_USD_PER_TB: Final = 5.0
"""Per TB scanned: us-east-1, price feed of 2025-06-27."""
LEAST_BYTES: Final = 10e6
"""Of a query, however little it reads (Athena pricing)."""
ROWS_A_PAGE: Final = 1000
DATABASE: Final = "default"
_BYTES_PER_TB: Final = 1e12
_UNDER_WAY: Final = frozenset(("QUEUED", "RUNNING"))
_UNKNOWN_ID: Final = "InvalidRequestException"


class _EndedError(AwsError):
    """A statement failed, or was canceled."""


def price_usd(bytes_scanned: float) -> float:
    """The price of a query that reads this much."""
    return max(bytes_scanned, LEAST_BYTES) / _BYTES_PER_TB * PRICE_USD_PER_TB


class AthenaQueries:
    """Runs statements in a work group; what is interrupted is stopped."""

    def __init__(
        self, services: Services, *, work_group: str = "primary", results: S3Location | None = None
    ) -> None:
        """`results` is where Athena writes answers; None: where the work group says."""
        self._services = services
        self._work_group = work_group
        self._results = results

    def objects(self, location: S3Location) -> Iterator[S3Object]:
        """Every object of an archive. Raises AwsError."""
        for each in self._services.listed(
            "s3", "ListObjectsV2", Bucket=location.bucket, Prefix=location.prefix
        ):
            yield S3Object(str(each["Key"]), int(each["Size"]))

    def run(
        self, statement: str, *, started: str | None = None,
        on_start: Callable[[str], None] = lambda _: None,
    ) -> tuple[str, int]:  # fmt: skip
        """Run one to its end; return its id and the bytes that it scanned.

        `started` is the id of one that an earlier process sent: it's waited for, and sent again if
        Athena doesn't know it or it did not succeed. Raises AwsError.
        """
        if started is not None:
            try:
                return started, self._wait(started)
            except AwsError as error:
                if not isinstance(error, _EndedError) and error_code(error) != _UNKNOWN_ID:
                    raise
        query_id = self._start(statement)
        on_start(query_id)
        return query_id, self._wait(query_id)

    def rows(self, query_id: str) -> Iterator[tuple[str | None, ...]]:
        """The rows of a query that succeeded, without their head. Raises AwsError."""
        rows = self._services.listed(
            "athena", "GetQueryResults", QueryExecutionId=query_id, MaxResults=ROWS_A_PAGE
        )
        for row in islice(rows, 1, None):
            yield tuple(each.get("VarCharValue") for each in row["Data"])

    def _start(self, statement: str) -> str:
        where: dict[str, Any] = {} if self._results is None else {
            "ResultConfiguration": {"OutputLocation": self._results.url()}
        }  # fmt: skip
        answer = self._services.ask(
            "athena",
            "StartQueryExecution",
            QueryString=statement,
            QueryExecutionContext={"Database": DATABASE},
            WorkGroup=self._work_group,
            **where,
        )
        return str(answer["QueryExecutionId"])

    def _wait(self, query_id: str) -> int:
        """Wait for its end, and stop it if this is interrupted."""
        try:
            while True:
                answer = self._services.ask(
                    "athena", "GetQueryExecution", QueryExecutionId=query_id
                )["QueryExecution"]
                state = answer["Status"]["State"]
                if state not in _UNDER_WAY:
                    break
                self._services.sleep(self._services.look_every_s)
        except BaseException:
            with suppress(AwsError):
                self._services.ask("athena", "StopQueryExecution", QueryExecutionId=query_id)
            raise
        if state != "SUCCEEDED":
            reason = plain(answer["Status"].get("StateChangeReason") or "")
            raise _EndedError(
                f"Athena ended a statement in {self._services.region} as {state}"
                f"{': ' if reason else ''}{reason}"
            )
        return int(answer.get("Statistics", {}).get("DataScannedInBytes", 0))
