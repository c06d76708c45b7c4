"""Plans a fleet, runs it, and says how far it has come: what `tuner fleet` does."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tuner.aws.function_ref import parse_reference
from tuner.errors import AwsError, FunctionNotFoundError, InputError, UsageError
from tuner.fleet.folder import AuditLog, FleetFolder
from tuner.fleet.loop import MOST_LEASES, FleetRun
from tuner.fleet.planning import Candidate, estimate, plan_items
from tuner.fleet.queue import fleet_lock
from tuner.fleet.settings import FleetSettings, read_settings
from tuner.model.fleet import FleetPlace, FleetPlan
from tuner.model.interval import counted
from tuner.pricing.renewal import current_price_book
from tuner.sweep.estimate import Pricing
from tuner.sweep.io import Clock, StopSignal
from tuner.sweep.plan import new_sweep_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from tuner.aws import LambdaGateway
    from tuner.aws.function_ref import FunctionRef
    from tuner.fleet.loop import FleetEvent
    from tuner.fleet.planning import FleetEstimate
    from tuner.model.fleet import FleetStatus
    from tuner.model.function import FunctionConfig
    from tuner.model.goal import GoalName

CONCURRENCY: Final = 8
"""Sweeps at once."""
SETTINGS_FILE: Final = "fleet.toml"
_LARGEST_MB: Final = 3008
"""Where nobody names sizes, a sweep goes no further."""
_USUAL_INVOCATIONS: Final = 14
"""Of a sweep, where nothing is known of the function: `make bench-decide` has 10 to 14."""


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
    profile: str | None = None
    endpoint_url: str | None = None
    concurrency: int = CONCURRENCY


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
    settings = _settings(request, working_dir)
    with _connections(request, settings) as connect:
        candidates = _candidates(request, settings, connect, tell)
        items, excluded = plan_items(
            candidates,
            settings,
            payloads_of=partial(_payloads_of, request, connect, settings),
            allowed_side_effects=request.allow_side_effects,
            budget_usd=request.budget_usd,
        )
    plan = FleetPlan(
        fleet_id=new_sweep_id(now),
        created_at=now.isoformat(),
        budget_usd=request.budget_usd,
        goal=request.goal,
        endpoint_url=request.endpoint_url,
        items=items,
        excluded=excluded,
        windows=settings.windows,
    )
    folder = FleetFolder.create(request.out, plan)
    means = {
        f"{each.account or '-'}/{each.region}/{each.name}": each.mean_ms for each in candidates
    }
    known = {key: mean for key, mean in means.items() if mean is not None}
    return folder, estimate(items, known, request.concurrency)


def run_folder(
    folder: FleetFolder,
    *,
    state_dir: Path,
    concurrency: int = CONCURRENCY,
    stop: StopSignal | None = None,
    clock: Clock | None = None,
    on_progress: Callable[[FleetEvent], None] = lambda _: None,
) -> FleetStatus:
    """Work the fleet off on this machine, and return where everything is.

    What an earlier process left is put right first. Raises FleetError, also while another process
    runs it.
    """
    from tuner.api.fleet_sweeper import FleetSweeper

    clock, stop = clock or Clock(), stop or StopSignal()
    concurrency = max(1, min(concurrency, MOST_LEASES))
    audit = AuditLog(folder.path / "audit.jsonl", clock.now)
    with fleet_lock(folder.path), folder.queue() as queue:
        folder.forget_stop()
        audit.write("fleet_began", None, fleet_id=folder.plan.fleet_id)
        with FleetSweeper(
            folder,
            state_dir=state_dir,
            concurrency=concurrency,
            audit=audit,
            stop=stop,
            connect=partial(_connect, folder.plan.endpoint_url),
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


def _connect(endpoint_url: str | None, place: FleetPlace) -> LambdaGateway:
    from tuner.aws import connect

    return connect(
        region=place.region,
        profile=place.profile,
        endpoint_url=endpoint_url,
        role_arn=place.role_arn,
        external_id=place.external_id,
    )


def _settings(request: FleetRequest, working_dir: Path) -> FleetSettings:
    if request.settings is not None:
        return read_settings(request.settings)
    usual = working_dir / SETTINGS_FILE
    return read_settings(usual) if usual.is_file() else FleetSettings()


@contextmanager
def _connections(
    request: FleetRequest, settings: FleetSettings
) -> Iterator[Callable[[str, str | None], LambdaGateway]]:
    """What connects to a region of an account, once each."""
    from contextlib import ExitStack

    opened: dict[tuple[str, str | None], LambdaGateway] = {}
    with ExitStack() as stack:

        def connect(account: str, region: str | None) -> LambdaGateway:
            key = (account, region)
            if key not in opened:
                own = settings.account(account)
                from tuner.aws import connect as connect_to

                opened[key] = stack.enter_context(
                    connect_to(
                        region=region or request.region,
                        profile=own.profile or request.profile,
                        endpoint_url=request.endpoint_url,
                        role_arn=own.role_arn,
                        external_id=own.external_id,
                    )
                )
            return opened[key]

        yield connect


def _candidates(
    request: FleetRequest,
    settings: FleetSettings,
    connect: Callable[[str, str | None], LambdaGateway],
    tell: Callable[[str], None],
) -> tuple[Candidate, ...]:
    ways = [request.scan, request.functions, request.tag]
    if sum(each is not None for each in ways) != 1:
        raise UsageError("say which functions: with `scan`, `functions` or `tag`, one of them")
    if request.scan is not None:
        return _of_scan(request.scan)
    if request.functions is not None:
        return tuple(_of_file(request.functions, connect, tell))
    assert request.tag is not None
    return tuple(_of_tag(request, settings, connect, tell))


def _of_scan(file: Path) -> tuple[Candidate, ...]:
    """The functions of a scan; those that production has answered need no sweep."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{file} can't be read: {error.strerror}") from None
    except ValueError:
        document = None
    if not isinstance(document, dict) or document.get("kind") != "scan":
        raise InputError(f"{file} isn't a scan: give what tuner scan writes as JSON")
    try:
        return tuple(_of_scanned(each) for each in document["functions"])
    except (KeyError, TypeError, AttributeError, ValueError):
        raise InputError(f"{file} is damaged, or of another version: scan again") from None


def _of_scanned(each: Mapping[str, Any]) -> Candidate:
    advice, worth = each.get("advice"), None
    verdict = "unknown" if advice is None else str(advice["verdict"])
    answered = None
    if verdict == "sweep":
        worth = advice["sweep"] if advice is not None else None
    elif verdict == "unknown":
        why = "" if advice is None else f": {advice['reason']}"
        answered = f"the scan can't say whether a sweep is worth it{why}"
    else:
        answered = f"its logs answer already: {verdict}, {advice['reason'] if advice else ''}"
    saving = None if worth is None else worth["saving_usd_per_month"]
    return Candidate(
        account=str(each["account"] or ""),
        region=str(each["region"]),
        name=str(each["name"]),
        memory_mb=int(each["memory_mb"]),
        worst_cost_usd=_worst_usd(each),
        mean_ms=each["mean_duration_ms"],
        estimated_cost_usd=None if worth is None else float(worth["cost_usd"]),
        estimated_invocation_count=None if worth is None else int(worth["invocation_count"]),
        saving_usd_per_month=None if saving is None else float(saving["estimate"]),
        current_usd_per_month=each["cost_usd_per_month"],
        answered=answered,
    )


def _worst_usd(each: Mapping[str, Any]) -> float | None:
    """Of one invocation that hangs until the timeout, at the largest size."""
    timeout_s = each["timeout_s"]
    if timeout_s is None:
        return None
    prices = current_price_book().lambda_prices(str(each["region"]), each["architecture"])
    return float(prices.exact_cost_usd(max(int(each["memory_mb"]), _LARGEST_MB), timeout_s * 1000))


def _of_file(
    file: Path,
    connect: Callable[[str, str | None], LambdaGateway],
    tell: Callable[[str], None],
) -> Iterator[Candidate]:
    """The functions that a file names, as their accounts have them."""
    references = [(number, name, _reference(file, number, name)) for number, name in _names(file)]
    tell(f"Reading {counted(f'{len(references):,}', 'function')}")
    for number, name, reference in references:
        gateway = connect(reference.account_id or "", reference.region)
        try:
            config = gateway.read_function(name)
        except FunctionNotFoundError as error:
            raise InputError(f"{file}:{number}: {error}") from None
        yield _of_function(config, gateway.recent_duration_ms(name), reference.account_id or "")


def _reference(file: Path, number: int, name: str) -> FunctionRef:
    try:
        reference = parse_reference(name)
    except UsageError as error:
        raise InputError(f"{file}:{number}: {error}") from None
    if reference.qualifier is not None:
        raise InputError(
            f"{file}:{number}: name the function without a version or alias: {reference.name}"
        )
    return reference


def _of_function(config: FunctionConfig, mean_ms: float | None, account: str) -> Candidate:
    prices = current_price_book().lambda_prices(config.region, config.architecture)
    pricing = Pricing(config, prices, mean_ms)
    largest = max(config.memory_mb, _LARGEST_MB)
    expected = None if mean_ms is None else pricing.expected_cost_usd(config.memory_mb)
    return Candidate(
        account=account,
        region=config.region,
        name=config.name,
        memory_mb=config.memory_mb,
        worst_cost_usd=pricing.worst_cost_usd(largest),
        mean_ms=mean_ms,
        estimated_cost_usd=None if expected is None else _USUAL_INVOCATIONS * expected,
        estimated_invocation_count=_USUAL_INVOCATIONS,
    )


def _of_tag(
    request: FleetRequest,
    settings: FleetSettings,
    connect: Callable[[str, str | None], LambdaGateway],
    tell: Callable[[str], None],
) -> Iterator[Candidate]:
    """The functions with a tag, in the region, of every account that the settings name."""
    from tuner.aws.account_reports import function_tags
    from tuner.aws.services import Services

    assert request.tag is not None
    key, sign, value = request.tag.partition("=")
    if not sign or not key:
        raise UsageError(f"`tag={request.tag}` isn't a tag: write KEY=VALUE")
    for account in [each.account for each in settings.accounts] or [""]:
        gateway = connect(account, request.region)
        with Services(gateway.session, purpose="scan") as services:
            tags = {name: own for page in function_tags(services) for name, own in page.items()}
        named = sorted(name for name, own in tags.items() if own.get(key) == value)
        tell(f"Reading {counted(f'{len(named):,}', 'function')}")
        for name in named:
            config = gateway.read_function(name)
            found = _of_function(config, gateway.recent_duration_ms(name), account)
            yield replace(found, tags=tags[name])


def _names(file: Path) -> tuple[tuple[int, str], ...]:
    """(line number, name), each name once."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise InputError(f"{file} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{file} isn't UTF-8 text: write a name or ARN a line") from None
    found: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        name = line.partition("#")[0].strip()
        if name:
            found.setdefault(name, number)
    if not found:
        raise InputError(f"{file} names no function: write a name or ARN a line")
    return tuple((number, name) for name, number in found.items())


def _payloads_of(
    request: FleetRequest,
    connect: Callable[[str, str | None], LambdaGateway],
    settings: FleetSettings,
    candidate: Candidate,
) -> tuple[str, ...]:
    """What a function is sent where `fleet.toml` doesn't say: what was given for all, or its
    shareable test events.
    """
    if request.payloads:
        return request.payloads
    del settings
    try:
        events = connect(candidate.account, candidate.region).shareable_events(candidate.name)
    except AwsError:
        return ()
    return ("test-events",) if events else ()
