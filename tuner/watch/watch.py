"""Asks every rule about one function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tuner.model.interval import counted
from tuner.watch.chains import recursions
from tuner.watch.failures import memory_kills, retry_storms, timeout_costs
from tuner.watch.poison import poison_messages
from tuner.watch.queues import queues_not_draining
from tuner.watch.rate import runaway_rates
from tuner.watch.tail import FEWEST_DAYS
from tuner.watch.watched import DAYS_FOR_WEEK, HOUR, minutes_of
from tuner.watch.wiring import wiring_findings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tuner.model.watch import WatchFinding
    from tuner.watch.watched import Minutes, Watched
    from tuner.watch.wiring import Wiring

RULES: Final[tuple[Callable[[Watched, Minutes], Iterator[WatchFinding]], ...]] = (
    runaway_rates, recursions, poison_messages, retry_storms, queues_not_draining, timeout_costs,
    memory_kills,
)  # fmt: skip
_CAUSES: Final = frozenset(("recursion", "poison_message", "retry_storm", "queue_not_draining"))
"""What explains a rate that is far outside, so that it isn't told twice."""
_RANKS: Final = {"error": 0, "warning": 1, "info": 2}


def watch_function(
    watched: Watched, wiring: Wiring | None = None, every: Sequence[Wiring] = ()
) -> tuple[WatchFinding, ...]:
    """The findings of all rules. What another finding explains isn't told again."""
    minutes = minutes_of(watched)
    found = [each for rule in RULES for each in rule(watched, minutes)]
    if wiring is not None:
        found += wiring_findings(watched, minutes, wiring, every)
    return in_order(each for each in found if not any(_explains(other, each) for other in found))


def _explains(other: WatchFinding, found: WatchFinding) -> bool:
    """Whether a finding, no mere remark, had begun and not ended when another began, and knows more
    of the cause.
    """
    ends = other.until is None or other.until >= found.since
    begins = other.since <= found.since + HOUR
    return other.finding.severity != "info" and ends and begins and _knows_more(other, found)


def _knows_more(other: WatchFinding, found: WatchFinding) -> bool:
    """By the codes; of one message and a storm, repeats of requests are a storm's, and otherwise
    most failures are of the message, if any are of one.
    """
    mine, others = dict(found.evidence), dict(other.evidence)
    match other.finding.code, found.finding.code:
        case code, "runaway_rate":
            return code in _CAUSES
        case "recursion", "queue_not_draining":
            return True
        case "retry_storm", "poison_message":
            return _has_repeats(others) and mine["message_count"] is None
        case "poison_message", "retry_storm":
            most = float(others["failure_count"] or 0) >= 0.8 * float(mine["failure_count"] or 0)
            return most and not _has_repeats(mine)
    return False


def _has_repeats(storm: dict[str, str | float | None]) -> bool:
    return float(storm["repeat_count"] or 0) >= 0.25 * float(storm["invocation_count"] or 0)


def not_judged(watched: Watched, wiring: Wiring | None) -> tuple[str, ...]:
    """What the history, the lines or the account don't tell, and so isn't judged."""
    [[traces, days]] = watched.rows(
        """SELECT count(trace_id), count(DISTINCT logged_at::DATE) FROM reports WHERE {where}"""
    )
    told = []
    if days < FEWEST_DAYS + 2:
        told.append(
            f"rates, retry storms and queues: {counted(days, 'day')} of history, and a pattern "
            f"takes {FEWEST_DAYS + 2}"
        )
    elif watched.history_days < DAYS_FOR_WEEK:
        told.append("a weekly season: it takes two weeks of history, and none is assumed")
    if not traces:
        told.append("chains of recursion: no line has a trace (runaway rates show them as well)")
    if wiring is None:
        told.append("queues' ages, destinations and dropped recursion: only an account tells them")
    else:
        told += wiring.unread
    return tuple(told)


def in_order(findings: Iterable[WatchFinding]) -> tuple[WatchFinding, ...]:
    """Errors first, then what costs the most, then the latest."""
    return tuple(
        sorted(
            findings,
            key=lambda each: (
                _RANKS[each.finding.severity], -each.usd_per_hour, -each.since.timestamp()
            ),
        )
    )  # fmt: skip
