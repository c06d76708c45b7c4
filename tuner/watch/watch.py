"""Asks every rule about one function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tuner.watch.kills import memory_kills

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tuner.model.watch import WatchFinding
    from tuner.watch.watched import Watched

RULES: Final[tuple[Callable[[Watched], Iterator[WatchFinding]], ...]] = (memory_kills,)
_RANKS: Final = {"error": 0, "warning": 1, "info": 2}


def watch_function(watched: Watched) -> tuple[WatchFinding, ...]:
    """The findings of all rules."""
    return in_order(each for rule in RULES for each in rule(watched))


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
