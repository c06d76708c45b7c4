"""The least IAM policy for an emergency stop: `tuner watch --stop-at`, and `recover` after it."""

from __future__ import annotations

from typing import Any

from tuner.aws.function_ref import parse_reference
from tuner.aws.iam_policy import allow, policy_of, scope_of
from tuner.aws.reading_policy import least_reading_policy


def least_stop_policy(function: str, *, region: str = "*", account_id: str = "*") -> dict[str, Any]:
    """Return what watching one function takes, and its reserved concurrency.

    What an ARN says of region and account wins. Raises InputError for what is no function.
    """
    scope = scope_of(parse_reference(function), region, account_id)
    arn = scope.arn("lambda", f"function:{scope.name}")
    reading = least_reading_policy("watch", function, region=region)
    stopping = [
        allow(
            "OptionalSeeSizesOfAliases",
            ["lambda:ListAliases", "lambda:ListVersionsByFunction"],
            [arn],
        ),
        allow("ReadReservedConcurrency", ["lambda:GetFunctionConcurrency"], [arn]),
        allow(
            "StopItAndLetItRunAgain",
            ["lambda:DeleteFunctionConcurrency", "lambda:PutFunctionConcurrency"],
            [arn],
        ),
    ]
    return policy_of([*reading["Statement"], *stopping])
