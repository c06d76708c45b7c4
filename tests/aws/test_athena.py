"""Athena by botocore's own description of it: pages, ends, what is stopped, and what is paid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber

from tuner.aws.athena import AthenaQueries, price_usd
from tuner.aws.reading_policy import least_archive_policy
from tuner.aws.services import Services
from tuner.aws.session import open_session
from tuner.errors import AwsError
from tuner.observe.archive_table import S3Location, S3Object

if TYPE_CHECKING:
    from collections.abc import Iterator

RESULTS = S3Location("answers", "tuner/")
STARTED = {
    "QueryString": "SELECT 1",
    "QueryExecutionContext": {"Database": "default"},
    "WorkGroup": "primary",
    "ResultConfiguration": {"OutputLocation": "s3://answers/tuner/"},
}
ASKED = {"QueryExecutionId": "q"}


@pytest.fixture
def services() -> Services:
    session = open_session(
        region="eu-west-1", profile=None, endpoint_url="http://127.0.0.1:9", access_key_id="x"
    )
    return Services(session, purpose="scan", sleep=lambda _: None)


@pytest.fixture
def athena(services: Services) -> Iterator[Stubber]:
    """Answers in the order in which they were added; the fields are botocore's to check."""
    with Stubber(services.client("athena")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def state(name: str, **status: Any) -> dict[str, Any]:
    return {
        "QueryExecution": {
            "Status": {"State": name, **status},
            "Statistics": {"DataScannedInBytes": 2_000_000_000},
        }
    }


def page(*rows: tuple[str | None, ...], **more: Any) -> dict[str, Any]:
    data = [{"Data": [{} if each is None else {"VarCharValue": each} for each in row]}
            for row in rows]  # fmt: skip
    return {"ResultSet": {"Rows": data}, **more}


def starts(athena: Stubber) -> None:
    athena.add_response("start_query_execution", {"QueryExecutionId": "q"}, STARTED)


def test_a_query_is_waited_for_and_all_its_pages_are_read(
    services: Services, athena: Stubber
) -> None:
    """A thousand rows a page; the first row is the head, and a missing value is none."""
    starts(athena)
    for name in ("QUEUED", "RUNNING", "SUCCEEDED"):
        athena.add_response("get_query_execution", state(name), ASKED)
    first = {**ASKED, "MaxResults": 1000}
    athena.add_response("get_query_results", page(("a", "b"), ("1", None), NextToken="t"), first)
    athena.add_response("get_query_results", page(("2", "x")), {**first, "NextToken": "t"})
    queries, ids = AthenaQueries(services, results=RESULTS), []
    query, scanned = queries.run("SELECT 1", on_start=ids.append)
    assert (query, scanned, ids) == ("q", 2_000_000_000, ["q"])
    assert [*queries.rows(query)] == [("1", None), ("2", "x")]


@pytest.mark.parametrize("name", ["FAILED", "CANCELLED"])
def test_a_query_that_ends_otherwise_is_an_error_of_one_line(
    services: Services, athena: Stubber, name: str
) -> None:
    """With Athena's own reason, and without what isn't to be told."""
    starts(athena)
    reason = "SYNTAX_ERROR: line 1:8\nof account 123456789012"
    athena.add_response("get_query_execution", state(name, StateChangeReason=reason), ASKED)
    with pytest.raises(AwsError, match=f"in eu-west-1 as {name}: SYNTAX_ERROR: line 1:8 of") as e:
        AthenaQueries(services, results=RESULTS).run("SELECT 1")
    assert "123456789012" not in str(e.value)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_a_query_that_is_interrupted_is_stopped(
    services: Services, athena: Stubber, error: type[BaseException]
) -> None:
    """It would go on at Athena, and be paid."""

    def interrupt(_: float) -> None:
        raise error

    services.sleep = interrupt
    starts(athena)
    athena.add_response("get_query_execution", state("RUNNING"), ASKED)
    athena.add_response("stop_query_execution", {}, ASKED)
    with pytest.raises(error):
        AthenaQueries(services, results=RESULTS).run("SELECT 1")


OPERATIONS = ("start_query_execution", "get_query_execution", "get_query_results")


@pytest.mark.parametrize("fails", OPERATIONS)
@pytest.mark.parametrize("code", ["AccessDeniedException", "InternalServerException"])
def test_a_refusal_of_any_call_is_an_error_of_one_line(
    services: Services, athena: Stubber, fails: str, code: str
) -> None:
    """And a query that nobody can wait for any longer is stopped."""
    starts_, waits = athena.add_response, state("SUCCEEDED")
    for operation in OPERATIONS[: OPERATIONS.index(fails)]:
        starts(athena) if operation == OPERATIONS[0] else starts_(operation, waits, ASKED)
    athena.add_client_error(fails, code, "no\nmore")
    if fails == "get_query_execution":
        athena.add_client_error("stop_query_execution", code)
    queries = AthenaQueries(services, results=RESULTS)
    with pytest.raises(AwsError) as refused:
        [*queries.rows(queries.run("SELECT 1")[0])]
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("ended", [state("CANCELLED"), state("FAILED"), None])
def test_a_query_that_was_sent_before_is_sent_again_only_if_it_has_no_answer(
    services: Services, athena: Stubber, ended: dict[str, Any] | None
) -> None:
    """Athena forgets queries after 45 days, and one that was stopped has none."""
    earlier = {"QueryExecutionId": "old"}
    if ended is None:
        athena.add_client_error("get_query_execution", "InvalidRequestException", "not found")
        athena.add_response("stop_query_execution", {}, earlier)
    else:
        athena.add_response("get_query_execution", ended, earlier)
    starts(athena)
    athena.add_response("get_query_execution", state("SUCCEEDED"), ASKED)
    queries = AthenaQueries(services, results=RESULTS)
    assert queries.run("SELECT 1", started="old")[0] == "q"


def test_a_query_that_was_paid_before_is_not_sent_again(
    services: Services, athena: Stubber
) -> None:
    """It may still run."""
    for name in ("RUNNING", "SUCCEEDED"):
        athena.add_response("get_query_execution", state(name), ASKED)
    assert AthenaQueries(services).run("SELECT 1", started="q")[0] == "q"


def test_every_object_of_an_archive_is_found(services: Services) -> None:
    """Page after page, with what it weighs."""
    asked = {"Bucket": "logs", "Prefix": "a/"}
    with Stubber(services.client("s3")) as s3:
        first = {"Contents": [{"Key": "a/1.gz", "Size": 5}], "NextContinuationToken": "t"}
        s3.add_response("list_objects_v2", first, asked)
        second = {"Contents": [{"Key": "a/2.gz", "Size": 7}]}
        s3.add_response("list_objects_v2", second, {**asked, "ContinuationToken": "t"})
        s3.add_response("list_objects_v2", {}, {"Bucket": "logs", "Prefix": ""})
        queries = AthenaQueries(services)
        found = [*queries.objects(S3Location("logs", "a/"))]
        assert found == [S3Object("a/1.gz", 5), S3Object("a/2.gz", 7)]
        assert not [*queries.objects(S3Location("logs", ""))]


@pytest.mark.parametrize(("scanned", "usd"), [(0, 5e-5), (1e12, 5.0), (1e9, 0.005)])
def test_a_query_is_paid_by_what_it_scans(scanned: float, usd: float) -> None:
    """$5 a TB, and never less than for 10 MB."""
    assert price_usd(scanned) == pytest.approx(usd)


def test_the_policy_names_what_is_asked_and_nothing_of_lambda() -> None:
    """Every action in full; tables of the scan's own alone, and the archive is only read."""
    archive = S3Location("logs", "exports/")
    policy = least_archive_policy(archive, RESULTS, region="eu-west-1")
    by_sid = {each["Sid"]: each for each in policy["Statement"]}
    assert by_sid["ReadArchive"]["Action"] == "s3:GetObject"
    assert by_sid["ReadArchive"]["Resource"] == "arn:aws:s3:::logs/exports/*"
    assert by_sid["KeepAnswers"]["Resource"] == "arn:aws:s3:::answers/tuner/*"
    assert by_sid["RunQueries"]["Resource"] == "arn:aws:athena:eu-west-1:*:workgroup/*"
    tables = "arn:aws:glue:eu-west-1:*:table/default/tuner_logs_*"
    assert tables in by_sid["MakeTable"]["Resource"]
    actions = [each for s in policy["Statement"] for each in [s["Action"]] if isinstance(each, str)]
    actions += [each for s in policy["Statement"] if isinstance(s["Action"], list)
                for each in s["Action"]]  # fmt: skip
    assert not [each for each in actions if "*" in each or each.startswith(("lambda", "logs"))]
    odd = least_archive_policy(S3Location("logs", "a | {b} c/"))["Statement"]
    assert [each["Resource"] for each in odd if each["Sid"] == "ReadArchive"] == [
        "arn:aws:s3:::logs/a | {b} c/*"
    ]
