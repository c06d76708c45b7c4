"""Plans a fleet, runs it, and says how far it has come: what `tuner fleet` does."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from tuner.api.fleet_candidates import (
    FleetPlaces,
    of_file,
    of_scan,
    of_tag,
    with_tags,
    with_timeouts,
)
from tuner.errors import UsageError
from tuner.fleet.folder import AuditLog, FleetFolder, fleet_lock
from tuner.fleet.loop import MOST_LEASES, FleetRun
from tuner.fleet.planning import Events, estimate, plan_items
from tuner.fleet.queue import place_key
from tuner.fleet.settings import FleetSettings, absolute_payload, read_settings
from tuner.model.fleet import FleetPlace, FleetPlan
from tuner.observe.verdicts import read_outcomes
from tuner.sweep.io import Clock, StopSignal
from tuner.sweep.plan import new_sweep_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime
    from pathlib import Path

    from tuner.aws import LambdaGateway
    from tuner.fleet.loop import FleetEvent
    from tuner.fleet.planning import Candidate, FleetEstimate
    from tuner.model.fleet import FleetItem, FleetStatus
    from tuner.model.goal import GoalName

CONCURRENCY: Final = 8
"""Sweeps at once."""
SETTINGS_FILE: Final = "fleet.toml"


@dataclass(frozen=True, slots=True)
class FleetRequest:
    """What is asked of a plan; one of `scan`, `functions` and `tag` says which functions."""

    budget_usd: float
    out: Path
    scan: Path | None = None
    """What `tuner scan --json` wrote."""
    functions: Path | None = None
    """Names or ARNs, one a line; `#` begins a comment."""
    tag: str | None = None
    """KEY=VALUE."""
    payloads: tuple[str, ...] = ()
    """For functions without their own."""
    settings: Path | None = None
    """A `fleet.toml`; None: the one in the working folder, if there is one."""
    goal: GoalName = "cost"
    allow_side_effects: frozenset[str] = field(default_factory=frozenset)
    region: str | None = None
    regions: tuple[str, ...] = ()
    """For `tag`: those to look in."""
    profile: str | None = None
    endpoint_url: str | None = None


def plan_fleet(
    request: FleetRequest,
    *,
    now: datetime,
    working_dir: Path,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[FleetFolder, FleetEstimate]:
    """Choose and order the functions, and write the plan. Nothing in an account is changed.

    Raises UsageError, InputError (a file that can't be used), FleetError and AwsError.
    """
    file = request.settings or working_dir / SETTINGS_FILE
    is_there = request.settings is not None or file.is_file()
    places = FleetPlaces(
        read_settings(file) if is_there else FleetSettings(),
        request.region,
        request.profile,
        request.endpoint_url,
        lists_accounts=request.tag is not None,
    )
    with places:
        settings = places.settings
        candidates = (*_candidates(request, places, now, tell),)
        items, excluded = plan_items(
            candidates,
            settings,
            events_of=partial(
                _events_of,
                # Where it's run from, and when, isn't known yet.
                tuple(absolute_payload(each, working_dir) for each in request.payloads),
                places,
            ),
            allowed_side_effects=request.allow_side_effects,
            budget_usd=request.budget_usd,
        )
    _check_payloads(items)
    plan = FleetPlan(
        fleet_id=new_sweep_id(now),
        created_at=now.isoformat(),
        budget_usd=request.budget_usd,
        goal=request.goal,
        endpoint_url=request.endpoint_url,
        items=items,
        excluded=excluded,
        windows=settings.windows,
        unreached=tuple(
            f"{' '.join(filter(None, place))}: {why}" for place, why in places.unreached.items()
        ),
    )
    folder = FleetFolder.create(request.out, plan)
    means = {
        f"{each.account or '-'}/{each.region}/{each.name}": each.mean_ms
        for each in candidates
        if each.mean_ms is not None
    }
    return folder, estimate(items, means, CONCURRENCY)


def run_folder(
    folder: FleetFolder,
    *,
    state_dir: Path,
    concurrency: int = CONCURRENCY,
    stop: StopSignal | None = None,
    clock: Clock | None = None,
    on_progress: Callable[[FleetEvent], None] = lambda _: None,
    keep: Callable[[], None] | None = None,
) -> FleetStatus:
    """Work the fleet off on this machine, and return where everything is.

    What an earlier process left is put right first, and what failed is tried again. `keep` is told
    whenever the folder has what the next process needs, before anything is changed. Raises
    FleetError, also while another process runs it.
    """
    from tuner.api.fleet_sweeper import FleetSweeper

    clock, stop = clock or Clock(), stop or StopSignal()
    place_count = len({place_key(each.place) for each in folder.plan.items})
    concurrency = max(1, min(concurrency, MOST_LEASES * place_count))
    durable = keep is None  # otherwise what is kept elsewhere counts, not this disk
    audit = AuditLog(folder.path / "audit.jsonl", clock.now, survives_power_loss=durable)
    with fleet_lock(folder.path), folder.queue(survives_power_loss=durable) as queue:
        folder.forget_stop()
        queue.try_again()
        audit.write("fleet_began", None, fleet_id=folder.plan.fleet_id)
        with FleetSweeper(
            folder,
            state_dir=state_dir,
            concurrency=concurrency,
            audit=audit,
            stop=stop,
            connect=partial(_connect, folder.plan.endpoint_url, concurrency if keep else 1),
            keep=keep,
        ) as sweeper:
            FleetRun(
                queue,
                sweeper,
                concurrency=concurrency,
                stop=stop,
                is_to_stop=lambda: folder.is_to_stop,
                clock=clock,
                audit=audit,
                windows=folder.plan.windows,
                on_progress=on_progress,
            ).run()
        audit.write("fleet_ended", None, stopped=stop.is_requested or None)
    return folder.status(clock.now())


def _check_payloads(items: Iterable[FleetItem]) -> None:
    """Read what functions are sent, but for what only an account has. Raises PayloadError."""
    from tuner.payloads import asks_for_test_events, load_payloads

    for specs in {each.payloads for each in items}:
        if not any(map(asks_for_test_events, specs)):
            load_payloads(specs)


def _connect(endpoint_url: str | None, process_count: int, place: FleetPlace) -> LambdaGateway:
    from tuner.aws import connect

    return connect(
        region=place.region,
        profile=place.profile,
        endpoint_url=endpoint_url,
        role_arn=place.role_arn,
        external_id=place.external_id,
        process_count=process_count,
    )


def _candidates(
    request: FleetRequest, places: FleetPlaces, now: datetime, tell: Callable[[str], None]
) -> Iterable[Candidate]:
    ways = [request.scan, request.functions, request.tag]
    if sum(each is not None for each in ways) != 1:
        raise UsageError("say which functions: with `scan`, `functions` or `tag`, one of them")
    if request.regions and request.tag is None:
        raise UsageError("`regions` is for `tag`: a scan and a file of ARNs name their own")
    if request.scan is not None:
        found: Iterable[Candidate] = with_timeouts(of_scan(request.scan), places, tell)
    elif request.functions is not None:
        found = of_file(request.functions, places, now, tell)
    else:
        assert request.tag is not None
        found = of_tag(request.tag, request.regions or (request.region,), places, now, tell)
    return found if places.settings.side_effects_tag is None else with_tags(found, places)


def _events_of(
    payloads: tuple[str, ...], places: FleetPlaces, candidate: Candidate, *, is_agreed: bool
) -> Events:
    """What a function is sent where `fleet.toml` doesn't say: what was given for all, its shareable
    test events, or the default event of its only event source if its side effects are agreed to.
    """
    if payloads:
        return Events(payloads)
    reader = places.reader(candidate.account, candidate.region)
    if reader is None:
        why = places.unreached[candidate.account, candidate.region]
        return Events(why_none=f"its account can't be reached: {why}")
    if reader.has_test_events(candidate.name):
        return Events(("test-events",))
    sources = reader.mapped_sources(candidate.name)
    if is_agreed:
        sources |= reader.allowed_sources(candidate.name)
    source = next(iter(sources)) if len(sources) == 1 else None
    if source is not None:
        if is_agreed:
            return Events((source,), is_default=True)
        return Events(
            why_none="no payload is known for it: name one in fleet.toml, or agree to its side "
            f"effects to send it the default event of what feeds it ({source})"
        )
    return Events()


def with_realized(status: FleetStatus, state_dir: Path) -> FleetStatus:
    """The same with what `tuner verify` has found of its resizes since."""
    outcomes = {each.sweep_id: each for each in read_outcomes(state_dir)}
    items = []
    for each in status.items:
        found = outcomes.get(each.sweep_id or "")
        if found is not None and found.to_mb == each.memory_mb:
            each = replace(  # noqa: PLW2901 - the same item with more
                each,
                verification=found.verdict,
                realized_saving_ratio=found.realized_saving_ratio,
                realized_usd_per_month=found.realized_usd_per_month,
            )
        items.append(each)
    return replace(status, items=tuple(items))
