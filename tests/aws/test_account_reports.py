"""CloudTrail and Compute Optimizer, which moto lacks, by botocore's own description of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tuner.aws.account_reports import function_changes, optimizer_findings
from tuner.aws.services import Services
from tuner.aws.session import open_session
from tuner.errors import AccessDeniedError
from tuner.model.account import OptimizerFinding, TrailEvent

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.stub import Stubber

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:resize"


@pytest.fixture(scope="module")
def services() -> Services:
    session = open_session(
        region="eu-west-1", profile=None, endpoint_url="http://127.0.0.1:9", access_key_id="x"
    )
    return Services(session, purpose="scan", sleep=lambda _: None)


def recommendation(**changed: Any) -> dict[str, Any]:
    option = {
        "rank": 1,
        "memorySize": 900,
        "savingsOpportunity": {
            "savingsOpportunityPercentage": 30.0,
            "estimatedMonthlySavings": {"currency": "USD", "value": 12.5},
        },
        "savingsOpportunityAfterDiscounts": {
            "savingsOpportunityPercentage": 30.0,
            "estimatedMonthlySavings": {"currency": "USD", "value": 10.0},
        },
    }
    return {
        "functionArn": f"{ARN}:$LATEST",
        "functionVersion": "$LATEST",
        "accountId": "123456789012",
        "currentMemorySize": 1024,
        "numberOfInvocations": 5000,
        "finding": "NotOptimized",
        "findingReasonCodes": ["MemoryOverprovisioned"],
        "memorySizeRecommendationOptions": [option | {"rank": 2, "memorySize": 1000}, option],
        "currentPerformanceRisk": "Low",
    } | changed


def test_compute_optimizers_first_option_is_taken(
    services: Services, stub: Callable[[str], Stubber]
) -> None:
    """By rank, with what it saves after discounts; over all pages, $LATEST alone."""
    optimizer = stub("compute-optimizer")
    other = recommendation(functionArn=f"{ARN}:3", functionVersion="3")
    page = {"lambdaFunctionRecommendations": [recommendation(), other], "nextToken": "t"}
    operation = "get_lambda_function_recommendations"
    optimizer.add_response(operation, page, {"maxResults": 500})
    unavailable = recommendation(
        functionArn=f"{ARN[:-6]}send:$LATEST",
        finding="Unavailable",
        findingReasonCodes=["InsufficientData"],
        memorySizeRecommendationOptions=[],
    )
    last = {"lambdaFunctionRecommendations": [unavailable]}
    optimizer.add_response(operation, last, {"maxResults": 500, "nextToken": "t"})
    assert optimizer_findings(services) == {
        "resize": OptimizerFinding(
            "NotOptimized", ("MemoryOverprovisioned",), 1024, 900, 10.0, 5000
        ),
        "send": OptimizerFinding("Unavailable", ("InsufficientData",), 1024, None, None, 5000),
    }


def test_an_account_that_has_it_off_is_told_from_one_that_may_not_ask(
    services: Services, stub: Callable[[str], Stubber]
) -> None:
    """Off is None; a denial is an error with its action."""
    optimizer = stub("compute-optimizer")
    operation = "get_lambda_function_recommendations"
    optimizer.add_client_error(operation, "OptInRequiredException", "not opted in", 403)
    assert optimizer_findings(services) is None
    optimizer.add_client_error(operation, "AccessDeniedException", "no", 400)
    with pytest.raises(AccessDeniedError, match="compute-optimizer:GetLambdaFunctionRec"):
        optimizer_findings(services)


def event(name: str, asked: Any, **document: Any) -> dict[str, Any]:
    text = json.dumps({"requestParameters": asked, **document})
    return {"EventName": name, "EventTime": NOW, "CloudTrailEvent": text}


def test_changes_are_told_by_the_beginning_of_their_names(
    services: Services, stub: Callable[[str], Stubber]
) -> None:
    """AWS's names have the API's version behind them; reads and refused changes are left out."""
    trail = stub("cloudtrail")
    events = [
        event("UpdateFunctionConfiguration20150331v2", {"functionName": ARN, "memorySize": 512}),
        event(
            "PublishVersion20150331", {"functionName": "send"}, responseElements={"version": "7"}
        ),
        event("UpdateFunctionCode20150331v2", {"functionName": "send"}, errorCode="AccessDenied"),
        event("GetFunction20150331v2", {"functionName": "send"}),
        {"EventName": "UpdateFunctionCode20150331v2", "EventTime": NOW, "CloudTrailEvent": "{"},
    ]
    trail.add_response("lookup_events", {"Events": events, "NextToken": "t"})
    trail.add_response("lookup_events", {"Events": []})
    found = [*function_changes(services, start=NOW - timedelta(days=1), end=NOW)]
    assert found == [
        TrailEvent(NOW, "UpdateFunctionConfiguration20150331v2", "resize", None, 512),
        TrailEvent(NOW, "PublishVersion20150331", "send", "7", None),
    ]


def test_the_trail_is_read_so_far_and_no_further(
    services: Services, stub: Callable[[str], Stubber]
) -> None:
    """Most of an account's events are reads: the number of pages is bounded."""
    trail = stub("cloudtrail")
    trail.add_response("lookup_events", {"Events": [], "NextToken": "t"})
    day = timedelta(days=1)
    assert [*function_changes(services, start=NOW - day, end=NOW, most_pages=1)] == []
    trail.assert_no_pending_responses()
