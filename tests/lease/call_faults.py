"""What can happen to a control call, before it or after it, and what must hold then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tests.lease.account import Faulty, Killed
from tests.lease.recovering import recover_all
from tuner.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    EndpointError,
    LeftChangedError,
    ThrottledError,
    TunerError,
)
from tuner.lease.journal import find_unfinished

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lease.account import Account, Moment

FAULTS: Final[dict[str, tuple[BaseException, bool]]] = {
    "once": (AwsError("an error that passes"), False),
    "throttled once": (ThrottledError("slow down"), False),
    "denied once": (AccessDeniedError("no"), False),
    "gone": (EndpointError("the endpoint is gone"), True),
    "expired": (CredentialsError("expired"), True),
    "killed": (Killed(), True),
}
"""Each error, and whether it lasts."""


class Case(NamedTuple):
    """A fault at one call."""

    fault: str
    moment: Moment
    call: int


def cases(call_count: int) -> list[Case]:
    """Every fault at every call, by call: 12 cases a call."""
    return [
        Case(fault, moment, call)
        for call in range(call_count)
        for moment in ("before", "after")
        for fault in FAULTS
    ]


def check_case(account: Account, sweep: Callable[[Account, Faulty], None], case: Case) -> bool:
    """Sweep with the fault, recover, and compare; return whether there was something to recover."""
    error, lasts = FAULTS[case.fault]
    account.make_function()
    before = account.snapshot()
    control = Faulty(account.gateway, case.call, case.moment, error, lasts)
    claims_clean = case.fault != "killed"
    try:
        sweep(account, control)
    except LeftChangedError:
        claims_clean = False
    except (TunerError, Killed):
        pass
    said_of = f"{case} ({control.calls[case.call]})"
    if claims_clean:
        assert account.snapshot() == before, f"silently changed: {said_of}"
    said = recover_all(account)
    assert account.snapshot() == before, said_of
    assert find_unfinished(account.state_dir) == (), said_of
    account.client.delete_function(FunctionName=account.name)
    return bool(said)
