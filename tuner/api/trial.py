"""Invokes a function once with each payload class, as it stands: no version, no change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.api.store import default_state_dir
from tuner.api.target import open_target
from tuner.errors import LostReplyError, ReportLineError, ThrottledError
from tuner.logs import parse_report
from tuner.model.invocation import Outcome
from tuner.sweep.outcome import classify, import_failure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tuner.aws import LambdaGateway
    from tuner.model.payload import Payload

_WORDS = {
    Outcome.TIMEOUT: "times out",
    Outcome.OUT_OF_MEMORY: "runs out of memory",
    Outcome.FUNCTION_ERROR: "fails",
}


def try_payloads(
    function: str,
    payloads: Sequence[Payload],
    *,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    local_template: Path | None = None,
    template_parameters: Mapping[str, str] | None = None,
    template_environment: Mapping[str, str] | None = None,
    build: bool = False,
    allow_outside: bool = False,
) -> dict[str, str | None]:
    """Return for each class why the function fails with its first event, or None.

    It really runs the code, at the current size. A call that is throttled or whose reply is lost
    is told as such and not repeated. Raises AwsError and its kin, TemplateError, LocalError.
    """
    with open_target(
        function,
        state_dir=default_state_dir(),
        region=region,
        profile=profile,
        endpoint_url=endpoint_url,
        local_template=local_template,
        template_parameters=template_parameters,
        template_environment=template_environment,
        build=build,
        allow_outside=allow_outside,
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
    try:
        report = parse_report(reply.log_tail)
    except ReportLineError:
        report = None
    outcome, error_type = classify(reply, report)
    if outcome is Outcome.SUCCESS:
        return None
    if (why := import_failure(reply)) is not None:
        return f"fails before it runs: {why}"
    return f"{_WORDS.get(outcome, 'fails')} ({error_type or 'no error type'})"
