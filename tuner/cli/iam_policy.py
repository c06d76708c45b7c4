"""`tuner iam-policy`: what a sweep needs to be allowed."""

import json
from typing import Annotated, Final

from tuner.cli import options
from tuner.cli.screen import say, show_json

MOST_OF_A_USER: Final = 2_048
"""Characters, by IAM's quotas; 10,240 of a role, 6,144 of a managed policy."""

EPILOG = """\
tuner iam-policy resize-images --region eu-west-1

tuner iam-policy arn:aws:lambda:eu-west-1:123456789012:function:resize-images"""


def iam_policy(
    function: options.FunctionName,
    *,
    region: Annotated[str | None, options.region_option("the ARN's, else any")] = None,
    isolation: options.IsolationOption = "auto",
) -> None:
    """Print the least IAM policy that a sweep of FUNCTION needs, as JSON.

    No credentials are needed and nothing is asked of AWS. What the ARN doesn't name is `*`.
    """
    from tuner.aws.function_ref import check_region, parse_reference
    from tuner.aws.iam_policy import least_policy

    if region is not None:
        check_region(parse_reference(function), region)
    policy = least_policy(function, region=region or "*", isolation=isolation)
    show_json(policy)
    count = len("".join(json.dumps(policy).split()))  # IAM does not count white space
    if count > MOST_OF_A_USER:
        say(
            f"The policy has {count:,} characters, and the inline policies of a user may have "
            f"{MOST_OF_A_USER:,}: make it a managed one (aws iam create-policy --policy-name "
            "lambda-tuner --policy-document file://policy.json), or an inline policy of a role"
        )
