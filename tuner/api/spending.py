"""Where the money goes: logs, deployments, revenue and a bill, put together."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from tuner.api.observing import DEFAULT_REGION
from tuner.api.side_files import SideFiles
from tuner.api.spending_live import read_account
from tuner.aws.function_ref import parse_reference
from tuner.errors import InputError, UsageError
from tuner.model.finding import Finding
from tuner.model.interval import counted
from tuner.observe.bill import check_bill, read_bill
from tuner.observe.cost_hours import NO_NAME, CostHours, Place
from tuner.observe.folder import ObservationFolder
from tuner.observe.reading_findings import reading_findings
from tuner.observe.spend import SideFacts, where_it_goes
from tuner.observe.usage import Span
from tuner.pricing.book import age_finding
from tuner.pricing.renewal import current_price_book
from tuner.sweep.store import default_state_dir

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Sequence

    from tuner.api.spending_live import LiveAccount
    from tuner.model.account import ReadingCost
    from tuner.model.function import Architecture
    from tuner.model.observation import Window
    from tuner.model.spend import BillCheck, Spend
    from tuner.observe.folder import Reading
    from tuner.observe.store import ReportStore
    from tuner.pricing import PriceBook

    PathLike = str | os.PathLike[str]

_MOST_NAMED: Final = 3


def spend(
    logs: PathLike | Sequence[PathLike],
    *,
    function: str | None = None,
    by: str = "function",
    tags: PathLike | None = None,
    deploys: str | Sequence[str] = "auto",
    revenue: PathLike | None = None,
    bill: PathLike | None = None,
    start: datetime.datetime | None = None,
    end: datetime.datetime | None = None,
    days: float | None = None,
    region: str | None = None,
    architecture: Architecture | None = None,
    discount_percent: float = 0.0,
    state_dir: Path | None = None,
    price_book: PriceBook | None = None,
    today: datetime.date | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Spend:
    """Read files and folders of logs, and say where the money goes and what moved it.

    `by` is "function" or "tag:KEY", with a table of `tags` (CSV: function, KEY). `deploys`: "auto"
    (what the logs tell), a table (CSV: at, version, function), a file of CloudTrail's (JSON),
    "git:REPO", or several. `revenue` is CSV: day, feature, revenue in dollars. `bill` is a FOCUS
    1.0 or Cost and Usage export. AWS is not called. Raises UsageError, InputError and PriceError.

    >>> found = tuner.spend("examples/spend/logs")
    >>> [change.cause.version for change in found.changes if change.cause]
    ['2', '2, 1024 → 512 MB']
    """
    pricing = _pricing(price_book, discount_percent, region, architecture)
    side = SideFiles.of(by, tags, deploys, revenue, bill)
    folder = ObservationFolder(state_dir or default_state_dir())
    given = [logs] if isinstance(logs, str | os.PathLike) else logs
    store, reading = folder.read([Path(each) for each in given], asked=function, progress=progress)
    with store:
        window = Span(start, end, days).of(reading.window)
        return _answer(store, reading, window, side, pricing, function=function, today=today)


def spend_live(
    account: LiveAccount,
    *,
    function: str | None = None,
    by: str = "function",
    tags: PathLike | None = None,
    deploys: str | Sequence[str] = "auto",
    revenue: PathLike | None = None,
    bill: PathLike | None = None,
    discount_percent: float = 0.0,
    state_dir: Path,
    now: datetime.datetime,
    agree: Callable[[ReadingCost], bool],
    tell: Callable[[str], None] = lambda _: None,
    price_book: PriceBook | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Spend:
    """Say the same of an account, by its logs of the last days, its tags and CloudTrail's changes.

    Only reads. `agree` is asked with what log queries will cost. A table of `tags` takes the place
    of the account's own. Raises AwsError and its subclasses besides, and NotAgreedError.
    """
    pricing = _pricing(price_book, discount_percent, account.region, None)
    side = SideFiles.of(by, tags, deploys, revenue, bill, tags_known=True)
    found = read_account(
        account,
        function=function,
        tag=side.tag if side.tags is None else None,
        with_changes=side.from_logs,
        state_dir=state_dir,
        now=now,
        agree=agree,
        tell=tell,
        sleep=sleep,
    )
    side = side._replace(
        tags=found.tags if side.tags is None else side.tags,
        deployments=(*side.deployments, *found.deployments),
    )
    with found.store as store:
        window = found.reading.asked_window or found.reading.window
        answer = _answer(
            store, found.reading, window, side, pricing,
            function=None if function is None else parse_reference(function).name,
            today=now.date(),
        )  # fmt: skip
    return replace(answer, findings=(*found.findings, *answer.findings))


def _answer(
    store: ReportStore,
    reading: Reading,
    window: Window,
    side: SideFiles,
    pricing: _Pricing,
    /,
    *,
    function: str | None,
    today: datetime.date | None,
) -> Spend:
    """What a store says within a window. Raises InputError where it says nothing."""
    if window.start is None and reading.report_count:
        raise InputError(
            "no line has a time, so nothing is known by day: take logs with their timestamps, "
            "as aws logs and exports write them"
        )
    places, assumed = _places(store, pricing, function)
    hours = CostHours(store, window, places)
    functions = [] if window.start is None else hours.functions()
    if not functions:
        raise InputError(_nothing(store, function))
    facts = SideFacts(
        by="function" if side.tag is None else f"tag:{side.tag}",
        tags=side.tags,
        deployments=side.deployments,
        from_logs=side.from_logs,
        revenue=side.revenue,
        bill=None if side.bill is None else _checked(side.bill, hours, window, places),
    )
    return where_it_goes(
        functions,
        facts,
        window=_ends(window),
        region=", ".join(sorted({each.prices.region for each in places})),
        prices_as_of=min(each.prices.as_of for each in places),
        assumptions=assumed,
        findings=(
            *reading_findings(reading),
            *_findings(hours, places, facts, given_bill=side.bill is not None, today=today),
        ),
    )


class _Pricing(NamedTuple):
    """Whose prices count, where the logs don't say."""

    book: PriceBook
    region: str | None
    architecture: Architecture | None
    discount_ratio: float


def _pricing(
    book: PriceBook | None,
    discount_percent: float,
    region: str | None,
    architecture: Architecture | None,
) -> _Pricing:
    if not 0 <= discount_percent < 100:
        raise UsageError(f"`discount_percent` {discount_percent:g} is out of range: 0 to under 100")
    return _Pricing(book or current_price_book(), region, architecture, discount_percent / 100)


def _places(
    store: ReportStore, pricing: _Pricing, function: str | None
) -> tuple[list[Place], tuple[str, ...]]:
    """Where the reports are from, each with its prices, and what was assumed for them."""
    rows = store.connection.execute(
        "SELECT DISTINCT account, region, function, architecture FROM reports"
        " WHERE $1 IS NULL OR function = $1 OR function IS NULL ORDER BY ALL",
        [function],
    ).fetchall()
    book, region, architecture, discount_ratio = pricing
    homes: dict[str, set[tuple[str | None, str | None]]] = {}
    for account, place, name, _ in rows:
        homes.setdefault(name or function or NO_NAME, set()).add((account, place))
    places, assumed = [], []
    for account, place, its_name, kind in rows:
        name = its_name or function or NO_NAME
        where = place or region or DEFAULT_REGION
        built = kind or architecture or "x86_64"
        if not place and not region:
            assumed.append(f"prices of {DEFAULT_REGION}")
        if not kind and not architecture:
            assumed.append("architecture x86_64")
        several = len({home for home in homes[name] if home != (None, None)}) > 1
        told = " ".join(each for each in (account, place) if each)
        places.append(
            Place(
                account=account,
                region=place,
                function=its_name,
                architecture=kind,
                name=f"{name} ({told})" if several and told else name,
                prices=book.lambda_prices(where, built),
                discount_ratio=discount_ratio,
            )
        )
    assumed.append("list prices without free tier and volume tiers")
    if discount_ratio:
        assumed.append(f"{discount_ratio:.3g} off the list price")
    return places, tuple(dict.fromkeys(assumed))


def _checked(
    path: Path, hours: CostHours, window: Window, places: Sequence[Place]
) -> BillCheck | None:
    first = places[0]
    return check_bill(
        read_bill(path),
        hours.used(),
        _ends(window),
        request_price_usd=first.request_usd,
        gb_second_price_usd=first.usd_per_mb_ms * 1_024_000,
    )


def _ends(window: Window) -> tuple[datetime.datetime, datetime.datetime]:
    assert window.start is not None
    assert window.end is not None
    return window.start, window.end


def _findings(
    hours: CostHours,
    places: Sequence[Place],
    facts: SideFacts,
    *,
    given_bill: bool,
    today: datetime.date | None,
) -> list[Finding]:
    found = []
    timeless = hours.timeless_count()
    if timeless:
        found.append(
            Finding(
                "reports_without_time",
                "warning",
                f"{counted(f'{timeless:,}', 'report')} {'has' if timeless == 1 else 'have'} no "
                "time, so no day: left out, and costs are too low by as many",
            )
        )
    if given_bill and facts.bill is None:
        found.append(
            Finding(
                "bill_other_days",
                "warning",
                "`bill` has no whole day or hour within the logs' window: give one of these days",
            )
        )
    accounts = sorted({each.account for each in places if each.account})
    if len(accounts) > 1:
        found.append(
            Finding(
                "several_accounts",
                "info",
                f"these logs are of {len(accounts)} accounts: "
                f"{', '.join(accounts[:_MOST_NAMED])}{' …' if len(accounts) > _MOST_NAMED else ''}",
            )
        )
    if any(each.name == NO_NAME for each in places):
        found.append(
            Finding(
                "unnamed_function",
                "info",
                f"lines whose files name no function are together as {NO_NAME}: say whose they "
                "are (FUNCTION), or keep each function's logs in a folder of its log group's name",
            )
        )
    aged = today and age_finding(min(each.prices.as_of for each in places), today)
    return [*found, *([aged] if aged else [])]


def _nothing(store: ReportStore, function: str | None) -> str:
    names = sorted({each.function for each in store.functions() if each.function})
    whose = "" if function is None else f" of {function}"
    if function is not None and names:
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        return (
            f"there is no REPORT line{whose} in the window: the logs are of "
            f"{', '.join(names[:_MOST_NAMED])}{more}"
        )
    return (
        f"there is no REPORT line{whose} in the window: at that log level Lambda may write none, "
        "so use logs with the system log level INFO, or check that these are Lambda's logs"
    )
