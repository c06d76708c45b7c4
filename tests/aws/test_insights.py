"""Logs Insights by botocore's own description of it: queries side by side, pages, ends, prices."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import ANY, Stubber

from tuner.aws import insights
from tuner.aws.insights import LogQuery, QueryRuns
from tuner.aws.services import Services
from tuner.aws.session import open_session
from tuner.errors import AwsError
from tuner.model.account import LogGroup

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
DAY = timedelta(days=1)
QUERY = LogQuery(("/aws/lambda/a", "/aws/lambda/b"), "fields @message", NOW - DAY, NOW, limit=100)
STARTED = {
    "logGroupNames": ["/aws/lambda/a", "/aws/lambda/b"],
    "queryString": "fields @message\n| limit 100",
    "startTime": 1795867200,
    "endTime": 1795953599,
}


@pytest.fixture(scope="module")
def services() -> Services:
    session = open_session(
        region="eu-west-1", profile=None, endpoint_url="http://127.0.0.1:9", access_key_id="x"
    )
    return Services(session, purpose="scan", sleep=lambda _: None)


@pytest.fixture
def logs(services: Services) -> Iterator[Stubber]:
    """Answers in the order in which they were added; the fields are botocore's to check."""
    with Stubber(services.client("logs")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def result(status: str = "Complete", *messages: str, **more: Any) -> dict[str, Any]:
    rows = [[{"field": "@message", "value": text}] for text in messages]
    return {"status": status, "results": rows, **more}


def test_all_pages_of_an_answer_are_read_once_it_is_complete(
    services: Services, logs: Stubber
) -> None:
    """Partial rows of a running query are not taken; the bytes scanned are those of the end."""
    logs.add_response("start_query", {"queryId": "q"}, STARTED)
    logs.add_response("get_query_results", result("Running", "partial"), {"queryId": "q"})
    statistics = {"bytesScanned": 2e9, "recordsMatched": 2.0, "recordsScanned": 9.0}
    first = result("Complete", "one", nextToken="t", statistics=statistics)
    logs.add_response("get_query_results", first, {"queryId": "q"})
    second = {"queryId": "q", "nextToken": "t"}
    logs.add_response("get_query_results", result("Complete", "two"), second)
    answer = insights.run_query(services, QUERY)
    assert [row["@message"] for row in answer.rows] == ["one", "two"]
    assert (answer.bytes_scanned, answer.matched_count) == (2e9, 2)
    assert insights.price_usd(answer.bytes_scanned) == pytest.approx(0.01)


@pytest.mark.parametrize("status", ["Failed", "Timeout", "Cancelled", "Unknown"])
def test_a_query_that_ends_otherwise_is_an_error(
    services: Services, logs: Stubber, status: str
) -> None:
    """It says how it ended and what to do, and is no empty answer."""
    logs.add_response("start_query", {"queryId": "q"}, STARTED)
    logs.add_response("get_query_results", result(status), {"queryId": "q"})
    with pytest.raises(AwsError, match=f"ended as {status}: ask again, or for fewer `days`"):
        insights.run_query(services, QUERY)


def messages(runs: QueryRuns[str]) -> list[tuple[str, str]]:
    """The first message that each query found, in the order in which they ended."""
    found = []
    for key, _, answer in runs.answers():
        assert isinstance(answer, insights.QueryAnswer)
        found.append((key, answer.rows[0]["@message"]))
    return found


def test_queries_wait_while_too_many_run(services: Services, logs: Stubber) -> None:
    """The second is refused while the first runs, and is started when that has ended."""
    logs.add_response("start_query", {"queryId": "1"})
    logs.add_client_error("start_query", "LimitExceededException", "Account maximum", 400)
    logs.add_response("get_query_results", result("Complete", "first"), {"queryId": "1"})
    logs.add_response("start_query", {"queryId": "2"})
    logs.add_response("get_query_results", result("Complete", "second"), {"queryId": "2"})
    ended = messages(QueryRuns(services, [("a", QUERY), ("b", QUERY)]))
    assert ended == [
        ("a", "first"),
        ("b", "second"),
    ]


def test_a_refusal_ends_its_own_query_alone(services: Services, logs: Stubber) -> None:
    """The others go on, and the refused one can be asked again by halves."""
    logs.add_client_error("start_query", "AccessDeniedException", "no", 400)
    logs.add_response("start_query", {"queryId": "2"})
    logs.add_response("get_query_results", result("Complete", "second"), {"queryId": "2"})
    ended = {
        key: answer
        for key, _, answer in QueryRuns(services, [("a", QUERY), ("b", QUERY)]).answers()
    }
    assert isinstance(ended["a"], AwsError)
    assert not isinstance(ended["b"], AwsError)
    first, second = insights.halves(QUERY) or ()
    assert (first.log_groups, second.log_groups) == (("/aws/lambda/a",), ("/aws/lambda/b",))
    assert insights.halves(first) is None


def test_a_query_that_was_paid_for_is_not_started_again(services: Services, logs: Stubber) -> None:
    """Its results are fetched; only where they are gone is it asked once more."""
    told: deque[tuple[str, str]] = deque()
    logs.add_response("get_query_results", result("Complete", "kept"), {"queryId": "old"})
    logs.add_client_error("get_query_results", "ResourceNotFoundException", "gone", 400)
    logs.add_response("start_query", {"queryId": "new"}, {**STARTED, "startTime": ANY})
    logs.add_response("get_query_results", result("Complete", "again"), {"queryId": "new"})
    runs = QueryRuns(
        services,
        [("a", QUERY), ("b", QUERY)],
        started={"a": "old", "b": "older"},
        on_start=lambda key, query_id: told.append((key, query_id)),
    )
    assert dict(messages(runs)) == {"a": "kept", "b": "again"}
    assert told[-1] == ("b", "new")


@pytest.mark.parametrize(
    ("age_days", "retention_days", "asked_days", "expected"),
    [(100, None, 10, 100), (100, 20, 10, 500), (100, 5, 10, 1000), (4, None, 14, 1000)],
)
def test_what_a_query_scans_is_estimated_from_the_groups_days(
    age_days: int, retention_days: int | None, asked_days: int, expected: float
) -> None:
    """The stored bytes times the share of their days that is asked for, all of them at most."""
    group = LogGroup("/g", "STANDARD", 1000, retention_days, NOW - DAY * age_days)
    scanned = insights.bytes_to_scan(group, start=NOW - DAY * asked_days, end=NOW, now=NOW)
    assert scanned == pytest.approx(expected)
