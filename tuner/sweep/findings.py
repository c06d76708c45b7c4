"""What a sweep itself finds: sizes that fail, calls that were lost, limits that were reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tuner.model.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable


_LASTING: Final = frozenset(
    (
        "host_busy",
        "host_speed_changed",
        "log_group_left",
        "other_version_ran",
        "payloads_not_kept",
        "reply_lost",
        "report_cut_off",
        "report_untrue",
        "size_failed",
        "size_refused",
        "version_kept",
        "version_reused",
    )
)


NOTHING_SUCCEEDED: Final = Finding(
    "nothing_succeeded", "error", "No invocation succeeded, so there are no samples."
)
UNREACHABLE: Final = Finding(
    "unreachable",
    "error",
    "Several invocations in a row got no answer: stopped. Check the network and the function's "
    "timeout, then sweep again.",
)
HOST_BUSY: Final = Finding(
    "host_busy",
    "warning",
    "The machine was busy with other work while handlers ran, so sizes measured too slow, large "
    "ones most. Sweep again when it's idle.",
)
HOST_SPEED_CHANGED: Final = Finding(
    "host_speed_changed",
    "warning",
    "The machine's own speed changed during the sweep (a fixed loop took a quarter longer or more "
    "at one time than at another), so sizes may differ by that alone. Sweep again when it's idle, "
    "or on AWS.",
)
REPORT_CUT_OFF: Final = Finding(
    "report_cut_off",
    "warning",
    "Some replies' log tails (4 KB) hold no REPORT line: these invocations don't count as samples "
    "and are charged at their worst case. Log less after the handler ends, or log as text.",
)
OTHER_VERSION_RAN: Final = Finding(
    "other_version_ran",
    "error",
    "The endpoint ran another version or memory size than asked for: these invocations don't "
    "count as samples. It doesn't honor version numbers.",
)
REPLY_LOST: Final = Finding(
    "reply_lost",
    "warning",
    "Some invocations got no reply: they count as spent, at their worst case.",
)
BUDGET_REACHED: Final = Finding(
    "budget_reached",
    "warning",
    "Stopped before the budget could be overrun: the next invocation might run until its "
    "timeout. Raise `budget_usd` to measure more.",
)
CORPUS_SPENT: Final = Finding(
    "corpus_spent",
    "warning",
    "Every event of a payload class was sent once, and `once_each=True` sends none again: "
    "record more events to measure more.",
)
ONLY_ERROR_REPLIES: Final = Finding(
    "only_error_replies",
    "error",
    "Every reply to a payload was an error, at every size. Stopped: more of them wouldn't show "
    "what the function's work takes.",
)
PAYLOADS_NOT_KEPT: Final = Finding(
    "payloads_not_kept",
    "info",
    "Not every payload is kept in the sweep file: together they are too large for it.",
)
RUNAWAY: Final = Finding(
    "runaway",
    "error",
    "Invocations cost over five times what the plan expected from the function's recent "
    "duration: stopped. If these payloads really are that heavy, set `budget_usd`.",
)


def lasting(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings of an earlier run that still hold when a sweep is resumed."""
    return tuple(finding for finding in findings if finding.code in _LASTING)


def size_refused(cap_mb: int) -> Finding:
    """The account doesn't allow the larger sizes."""
    return Finding(
        "size_refused",
        "warning",
        f"Your account allows at most {cap_mb} MB: larger sizes are neither measured nor "
        "recommended. AWS Support can raise the limit.",
    )


def size_failed(memory_mb: int, reason: str, value: str | None = None) -> Finding:
    """Invocations fail at a size; `value`: with one value of a varied parameter."""
    where = f"{memory_mb} MB" if value is None else f"{memory_mb} MB with {value}"
    return Finding(
        "size_failed",
        "warning",
        f"At {where} {reason}: the size is excluded and never recommended.",
    )


def architecture_fails(architecture: str, error_type: str | None) -> Finding:
    """What runs on the function's own architecture never does on the other."""
    return Finding(
        "architecture_fails",
        "warning",
        f"On {architecture} the function fails with {error_type} however often it's called, so "
        f"only its own architecture was measured: build the package for {architecture} and name it "
        f"with `code` ({architecture}=ZIP).",
    )


def function_fails(error_type: str) -> Finding:
    """Every call at every size failed the same way; Lambda's own types say what to mend."""
    what = _PLATFORM_ERRORS.get(
        error_type,
        "check that `payloads` names an event the function accepts, and check its log",
    )
    return Finding("function_fails", "error", f"Every invocation failed with {error_type}: {what}.")


_PLATFORM_ERRORS: Final = {
    "Runtime.HandlerNotFound": "the function that its Handler names is not in its code. Correct "
    "the Handler",
    "Runtime.MalformedHandlerName": "its Handler isn't written as Lambda reads it. Correct it, "
    "such as app.handler",
    "Runtime.UserCodeSyntaxError": "its code has a syntax error. Its log names the line",
    "Runtime.ExitError": "its process ends before it answers. Check its log",
    "Runtime.MarshalError": "what it returns can't be written as JSON. Change what it returns",
    "Function.ResponseSizeTooLarge": "its reply is larger than Lambda passes on (6 MB). Name an "
    "event with a smaller reply in `payloads`, or have it return less",
}


def import_fails(why: str) -> Finding:
    """The function's code can't be loaded at any size."""
    return Finding(
        "import_fails",
        "error",
        f"The function fails before it runs: {why}. Deploy what its requirements.txt or "
        "package.json names with it (of a local function: `build`). The traceback is in its log "
        "group, and in what `aws lambda invoke --log-type Tail` answers.",
    )


def throttled_out(reason: str | None, attempt_count: int) -> Finding:
    """A call was throttled until it was given up."""
    return Finding(
        "throttled_out",
        "error",
        f"One invocation was throttled {attempt_count} times ({reason or 'no reason given'}): "
        "stopped. Lower `concurrency`, or raise the function's or the account's.",
    )


def throttled(count: int) -> Finding:
    """Calls were throttled and sent again."""
    return Finding(
        "throttled",
        "info",
        f"{count} calls were throttled and retried; a throttled call runs nothing. A lower "
        "`concurrency` avoids them.",
    )


def is_news(finding: Finding, known: Iterable[Finding]) -> bool:
    """Whether a finding adds something to the known ones.

    A busy machine is reported once, whether it was seen before the sweep, while handlers ran, or by
    the run that this one resumes.
    """
    if finding.code == "host_busy":
        return all(each.code != finding.code for each in known)
    return finding not in known


def report_untrue(why: str) -> Finding:
    """A reply came with a REPORT line that can't be its own."""
    return Finding(
        "report_untrue",
        "warning",
        f"Some replies' reports can't be true ({why}): these invocations don't count as samples "
        "and are charged at their worst case.",
    )


def unmeasurable(why: str | None) -> Finding:
    """Several successes in a row couldn't be measured; `why` is None if they had no REPORT line."""
    advice = (
        "the endpoint does not report as Lambda does: check `endpoint_url`"
        if why is not None
        else "a function that logs as JSON needs SystemLogLevel INFO (aws lambda "
        "update-function-configuration --logging-config LogFormat=JSON,SystemLogLevel=INFO); for "
        "a chatty one, log less or allow logs:FilterLogEvents"
    )
    return Finding(
        "unmeasurable",
        "error",
        f"Three invocations in a row succeeded but couldn't be measured "
        f"({why or 'no REPORT line in their logs'}): stopped. {advice[0].upper()}{advice[1:]}.",
    )


def recursion(evidence: str) -> Finding:
    """The function seems to invoke itself."""
    return Finding(
        "recursion",
        "error",
        f"The function seems to invoke itself ({evidence}): stopped. Use a payload that doesn't "
        "trigger that.",
    )


def downstream_errors(error_type: str | None) -> Finding:
    """Errors rise where invocations had succeeded."""
    return Finding(
        "downstream_errors",
        "error",
        f"Invocations that had succeeded began to fail ({error_type or 'no error type'}) at "
        "several sizes: the sweep may be overloading what the function calls. Stopped: check its "
        "log, and lower `concurrency`.",
    )


def repeated_event(error_type: str | None) -> Finding:
    """An event that had succeeded fails when sent again, whatever the size."""
    return Finding(
        "repeated_event_fails",
        "error",
        f"Several invocations in a row failed ({error_type or 'no error type'}), at sizes above "
        "one that had succeeded, so memory isn't the cause: the same event was repeated, and the "
        "function may accept it only once. Stopped: send a folder or a payload set of many events "
        "with `once_each=True`.",
    )


def not_saved(message: str) -> Finding:
    """The sweep file can't take more, for example on a full disk."""
    return Finding(
        "not_saved",
        "error",
        f"Stopped: {message}. This answer has everything that was measured; the file doesn't.",
    )


def left_changed(message: str) -> Finding:
    """Something is left changed in the account."""
    return Finding("left_changed", "error", message)
