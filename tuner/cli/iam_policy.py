"""`tuner iam-policy`: the permissions that a sweep needs."""

import json
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Final, Literal

import typer

from tuner.cli import options
from tuner.cli.screen import say, show_json
from tuner.errors import UsageError

MOST_OF_A_USER: Final = 2_048
"""Characters, by IAM's quotas; a role may have 10,240, a managed policy 6,144."""
OF_ONE_FUNCTION: Final = {"sweep": "sweep", "load": "load", "apply": "rollout", "stop": "stop"}

EPILOG = """\
tuner iam-policy resize-images --region eu-west-1

tuner iam-policy arn:aws:lambda:eu-west-1:123456789012:function:resize-images

tuner iam-policy --for scan

tuner iam-policy --for scan --athena s3://my-logs/exports

tuner iam-policy resize-images --for load

tuner iam-policy resize-images --for apply

tuner iam-policy resize-images --for stop

tuner iam-policy --for live-check --region eu-west-1"""


def iam_policy(
    function: Annotated[
        str | None,
        typer.Argument(
            metavar="[FUNCTION]",
            help="Name or ARN. A sweep's policy needs one; without one, another command's is for "
            "every function that it reads.",
        ),
    ] = None,
    *,
    purpose: Annotated[
        Literal[
            "sweep",
            "load",
            "apply",
            "fleet",
            "live-check",
            "observe",
            "verify",
            "scan",
            "spend",
            "watch",
            "workflow",
            "stop",
        ],
        typer.Option(
            "--for",
            metavar="COMMAND",
            help="sweep, load (of several sizes too), apply (a rollout: apply --live), fleet, "
            "live-check, observe, verify, scan, spend, watch, workflow, or stop (tuner watch "
            "--stop-at). From observe to workflow they only read.",
        ),
    ] = "sweep",
    region: Annotated[str | None, options.region_option("the ARN's, else any")] = None,
    isolation: options.IsolationOption = "auto",
    athena: Annotated[
        str | None,
        options.where_option(
            **options.without_settings("function"),
            metavar="S3_URI",
            help="With --for scan: of this archive by Athena, which needs nothing of Lambda.",
        ),
    ] = None,
    results: Annotated[
        str | None,
        options.where_option(
            metavar="S3_URI", help="With --athena: where its answers are, as in tuner scan."
        ),
    ] = None,
) -> None:
    """Print the least IAM policy that a command needs, as JSON: by default a sweep of FUNCTION.

    It needs no credentials and doesn't call AWS. Whatever the ARN doesn't name is `*`.
    """
    from tuner.aws.changing_policy import (
        least_live_check_policy,
        least_rollout_policy,
        least_stop_policy,
    )
    from tuner.aws.function_ref import check_region, parse_reference
    from tuner.aws.iam_policy import least_fleet_policy, least_load_policy, least_policy
    from tuner.aws.reading_policy import least_reading_policy, least_workflow_policy

    if athena is not None or results is not None:
        if athena is None or purpose != "scan" or function is not None:
            raise UsageError("--athena is for --for scan without a FUNCTION; --results go with it")
        _show(_of_archive(athena, results, region or "*"))
        return
    if function is not None and region is not None:
        check_region(parse_reference(function), region)
    if function is None and purpose in OF_ONE_FUNCTION:
        raise UsageError(f"name the FUNCTION that a {OF_ONE_FUNCTION[purpose]}'s policy is for")
    named = function or ""  # what is of one function has it
    policies: dict[str, Callable[..., dict[str, Any]]] = {
        "sweep": partial(least_policy, named, isolation=isolation),
        "load": partial(least_load_policy, named, isolation=isolation),
        "apply": partial(least_rollout_policy, named),
        "stop": partial(least_stop_policy, named),
        "fleet": partial(least_fleet_policy, isolation=isolation),
        "live-check": partial(least_live_check_policy, function),
        "workflow": least_workflow_policy,
        "verify": partial(least_reading_policy, "observe", function),
    }
    # What is left reads.
    policy = policies.get(purpose) or partial(least_reading_policy, purpose, function)  # type: ignore[arg-type]
    _show(policy(region=region or "*"))


def _of_archive(athena: str, results: str | None, region: str) -> dict[str, Any]:
    from tuner.aws.reading_policy import least_archive_policy
    from tuner.observe.archive_table import S3Location

    answers = None if results is None else S3Location.of(results, "results")
    return least_archive_policy(S3Location.of(athena, "athena"), answers, region=region)


def _show(policy: dict[str, Any]) -> None:
    show_json(policy)
    count = len("".join(json.dumps(policy).split()))  # IAM doesn't count white space
    if count > MOST_OF_A_USER:
        say(
            f"The policy has {count:,} characters, and the inline policies of a user may have "
            f"{MOST_OF_A_USER:,}: make it a managed one (aws iam create-policy --policy-name "
            "lambda-tuner --policy-document file://policy.json), or an inline policy of a role"
        )
