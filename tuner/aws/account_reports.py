"""What other services know about functions: CloudTrail's changes, tags, Compute
Optimizer's advice.
"""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from tuner.errors import AwsError
from tuner.model.account import OptimizerFinding
from tuner.observe.deployments import bare_name, trail_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tuner.aws.services import Services
    from tuner.model.account import TrailEvent

# CloudTrail's names carry the API's version: UpdateFunctionConfiguration20150331v2.
_CHANGES: Final = ("UpdateFunctionCode", "UpdateFunctionConfiguration", "PublishVersion",
                   "UpdateAlias", "CreateFunction", "PutProvisionedConcurrencyConfig")  # fmt: skip
_NOT_ENROLLED: Final = "OptInRequiredException"


def function_changes(
    services: Services, *, start: datetime, end: datetime, most_pages: int = 200
) -> Iterator[TrailEvent]:
    """Changes to functions in the last 90 days, newest first, 50 events per page, two pages a
    second.

    `most_pages` bounds the requests: reads are among the events, and there's no way to ask only for
    changes. Raises AwsError.
    """
    for raw in services.listed(
        "cloudtrail",
        "LookupEvents",
        most_pages=most_pages,
        LookupAttributes=[
            {"AttributeKey": "EventSource", "AttributeValue": "lambda.amazonaws.com"}
        ],
        StartTime=start,
        EndTime=end,
        MaxResults=50,
    ):
        if (event := _trail_event(raw)) is not None:
            yield event


def _trail_event(raw: dict[str, Any]) -> TrailEvent | None:
    """The event if it changed a function; nothing of it but the four fields is kept."""
    name = raw.get("EventName", "")
    if not name.startswith(_CHANGES):
        return None
    try:
        record = json.loads(raw.get("CloudTrailEvent") or "{}")
    except ValueError:
        return None
    return trail_event(record, name, raw["EventTime"].astimezone(UTC))


def function_tags(services: Services) -> dict[str, dict[str, str]]:
    """Tags by the function's name; functions without tags are missing. Raises AwsError."""
    return {
        bare_name(raw["ResourceARN"]): {tag["Key"]: tag["Value"] for tag in raw.get("Tags", ())}
        for raw in services.listed(
            "resourcegroupstaggingapi",
            "GetResources",
            ResourceTypeFilters=["lambda:function"],
            ResourcesPerPage=100,
        )
    }


def optimizer_findings(services: Services) -> dict[str, OptimizerFinding] | None:
    """Compute Optimizer's findings by the function's name; None if it's off. Raises AwsError."""
    try:
        return {
            bare_name(raw["functionArn"]): _finding(raw)
            for raw in services.listed(
                "compute-optimizer", "GetLambdaFunctionRecommendations", maxResults=500
            )
            if raw.get("functionVersion", "$LATEST") == "$LATEST"
        }
    except AwsError as error:
        if error_code(error) == _NOT_ENROLLED:
            return None
        raise


def _finding(raw: dict[str, Any]) -> OptimizerFinding:
    options = sorted(
        raw.get("memorySizeRecommendationOptions", ()), key=lambda each: each.get("rank", 0)
    )
    best: dict[str, Any] = options[0] if options else {}
    saving = best.get("savingsOpportunityAfterDiscounts") or best.get("savingsOpportunity") or {}
    amount = saving.get("estimatedMonthlySavings") or {}
    in_dollars = amount.get("currency", "USD") == "USD"
    return OptimizerFinding(
        finding=raw.get("finding", "Unavailable"),
        reason_codes=tuple(raw.get("findingReasonCodes", ())),
        memory_mb=raw.get("currentMemorySize", 0),
        recommended_mb=best.get("memorySize"),
        saving_usd_per_month=amount.get("value") if in_dollars else None,
        invocation_count=raw.get("numberOfInvocations", 0),
    )


def error_code(error: AwsError) -> str:
    """AWS's own code for a refusal, "" if the refusal isn't AWS's."""
    cause = error.__cause__
    return str(cause.response["Error"].get("Code", "")) if isinstance(cause, ClientError) else ""
