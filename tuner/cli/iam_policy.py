"""`tuner iam-policy`: what a sweep needs to be allowed."""

from tuner.cli import options
from tuner.cli.screen import show_json

EPILOG = """\
tuner iam-policy resize-images --region eu-west-1

tuner iam-policy arn:aws:lambda:eu-west-1:123456789012:function:resize-images"""


def iam_policy(
    function: options.FunctionName,
    *,
    region: options.Region = None,
    isolation: options.IsolationOption = "auto",
) -> None:
    """Print the least IAM policy that a sweep of FUNCTION needs, as JSON.

    No credentials are needed and nothing is asked of AWS. What the ARN does not say stands as `*`.
    """
    from tuner.aws.policy import least_policy  # noqa: PLC0415 - not needed for --help

    show_json(least_policy(function, region=region or "*", isolation=isolation))
