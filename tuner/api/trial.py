"""Invokes a function once with each payload class, as it is: no version, no change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.api.target import connect_to
from tuner.errors import LostReplyError, ThrottledError
from tuner.model.invocation import Outcome
from tuner.sweep.outcome import classify, import_failure, report_in
from tuner.sweep.store import default_state_dir

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.aws import LambdaGateway
    from tuner.model.payload import Payload
    from tuner.model.request import Target

_WORDS = {
    Outcome.TIMEOUT: "times out",
    Outcome.OUT_OF_MEMORY: "runs out of memory",
    Outcome.FUNCTION_ERROR: "fails",
}


def try_payloads(
    function: str, payloads: Sequence[Payload], where: Target, *, allow_outside: bool = False
) -> dict[str, str | None]:
    """Return for each class why the function fails with its first event, or None.

    It really runs the code, at the current size. A throttled call or a lost reply is reported, not
    repeated. Raises AwsError and its subclasses, TemplateError, LocalError.
    """
    with connect_to(
        function, where, state_dir=default_state_dir(), allow_outside=allow_outside
    ) as target:
        return {each.name: _failure(target.gateway, function, each) for each in payloads}


def _failure(gateway: LambdaGateway, function: str, payload: Payload) -> str | None:
    reference = gateway.resolve(function)
    timeout_s = gateway.read_function(function).timeout_s
    try:
        reply = gateway.invoke(
            reference.target,
            reference.qualifier or "$LATEST",
            payload.body_at(0),
            timeout_s=timeout_s,
        )
    except ThrottledError:
        return "was throttled: it did not run"
    except LostReplyError:
        return "gave no reply: it may have run"
    outcome, error_type = classify(reply, report_in(reply.log_tail))
    if outcome is Outcome.SUCCESS:
        return None
    if (why := import_failure(reply)) is not None:
        return f"fails before it runs: {why}"
    return f"{_WORDS.get(outcome, 'fails')} ({error_type or 'no error type'})"
