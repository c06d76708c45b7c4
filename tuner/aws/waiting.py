"""Waiting until Lambda has done what it was asked: botocore's waiters, quick looks first.

Both waiters ask GetFunction, which has a budget of its own (100 a second); the other control
calls of an account share 15 a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError, WaiterError

from tuner.aws.place import Place, Request, plain
from tuner.aws.refusal import REFUSALS, refused
from tuner.errors import AwsError

if TYPE_CHECKING:
    from mypy_boto3_lambda.client import LambdaClient

    from tuner.aws.reference import FunctionRef

WaiterName = Literal["function_updated_v2", "function_active_v2"]


@dataclass(frozen=True, slots=True)
class Pace:
    """How often to look: phases of (seconds between looks, looks)."""

    phases: tuple[tuple[float, int], ...]

    @property
    def total_s(self) -> float:
        """How long it goes on at most, without the calls themselves."""
        return sum(delay_s * (count - 1) for delay_s, count in self.phases)


# An update of memory takes one to three seconds on AWS; a version with SnapStart is active only
# after minutes. A server on this machine is done in milliseconds.
AWS_PACE = Pace(((0.25, 13), (1.0, 60), (5.0, 170)))
LOOPBACK_PACE = Pace(((0.02, 51), (0.25, 117)))


def wait_until(
    client: LambdaClient,
    waiter_name: WaiterName,
    function: FunctionRef,
    qualifier: str | None,
    *,
    pace: Pace,
    place: Place,
) -> None:
    """Wait for a function or version. Raises AwsError if Lambda failed at it or takes too long."""
    request = Request("GetFunction", function, qualifier)
    waiter: Any = client.get_waiter(waiter_name)  # its types know whole seconds only
    named = {"FunctionName": function.target} | ({"Qualifier": qualifier} if qualifier else {})
    for delay_s, count in pace.phases:
        try:
            waiter.wait(**named, WaiterConfig={"Delay": delay_s, "MaxAttempts": count})
        except WaiterError as error:
            _raise_unless_late(error, place, request)
        except REFUSALS as error:
            raise refused(error, place, request) from error
        else:
            return
    raise AwsError(
        f"{function.name} is still not ready after {pace.total_s:.0f} s: look at its state with "
        f"`aws lambda get-function-configuration --function-name {function.name}`"
    )


def _raise_unless_late(error: WaiterError, place: Place, request: Request) -> None:
    response: Any = error.last_response
    if "Error" in response:
        refusal = ClientError(response, request.operation)
        raise refused(refusal, place, request) from error
    raw = response.get("Configuration", {})
    if "Failed" in (raw.get("State"), raw.get("LastUpdateStatus")):
        assert request.function is not None
        raise failed(raw, request.function) from error


def failed(raw: dict[str, Any], function: FunctionRef) -> AwsError:
    """Return the error for a configuration whose State or LastUpdateStatus is Failed."""
    reason = raw.get("StateReason") or raw.get("LastUpdateStatusReason") or "no reason given"
    return AwsError(f"Lambda could not update {function.name}: {plain(reason)}")
