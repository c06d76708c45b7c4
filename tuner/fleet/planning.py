"""Which functions a fleet sweeps, and in which order: first those whose sweep is worth the most."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from tuner.model.fleet import FleetExclusion, FleetItem, FleetPlace
from tuner.model.interval import figure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tuner.fleet.settings import FleetSettings

_SPREAD: Final = 3.0
"""A sweep may cost this many times what is expected, before it ends with the answer it has."""
_CONTROL_CALLS: Final = 45
"""Of a sweep, at most as a rule: reading the function, publishing six sizes, deleting them."""
_PLACE_CALLS_PER_S: Final = 9.0
_ROUNDING_USD: Final = 1e-9
_NO_PAYLOAD: Final = (
    "no payload is known for it: name one in fleet.toml, save a shareable test event, or give "
    "`payloads` for all"
)
_PUBLISH_S: Final = 25.0
"""Of a sweep's five or six sizes, one after the other."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A function that may be swept, and what is known about it beforehand."""

    account: str
    region: str
    name: str
    memory_mb: int | None = None
    worst_cost_usd: float | None = None
    """Of one invocation, at the largest size and for the whole timeout."""
    mean_ms: float | None = None
    estimated_cost_usd: float | None = None
    """Of a sweep."""
    estimated_invocation_count: int | None = None
    saving_usd_per_month: float | None = None
    current_usd_per_month: float | None = None
    tags: Mapping[str, str] | None = None
    answered: str | None = None
    """Why no sweep is needed: production has answered already, or can't be."""


@dataclass(frozen=True, slots=True)
class Events:
    """What a function is sent."""

    payloads: tuple[str, ...] = ()
    is_default: bool = False
    """Whether it's the default event of what triggers the function: nobody chose it."""
    why_none: str | None = None


class EventsOf(Protocol):
    """Finds what a function is sent."""

    def __call__(self, candidate: Candidate, /, *, is_agreed: bool) -> Events:
        """`is_agreed` says whether it may have side effects."""


@dataclass(frozen=True, slots=True)
class FleetEstimate:
    """What a plan takes."""

    invocation_count: int
    cost_usd: float
    """As far as it's known."""
    max_cost_usd: float
    """Never above the budget."""
    control_call_count: int
    hours: float


def plan_items(
    candidates: Iterable[Candidate],
    settings: FleetSettings,
    *,
    events_of: EventsOf,
    allowed_side_effects: frozenset[str],
    budget_usd: float,
) -> tuple[tuple[FleetItem, ...], tuple[FleetExclusion, ...]]:
    """Order the candidates by worth per dollar, and take as many as the budget covers.

    `events_of` is asked only for what the budget covers, because it may ask the account.
    """
    left_usd = budget_usd
    items: list[FleetItem] = []
    excluded: list[FleetExclusion] = []

    def leave_out(each: Candidate, reason: str) -> None:
        excluded.append(FleetExclusion(each.account, each.region, each.name, reason))

    listed = [*candidates]
    share_usd = budget_usd / max(len(listed), 1)
    for each in sorted(listed, key=_order):
        own = settings.of(each.name)
        limit_usd = _limit_usd(each, share_usd)
        if own.exclude is not None:
            leave_out(each, own.exclude)
        elif each.answered is not None:
            leave_out(each, each.answered)
        elif limit_usd > left_usd + _ROUNDING_USD:
            leave_out(
                each,
                f"the budget ends before it: its sweep may cost up to ${figure(limit_usd, 2)}, and "
                f"${figure(left_usd, 2)} is left (`budget_usd`)",
            )
        else:
            is_agreed = _is_agreed(each, settings, allowed_side_effects)
            events = Events(own.payloads) if own.payloads else events_of(each, is_agreed=is_agreed)
            if events.payloads:
                left_usd -= limit_usd
                items.append(_item(each, settings, events, limit_usd, is_agreed=is_agreed))
            else:
                leave_out(each, events.why_none or _NO_PAYLOAD)
    return tuple(items), tuple(excluded)


def estimate(
    items: Iterable[FleetItem], mean_ms: Mapping[str, float], concurrency: int
) -> FleetEstimate:
    """What a plan takes, with so many sweeps at once; `mean_ms` is by item."""
    listed = [*items]
    busy_s = sum(
        _PUBLISH_S + (each.estimated_invocation_count or 0) * mean_ms.get(each.key, 0.0) / 1000
        for each in listed
    )
    calls = len(listed) * _CONTROL_CALLS
    by_place = Counter((each.place.account, each.place.region) for each in listed)
    waiting_s = max(by_place.values(), default=0) * _CONTROL_CALLS / _PLACE_CALLS_PER_S
    return FleetEstimate(
        sum(each.estimated_invocation_count or 0 for each in listed),
        sum(each.estimated_cost_usd or 0.0 for each in listed),
        sum(each.max_cost_usd for each in listed),
        calls,
        max(busy_s / max(concurrency, 1), waiting_s) / 3600,
    )


def _order(each: Candidate) -> tuple[float, float, str, str, str]:
    saving, cost = each.saving_usd_per_month, each.estimated_cost_usd
    worth = saving / cost if saving is not None and cost else 0.0
    return (-worth, -(saving or 0.0), each.account, each.region, each.name)


def _limit_usd(each: Candidate, share_usd: float) -> float:
    """What a sweep may spend: several times what is expected, and one invocation that hangs.

    Where nothing is expected, an equal share of the budget.
    """
    worst = each.worst_cost_usd or 0.0
    if each.estimated_cost_usd is None:
        return max(share_usd, worst)
    return _SPREAD * each.estimated_cost_usd + worst


def _is_agreed(each: Candidate, settings: FleetSettings, allowed: frozenset[str]) -> bool:
    """Whether somebody agreed that its invocations may have side effects."""
    tag = settings.side_effects_tag
    is_tagged = tag is not None and (each.tags or {}).get(tag[0]) == tag[1]
    return settings.of(each.name).allows_side_effects or is_tagged or each.name in allowed


def _item(
    each: Candidate, settings: FleetSettings, events: Events, limit_usd: float, *, is_agreed: bool
) -> FleetItem:
    account = settings.account(each.account)
    return FleetItem(
        place=FleetPlace(
            each.account, each.region, account.profile, account.role_arn, account.external_id
        ),
        name=each.name,
        payloads=events.payloads,
        sends_default_event=events.is_default,
        max_cost_usd=limit_usd,
        memory_mb=each.memory_mb,
        isolation=settings.of(each.name).isolation,
        allows_side_effects=is_agreed,
        estimated_cost_usd=each.estimated_cost_usd,
        estimated_invocation_count=each.estimated_invocation_count,
        saving_usd_per_month=each.saving_usd_per_month,
        current_usd_per_month=each.current_usd_per_month,
    )
