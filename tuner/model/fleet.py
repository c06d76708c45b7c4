"""A fleet: many functions to sweep under one budget, and how far that has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from tuner.model.goal import GoalName  # noqa: TC001 - from_record reads the annotations
from tuner.model.interval import Interval  # noqa: TC001 - as above
from tuner.model.plan import Isolation  # noqa: TC001 - as above
from tuner.model.verification import VerificationVerdict  # noqa: TC001 - as above

ItemState = Literal["pending", "running", "done", "failed", "excluded"]
FleetState = Literal["planned", "running", "stopped", "done"]

FLEET_SCHEMA: Final = 1


@dataclass(frozen=True, slots=True)
class FleetPlace:
    """A region of an account, and whose credentials reach it."""

    account: str
    """Empty where it isn't known before the first request."""
    region: str
    profile: str | None = None
    role_arn: str | None = None
    """Assumed with the profile's (or the usual) credentials."""
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class FleetItem:
    """One function to sweep."""

    place: FleetPlace
    name: str
    payloads: tuple[str, ...]
    """As `tuner tune --payload` takes them; files by absolute path."""
    max_cost_usd: float
    """Its sweep never spends more; the fleet's budget sets it aside before it starts."""
    memory_mb: int | None = None
    isolation: Isolation = "auto"
    allows_side_effects: bool = False
    sends_default_event: bool = False
    """Whether the payload is the default event of what triggers it: nobody chose it."""
    estimated_cost_usd: float | None = None
    estimated_invocation_count: int | None = None
    saving_usd_per_month: float | None = None
    """What a sweep is expected to find, by what production says."""
    current_usd_per_month: float | None = None
    """What the function costs now, by what production says."""

    @property
    def key(self) -> str:
        """What tells it from every other item: account, region and name."""
        return "/".join((self.place.account or "-", self.place.region, self.name))

    @property
    def value_per_dollar(self) -> float | None:
        """Expected saving of a month for each dollar that its sweep costs."""
        if self.saving_usd_per_month is None or not self.estimated_cost_usd:
            return None
        return self.saving_usd_per_month / self.estimated_cost_usd


@dataclass(frozen=True, slots=True)
class FleetExclusion:
    """A function that isn't swept, and why."""

    account: str
    region: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunWindow:
    """Hours of the day, and days of the week, when sweeps may start."""

    start: str
    """HH:MM; a window may go over midnight."""
    end: str
    zone: str = "UTC"
    """A name of the IANA time zone database."""
    days: tuple[int, ...] = ()
    """0 is Monday; empty: every day. A window over midnight belongs to the day it starts on."""


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """What a fleet does: the items in their order, what is left out, and the limits."""

    fleet_id: str
    created_at: str
    """UTC, ISO 8601."""
    budget_usd: float
    goal: GoalName
    endpoint_url: str | None
    items: tuple[FleetItem, ...]
    excluded: tuple[FleetExclusion, ...] = ()
    windows: tuple[RunWindow, ...] = ()
    """Empty: at any time."""
    unreached: tuple[str, ...] = ()
    """Accounts and regions that couldn't be asked for their functions, and why."""
    schema_version: int = FLEET_SCHEMA


@dataclass(frozen=True, slots=True)
class FleetProgress:
    """Where an item is."""

    item: FleetItem
    state: ItemState
    reason: str | None = None
    """Why it failed, was left out, or has no answer."""
    sweep_id: str | None = None
    sweep_file: str | None = None
    verdict: str | None = None
    memory_mb: int | None = None
    """The recommended size."""
    saving_ratio: Interval | None = None
    """What it saves of the cost of an invocation."""
    invocation_count: int = 0
    cost_usd: float = 0.0
    """Spent, with what an interruption may have lost."""
    attempt_count: int = 0
    is_leased: bool = False
    """Whether its sweep may have left something changed."""
    verification: VerificationVerdict | None = None
    """What `tuner verify` found since; None where nobody has verified it."""
    realized_saving_ratio: Interval | None = None
    realized_usd_per_month: Interval | None = None
    was_mb: int | None = None
    """What its function had when it was swept; None before."""

    @property
    def from_mb(self) -> int | None:
        """What its function had when it was swept, or else when it was planned."""
        return self.item.memory_mb if self.was_mb is None else self.was_mb

    @property
    def saving_usd_per_month(self) -> float | None:
        """What a resize is expected to save, at today's rate; None where that isn't known."""
        now_usd = self.item.current_usd_per_month
        if self.from_mb != self.item.memory_mb:  # that was what it cost at another size
            return None
        if self.verdict != "resize" or self.saving_ratio is None or now_usd is None:
            return None
        return self.saving_ratio.estimate * now_usd


@dataclass(frozen=True, slots=True)
class ItemResult:
    """How an item ended, as its worker writes it."""

    progress: FleetProgress
    ended_at: float
    """Seconds since 1970."""
    execution_arn: str
    """Which execution it ended in: one that failed in an earlier one may be running again."""
    schema_version: int = FLEET_SCHEMA

    def is_final(self, item: FleetItem) -> bool:
        """Whether the item is never swept again: it's done, or its side effects still aren't
        agreed to.
        """
        if self.progress.state == "excluded":
            return item.allows_side_effects == self.progress.item.allows_side_effects
        return self.progress.state == "done"


@dataclass(frozen=True, slots=True)
class FleetStatus:
    """A fleet's plan, and where every item is."""

    plan: FleetPlan
    state: FleetState
    items: tuple[FleetProgress, ...]
    seconds_left: float | None = None
    """By the pace so far; None where nothing has ended yet, or nothing runs."""
    eta: str | None = None
    """When that is: UTC, ISO 8601."""

    def count(self, state: ItemState) -> int:
        """How many items are in a state; `excluded` has those that the plan left out too."""
        extra = len(self.plan.excluded) if state == "excluded" else 0
        return sum(each.state == state for each in self.items) + extra

    @property
    def lease_count(self) -> int:
        """How many sweeps may have something changed at this moment."""
        return sum(each.is_leased for each in self.items)

    @property
    def invocation_count(self) -> int:
        """Of all sweeps."""
        return sum(each.invocation_count for each in self.items)

    @property
    def cost_usd(self) -> float:
        """Spent by all sweeps."""
        return sum(each.cost_usd for each in self.items)
