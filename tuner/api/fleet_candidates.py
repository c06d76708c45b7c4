"""Which functions a fleet may sweep: by a scan, a file, or a tag.

A region of an account is asked in lists, once each; one that can't be reached is told once.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING, Any, Final, Self

from tuner.aws.function_ref import parse_reference
from tuner.errors import AwsError, CredentialsError, InputError, PriceError, UsageError
from tuner.fleet.planning import Candidate
from tuner.fleet.settings import AccountSettings
from tuner.model.interval import counted
from tuner.model.record import read_object
from tuner.pricing.renewal import current_price_book
from tuner.sweep.estimate import MAX_INIT_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from tuner.aws.fleet_reader import FleetReader
    from tuner.aws.function_ref import FunctionRef
    from tuner.aws.services import Services
    from tuner.fleet.settings import FleetSettings
    from tuner.model.account import AccountFunction
    from tuner.pricing import LambdaPrices

_LARGEST_MB: Final = 3008
"""Where nobody names sizes, a sweep goes no further."""
_USUAL_INVOCATIONS: Final = 14
"""Of a sweep, where nothing is known of the function: `make bench-decide` has 10 to 14."""
_LOOK_BACK: Final = timedelta(days=7)
_UNPRICED: Final = "no prices of its region and architecture are known: refresh the prices"


@dataclass(slots=True)
class FleetPlaces:
    """The accounts and regions of a plan: each is connected to once, when it's first asked."""

    settings: FleetSettings
    region: str | None
    profile: str | None
    endpoint_url: str | None
    lists_accounts: bool = False
    """Whether an organization is asked for its accounts, which a scan and ARNs name themselves."""
    unreached: dict[tuple[str, str], str] = field(default_factory=dict)
    """What can't be reached, as account and region, and why."""
    _opened: ExitStack = field(default_factory=ExitStack)
    _readers: dict[tuple[str, str], FleetReader] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._find_organization()
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def reader(self, account: str, region: str | None) -> FleetReader | None:
        """What reads a region of an account; None if it can't be reached."""
        key = (account, region or self.region or "")
        if key in self.unreached:
            return None
        if key not in self._readers:
            from tuner.aws.fleet_reader import FleetReader

            try:
                services = self._open(self.settings.account(account), region)
                self._readers[key] = FleetReader(services)
            except AwsError as error:
                self.could_not(account, region, error)
                return None
        return self._readers[key]

    def could_not(self, account: str, region: str | None, error: AwsError) -> None:
        """Remember why a place isn't part of the plan. Raises the error if it's all there is."""
        if not self.settings.accounts and not account:
            raise error
        self.unreached.setdefault((account, region or self.region or ""), str(error))

    def _open(self, account: AccountSettings, region: str | None) -> Services:
        from tuner.aws import connect
        from tuner.aws.services import Services

        gateway = self._opened.enter_context(
            connect(
                region=region or self.region,
                profile=account.profile or self.profile,
                endpoint_url=self.endpoint_url,
                role_arn=account.role_arn,
                external_id=account.external_id,
            )
        )
        gateway.check_credentials()
        return self._opened.enter_context(Services(gateway.session, purpose="fleet"))

    def _find_organization(self) -> None:
        """Add an organization's accounts to those that the settings name. Raises AwsError."""
        organization = self.settings.organization
        if organization is None:
            return
        from tuner.aws.fleet_reader import account_ids, own_account

        services = self._open(AccountSettings(""), None)
        own = own_account(services)
        listed = account_ids(services) if self.lists_accounts else ()
        known = {each.account for each in self.settings.accounts}
        more = [AccountSettings(own)] if own not in known else []
        more += [organization.of(each) for each in listed if each not in known | {own}]
        self.settings = replace(self.settings, accounts=(*self.settings.accounts, *more))


def of_scan(file: Path) -> tuple[Candidate, ...]:
    """The functions of a scan; those that production has answered need no sweep."""
    try:
        document = read_object(file.read_bytes())
    except OSError as error:
        raise InputError(f"{file} can't be read: {error.strerror}") from None
    if document is None or document.get("kind") != "scan":
        raise InputError(f"{file} isn't a scan: give what tuner scan writes as JSON")
    try:
        return tuple(_of_scanned(each) for each in document["functions"])
    except (KeyError, TypeError, AttributeError, ValueError):
        raise InputError(f"{file} is damaged, or of another version: scan again") from None


def _of_scanned(each: Mapping[str, Any]) -> Candidate:
    advice: Any = each.get("advice") or {"verdict": "unknown"}
    verdict, worth, answered = str(advice["verdict"]), None, None
    if verdict == "sweep":
        worth = advice["sweep"]
    elif verdict == "unknown":
        why = f": {advice['reason']}" if "reason" in advice else ""
        answered = f"the scan can't say whether a sweep is worth it{why}"
    else:
        answered = f"its logs answer already: {verdict}, {advice['reason']}"
    saving = None if worth is None else worth["saving_usd_per_month"]
    region, memory_mb = str(each["region"]), int(each["memory_mb"])
    prices = _prices(region, each["architecture"])
    return Candidate(
        account=str(each["account"] or ""),
        region=region,
        name=str(each["name"]),
        memory_mb=memory_mb,
        worst_cost_usd=_worst_usd(prices, memory_mb, each["timeout_s"]),
        mean_ms=each["mean_duration_ms"],
        estimated_cost_usd=None if worth is None else float(worth["cost_usd"]),
        estimated_invocation_count=None if worth is None else int(worth["invocation_count"]),
        saving_usd_per_month=None if saving is None else float(saving["estimate"]),
        current_usd_per_month=each["cost_usd_per_month"],
        answered=answered or (_UNPRICED if prices is None else None),
    )


def _prices(region: str, architecture: str) -> LambdaPrices | None:
    """None where none are known: other regions are planned without this one."""
    with suppress(PriceError):
        return current_price_book().lambda_prices(region, architecture)
    return None


def _worst_usd(
    prices: LambdaPrices | None, memory_mb: int, timeout_s: float | None
) -> float | None:
    """Of one invocation with the longest INIT that hangs until the timeout, at the largest size: a
    sweep starts none that its budget doesn't cover so.
    """
    if timeout_s is None or prices is None:
        return None
    longest_ms = round(timeout_s * 1000) + MAX_INIT_MS
    return float(prices.exact_cost_usd(max(memory_mb, _LARGEST_MB), longest_ms))


def of_file(
    file: Path, places: FleetPlaces, now: datetime, tell: Callable[[str], None]
) -> Iterator[Candidate]:
    """The functions that a file names, as their accounts have them; each once."""
    asked: dict[tuple[str, str | None], dict[str, tuple[int, str]]] = {}
    for number, text in _names(file):
        reference = _reference(file, number, text)
        place = (reference.account_id or "", reference.region)
        asked.setdefault(place, {}).setdefault(reference.name, (number, text))
    tell(f"Reading {counted(f'{sum(map(len, asked.values())):,}', 'function')}")
    seen: set[tuple[str, str, str]] = set()
    for (account, region), named in asked.items():
        found = [*_candidates_of(places, account, region, [*named], now)]
        if (account, region or places.region or "") in places.unreached:
            continue
        if missing := named.keys() - {each.name for each in found}:
            number, text = min(named[name] for name in missing)
            reader = places.reader(account, region)
            where = f" in {reader.region}" if reader else ""
            raise InputError(
                f"{file}:{number}: there is no function {text}{where} with these credentials: "
                "check its name, region and account"
            )
        for each in found:  # a name and an ARN may mean the same one
            key = (each.account, each.region, each.name)
            if key not in seen:
                seen.add(key)
                yield each


def of_tag(
    tag: str,
    regions: Iterable[str | None],
    places: FleetPlaces,
    now: datetime,
    tell: Callable[[str], None],
) -> Iterator[Candidate]:
    """The functions with a tag, in every region of every account that the settings name."""
    key, sign, value = tag.partition("=")
    if not sign or not key:
        raise UsageError(f"`tag={tag}` isn't a tag: write KEY=VALUE")
    for account in [each.account for each in places.settings.accounts] or [""]:
        for region in dict.fromkeys(regions):
            reader = places.reader(account, region)
            if reader is None:
                continue
            try:
                tags = reader.tags
            except AwsError as error:
                places.could_not(account, region, error)
                continue
            named = sorted(name for name, own in tags.items() if own.get(key) == value)
            where = " ".join(filter(None, (account, region)))
            tell(f"Reading {counted(f'{len(named):,}', 'function')} {where}".rstrip())
            for each in _candidates_of(places, account, region, named, now):
                yield replace(each, tags=tags[each.name])


def with_tags(candidates: Iterable[Candidate], places: FleetPlaces) -> Iterator[Candidate]:
    """The same with their tags, which `fleet.toml` asks for; without where they can't be read."""
    for each in candidates:
        reader = None if each.answered else places.reader(each.account, each.region)
        if reader is None or each.tags is not None:
            yield each
            continue
        try:
            tags = reader.tags
        except AwsError as error:
            places.could_not(each.account, each.region, error)
            tags = {}
        yield replace(each, tags=tags.get(each.name, {}))


def with_timeouts(
    candidates: Iterable[Candidate], places: FleetPlaces, tell: Callable[[str], None]
) -> Iterator[Candidate]:
    """The same with the timeouts that a scan of logs doesn't have, as their accounts say: without
    them no limit has room for an invocation that hangs. Where they can't be read, that's told.
    """
    listed = [*candidates]
    unknown: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for each in listed:
        if each.worst_cost_usd is None and each.answered is None:
            unknown[each.account, each.region].add(each.name)
    found: dict[tuple[str, str], dict[str, AccountFunction]] = {}
    for place, names in unknown.items():
        try:
            if (reader := places.reader(*place)) is None:
                raise AwsError(places.unreached[place])
            own = {each.name: each for each in reader.functions(names)}
            check_account(place[0], {each.account for each in own.values()})
        except (AwsError, InputError) as error:
            tell(f"the timeouts of {counted(f'{len(names):,}', 'function')} aren't known ({error})")
        else:
            found[place] = own
    for each in listed:
        place = (each.account, each.region)
        if place not in found or each.name not in unknown[place]:
            yield each
        elif (function := found[place].get(each.name)) is not None:
            prices = _prices(function.region, function.architecture)
            worst_usd = _worst_usd(prices, function.memory_mb, function.timeout_s)
            yield replace(each, worst_cost_usd=worst_usd)
        else:
            why = f"no function of that name is in {each.region} with these credentials (any more)"
            yield replace(each, answered=why)


def _candidates_of(
    places: FleetPlaces, account: str, region: str | None, names: list[str], now: datetime
) -> Iterator[Candidate]:
    reader = places.reader(account, region)
    if reader is None or not names:
        return
    try:
        found = [*reader.functions(frozenset(names))]
        check_account(account, {each.account for each in found})
    except AwsError as error:
        places.could_not(account, region, error)
        return
    end = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    means = reader.mean_ms([each.name for each in found], start=end - _LOOK_BACK, end=end)
    for each in found:
        yield _of_function(each, means.get(each.name))


def check_account(wanted: str, found: Iterable[str]) -> None:
    """Raise CredentialsError where functions of a name were found in another account than the one
    that is meant.
    """
    others = sorted({each for each in found if wanted and each and each != wanted})
    if others:
        raise CredentialsError(
            f"these credentials are of account {others[0]}, not {wanted}: name a role or a profile "
            f"for accounts.{wanted} in fleet.toml, and plan again"
        )


def _of_function(function: AccountFunction, mean_ms: float | None) -> Candidate:
    prices = _prices(function.region, function.architecture)
    expected = None
    if mean_ms is not None and prices is not None:
        expected = _USUAL_INVOCATIONS * float(
            prices.exact_cost_usd(function.memory_mb, ceil(mean_ms))
        )
    return Candidate(
        account=function.account,
        region=function.region,
        name=function.name,
        memory_mb=function.memory_mb,
        worst_cost_usd=_worst_usd(prices, function.memory_mb, function.timeout_s),
        mean_ms=mean_ms,
        estimated_cost_usd=expected,
        estimated_invocation_count=_USUAL_INVOCATIONS,
        answered=_UNPRICED if prices is None else None,
    )


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
