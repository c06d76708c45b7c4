"""What the operator should know of a load's answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tuner.load.phases import rate_at
from tuner.load.result import LATE_S
from tuner.model.finding import Finding
from tuner.model.interval import counted, figure, percent

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from tuner.load.result import LoadResult
    from tuner.load.watch import MachineWatch

_LEAST_FULL_S: Final = 2.0


def found_in(result: LoadResult, not_sent: Counter[str]) -> Iterator[Finding]:
    """Findings about a load; `not_sent` counts the arrivals beyond the limit of requests."""
    throttles = result.throttle_reasons
    if throttles:
        reasons = ", ".join(f"{name} {count:,}" for name, count in throttles.most_common())
        share = percent(throttles.total() / len(result.answers))
        yield Finding(
            "load_throttled",
            "warning",
            f"{counted(throttles.total(), 'request')} ({share}) throttled, and not sent again: "
            f"{reasons}. Raise the function's or the account's concurrency, or lower the rate",
        )
    errors = result.errors
    if errors:
        kinds = ", ".join(f"{name} {count:,}" for name, count in errors.most_common(3))
        yield Finding(
            "load_errors",
            "warning",
            f"{errors.total():,} of {counted(len(result.invocations), 'invocation')} failed: "
            f"{kinds}. Their latency counts; see the function's log",
        )
    if result.late_count:
        yield Finding(
            "arrivals_late",
            "warning",
            f"{counted(result.late_count, 'request')} of {len(result.answers):,} went out over "
            f"{LATE_S * 1000:g} ms after they were due: this machine is too slow or too busy for "
            "the rate. Their latency counts from when they were due; send from a larger machine",
        )
    if result.not_sent_count:
        beyond = not_sent["in flight"]
        why = f"{beyond:,} at the limit of requests in flight (`concurrency`)" if beyond else ""
        rest = result.not_sent_count - beyond
        ended = f"{rest:,} after the load was stopped" if rest else ""
        yield Finding(
            "arrivals_not_sent",
            "warning",
            f"{result.not_sent_count:,} of {result.planned_count:,} arrivals weren't sent: "
            f"{' and '.join(filter(None, (why, ended)))}. No latency is known of them, so the "
            "figures are too good",
        )


def machine_full(result: LoadResult, machine: MachineWatch) -> Iterator[Finding]:
    """The machine that runs the handlers had no CPU left, for two seconds or more."""
    if machine.full_s < _LEAST_FULL_S:
        return
    first_s = machine.full[0][0]
    yield Finding(
        "machine_full",
        "warning",
        f"All cores of this machine were busy for {machine.full_s:,.0f} s of the load, first at "
        f"{first_s:,.0f} s and {figure(rate_at(result.phases, first_s))} requests/s: durations and "
        "latency of then are this machine's, where Lambda gives each environment its own CPU. "
        "Lower the rate, or load the function on AWS",
    )


def not_taken(names: tuple[str, ...]) -> tuple[Finding, ...]:
    """What an Artillery script has besides its phases."""
    if not names:
        return ()
    return (
        Finding(
            "artillery_not_taken",
            "info",
            f"Of the Artillery script only config.phases is taken, not {', '.join(names)}: give "
            "events with `payloads`",
        ),
    )
