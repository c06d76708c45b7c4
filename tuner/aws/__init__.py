"""The one door to boto3.

`function_ref` reads what the user calls the function; `session` finds profile, region, credentials
and endpoint, `credentials` renews those that expire. Read `gateway` first, all that the other
packages see: it changes the function through `control_plane`, which waits, copies it
(`temporary_copy`, with `function_code` for packages, layers and images), runs it (`invocation`),
and what it reads is in `reader` (with `triggers` and `metrics`). `configuration` turns AWS's
answers into values without secrets, `service_errors` and `connection_errors` turn every refusal
into one line. `iam_policy` writes down the least policy for all that, and needs no boto3;
`price_list_api` asks for prices.

What production says is read through `services`, at a pace that the account can bear:
`function_list`, `log_groups` and `insights` (the logs, and what a query of them costs),
`metric_data`, and in `account_reports` CloudTrail, tags and Compute Optimizer. `reading_policy` has
the policies for it. What is behind a function and what feeds it is found by `surroundings`: what
its settings name (`reached_resources`), the limits of that (`resource_reader`), and how much is
used and refused (`resource_metrics`). `live_gateway` gives replies as they came, for `tuner live-
check`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tuner.aws.credentials_wait import CredentialsWait

if TYPE_CHECKING:
    from tuner.aws.gateway import LambdaGateway, connect

__all__ = ["CredentialsWait", "LambdaGateway", "connect"]


def __getattr__(name: str) -> Any:
    if name in ("LambdaGateway", "connect"):
        from tuner.aws import gateway  # noqa: PLC0415 - boto3 takes a quarter of a second to import

        return getattr(gateway, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
