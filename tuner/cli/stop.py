"""`tuner watch --stop-at`: stop a function that costs too much an hour, if that is agreed to."""

from typing import TYPE_CHECKING, Any

from tuner.cli.flags import with_flags
from tuner.cli.screen import agree, say, show_text
from tuner.errors import LeftChangedError, TunerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuner.api.reading import LiveRequest
    from tuner.api.stopping import Emergency
    from tuner.cli.reading import ReadOptions
    from tuner.lease.stop import Stopped

_CONSEQUENCES = (
    "Its reserved concurrency becomes 0, so Lambda refuses every invocation of it, by whomever: "
    "requests fail, asynchronous events are tried again for up to 6 hours, and messages of a queue "
    "come back to it, each time counted as received (after maxReceiveCount they go to its "
    "dead-letter queue). What runs already runs to its end."
)


def stop_over(
    functions: "Sequence[str]",
    request: "LiveRequest",
    read: "ReadOptions",
    *,
    limit_usd_per_hour: float,
    json: bool,
) -> list[dict[str, Any]]:
    """Stop each function that costs the limit an hour or more; return what came of each.

    One that can't be read or stopped keeps no other from being stopped: its error is raised at the
    end. Raises UsageError where one is to be stopped and nobody can agree to it.
    """
    from tuner.api.stopping import open_emergency, outcome_json

    told = say if json else _show
    outcomes: list[dict[str, Any]] = []
    errors: list[TunerError] = []
    caller = read.caller()
    for name in dict.fromkeys(functions):
        try:
            with open_emergency(
                name, request, caller, limit_usd_per_hour=limit_usd_per_hour
            ) as emergency:
                told(_cost_line(emergency))
                stopped, why_not = _stop(emergency, yes=read.yes)
                for line in _lines(emergency, stopped, why_not):
                    told(line)
                outcomes.append(outcome_json(emergency, stopped, why_not))
        except TunerError as error:
            errors.append(error)
            if len(dict.fromkeys(functions)) > 1:
                say(f"tuner: {name}: {with_flags(str(error))}")
    if errors:
        left = (each for each in errors if isinstance(each, LeftChangedError))
        first = next(left, errors[0])
        add_stops(first, outcomes)
        raise first
    return outcomes


def add_stops(error: "TunerError", outcomes: "list[dict[str, Any]]") -> None:
    """Let an error say what was stopped before it: nothing else may tell."""
    stopped = [str(each["function"]) for each in outcomes if each["stopped"]]
    if stopped:
        error.args = (
            f"{', '.join(stopped)} is STOPPED (tuner recover lets it run again); then: {error}",
            *error.args[1:],
        )


def _stop(emergency: "Emergency", *, yes: bool) -> "tuple[Stopped | None, str | None]":
    """What was stopped, or why it wasn't."""
    if not emergency.is_over:
        return None, "it costs less"
    if emergency.stopped_since is not None:
        since = emergency.stopped_since
        return None, f"it is stopped since {since} (tuner recover lets it run again)"
    if emergency.is_stopped:
        return None, "its reserved concurrency is 0 already, and tuner didn't set it"
    say(_CONSEQUENCES)
    if not (yes or agree(f"Stop {emergency.function.name}?")):
        return None, "that wasn't agreed to"
    return emergency.stop(), None


def _cost_line(emergency: "Emergency") -> str:
    from tuner.model.interval import counted
    from tuner.report.numbers import usd

    cost = emergency.cost
    return (
        f"{emergency.function.name} costs {usd(cost.usd_per_hour)} an hour by {cost.by} "
        f"({counted(f'{cost.invocation_count:,}', 'invocation')}); the limit is "
        f"{usd(emergency.limit_usd_per_hour)}"
    )


def _lines(
    emergency: "Emergency", stopped: "Stopped | None", why_not: str | None
) -> tuple[str, ...]:
    if stopped is None:
        name = emergency.function.name
        return (f"{name}: not stopped, {why_not}",) if emergency.is_over else ()
    before = "none" if stopped.reserved_before is None else f"{stopped.reserved_before}"
    return (
        f"{stopped.function} is STOPPED: reserved concurrency 0, was {before}",
        "To let it run again: tuner recover",
        f"Without this machine's journal: {stopped.by_hand}",
    )


def _show(line: str) -> None:
    show_text(f"{line}\n")
