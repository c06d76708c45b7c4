"""Where the money goes: logs, deployments, revenue and a bill, put together."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tuner.api.reading import AT_LIST_PRICE, DEFAULT_REGION, FilesRequest, discount_ratio
from tuner.api.spending_live import read_account
from tuner.aws.function_ref import parse_reference
from tuner.errors import InputError, UsageError
from tuner.model.finding import Finding
from tuner.model.interval import counted, listed
from tuner.observe.bill import check_bill, read_bill
from tuner.observe.cost_hours import NO_NAME, CostHours, Place
from tuner.observe.deployments import git_tags, read_trail
from tuner.observe.folder import ObservationFolder
from tuner.observe.side_files import read_deploys, read_revenue, read_tags
from tuner.observe.spend import SideFacts, where_it_goes
from tuner.observe.usage import Span, reading_findings
from tuner.pricing.book import age_findings
from tuner.pricing.renewal import current_price_book
from tuner.sweep.store import default_state_dir

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Iterator, Sequence

    from tuner.api.reading import Caller, LiveRequest
    from tuner.model.function import Architecture
    from tuner.model.observation import Window
    from tuner.model.spend import Deployment, Spend
    from tuner.observe.folder import Reading
    from tuner.observe.store import ReportStore
    from tuner.pricing import PriceBook

    PathLike = str | os.PathLike[str]

_GIT: Final = "git:"


@dataclass(frozen=True, slots=True)
class SideFiles:
    """What costs are added up by (`function` or `tag:KEY`), and files, before they are read."""

    by: str = "function"
    tags: PathLike | None = None
    deploys: str | Sequence[str] = "auto"
    revenue: PathLike | None = None
    bill: PathLike | None = None

    def read(self, *, tags_known: bool = False) -> SideFacts:
        """Read all but the bill. `tags_known`: the account is asked for tags.

        Raises UsageError and InputError.
        """
        tag = SideFacts(self.by).tag
        if tag == "" or (tag is None and self.by != "function"):
            raise UsageError(f"`by` is {self.by!r}: give function or tag:KEY, such as tag:feature")
        if tag and self.tags is None and not tags_known:
            raise UsageError(
                f"the tag {tag} of functions is not in logs: give `tags`, a CSV table with the "
                f"columns function and {tag}"
            )
        if self.bill is not None and not Path(self.bill).is_file():
            raise InputError(f"{self.bill} isn't a file: check `bill`")
        given = [self.deploys] if isinstance(self.deploys, str) else self.deploys
        return SideFacts(
            by=self.by,
            tags=read_tags(Path(self.tags), tag) if tag and self.tags is not None else None,
            deployments=tuple(found for each in given for found in _deployments(each)),
            from_logs="auto" in given,
            revenue=None if self.revenue is None else read_revenue(Path(self.revenue)),
        )


def _deployments(given: str) -> tuple[Deployment, ...]:
    if given in {"auto", "none"}:
        return ()
    if given.startswith(_GIT):
        return git_tags(Path(given.removeprefix(_GIT) or "."))
    path = Path(given)
    return read_trail(path) if ".json" in path.suffixes else read_deploys(path)


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
    given = [logs] if isinstance(logs, str | os.PathLike) else logs
    paths = tuple(Path(each) for each in given)
    span = Span(start, end, days)
    return spend_files(
        FilesRequest(paths, function, span, region, architecture, discount_percent),
        SideFiles(by, tags, deploys, revenue, bill),
        state_dir=state_dir or default_state_dir(),
        price_book=price_book,
        today=today,
        progress=progress,
    )


def spend_files(
    request: FilesRequest,
    side: SideFiles,
    *,
    state_dir: Path,
    price_book: PriceBook | None = None,
    today: datetime.date | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Spend:
    """Say the same, by requests. Raises the same."""
    name = None if request.function is None else parse_reference(request.function).name
    asked = _Asked(
        name, side, price_book or current_price_book(), request.region,
        request.architecture, float(discount_ratio(request.discount_percent)), today,
    )  # fmt: skip
    facts = side.read()
    store, reading = ObservationFolder(state_dir).read(request.logs, asked=name, progress=progress)
    with store:
        return _answer(store, reading, request.span.of(reading.window), facts, asked)


def spend_live(request: LiveRequest, caller: Caller, side: SideFiles) -> Spend:
    """Say the same of an account, by its logs of the last days, its tags and CloudTrail's changes.

    Only reads. The caller is asked about the price of log queries. A table of tags takes the place
    of the account's own. Raises AwsError and its subclasses besides, and NotAgreedError.
    """
    name = None if request.function is None else parse_reference(request.function).name
    asked = _Asked(
        name, side, current_price_book(), request.where.region, None,
        float(discount_ratio(request.discount_percent)), caller.today,
    )  # fmt: skip
    facts = side.read(tags_known=True)
    tag = facts.tag if facts.tags is None else None
    found = read_account(request, caller, tag=tag, with_changes=facts.from_logs)
    facts = replace(
        facts,
        tags=found.tags if facts.tags is None else facts.tags,
        deployments=(*facts.deployments, *found.deployments),
    )
    with found.store as store:
        window = found.reading.asked_window or found.reading.window
        answer = _answer(store, found.reading, window, facts, asked)
    return replace(answer, findings=(*found.findings, *answer.findings))


@dataclass(frozen=True, slots=True)
class _Asked:
    """Of which function, and by whose prices where the logs don't say."""

    function: str | None
    side: SideFiles
    book: PriceBook
    region: str | None
    architecture: Architecture | None
    discount_ratio: float
    today: datetime.date | None


def _answer(
    store: ReportStore, reading: Reading, window: Window, facts: SideFacts, asked: _Asked
) -> Spend:
    """What a store says within a window. Raises InputError where it says nothing."""
    if window.start is None and reading.report_count:
        raise InputError(
            "no line has a time, so nothing is known by day: take logs with their timestamps, "
            "as aws logs and exports write them"
        )
    places, assumed = _places(store, asked)
    hours = CostHours(store, window, places)
    functions = [] if window.start is None else hours.functions()
    if not functions:
        raise InputError(_nothing(store, asked.function))
    if asked.side.bill is not None:
        bill = check_bill(
            read_bill(Path(asked.side.bill)),
            hours.used,
            _ends(window),
            request_price_usd=places[0].request_usd,
            gb_second_price_usd=places[0].usd_per_mb_ms * 1_024_000,
        )
        facts = replace(facts, bill=bill)
    return where_it_goes(
        functions,
        facts,
        window=_ends(window),
        region=", ".join(sorted({each.prices.region for each in places})),
        prices_as_of=min(each.prices.as_of for each in places),
        assumptions=assumed,
        findings=(*reading_findings(reading), *_findings(hours, places, facts, asked)),
    )


def _places(store: ReportStore, asked: _Asked) -> tuple[list[Place], tuple[str, ...]]:
    """Where the reports are from, each with its prices, and what was assumed for them."""
    rows = store.connection.execute(
        "SELECT DISTINCT account, region, function, architecture FROM reports"
        " WHERE $1 IS NULL OR function = $1 OR function IS NULL ORDER BY ALL",
        [asked.function],
    ).fetchall()
    homes: dict[str, set[tuple[str | None, str | None]]] = {}
    for account, region, own_name, _ in rows:
        homes.setdefault(own_name or asked.function or NO_NAME, set()).add((account, region))
    places, assumed = [], []
    for account, region, own_name, kind in rows:
        name = own_name or asked.function or NO_NAME
        if not region and not asked.region:
            assumed.append(f"prices of {DEFAULT_REGION}")
        if not kind and not asked.architecture:
            assumed.append("architecture x86_64")
        where = region or asked.region or DEFAULT_REGION
        several = len(homes[name] - {(None, None)}) > 1
        told = " ".join(each for each in (account, region) if each)
        places.append(
            Place(
                account=account,
                region=region,
                function=own_name,
                architecture=kind,
                own_name=name,
                name=f"{name} ({told})" if several and told else name,
                prices=asked.book.lambda_prices(where, kind or asked.architecture or "x86_64"),
                discount_ratio=asked.discount_ratio,
            )
        )
    assumed.append(AT_LIST_PRICE)
    if asked.discount_ratio:
        assumed.append(f"{asked.discount_ratio:.3g} off the list price")
    return places, tuple(dict.fromkeys(assumed))


def _ends(window: Window) -> tuple[datetime.datetime, datetime.datetime]:
    assert window.start is not None
    assert window.end is not None
    return window.start, window.end


def _findings(
    hours: CostHours, places: Sequence[Place], facts: SideFacts, asked: _Asked
) -> Iterator[Finding]:
    timeless = hours.timeless_count()
    if timeless:
        yield Finding(
            "reports_without_time",
            "warning",
            f"{counted(f'{timeless:,}', 'report')} {'has' if timeless == 1 else 'have'} no time, "
            "so no day: left out, and costs are too low by as many",
        )
    if asked.side.bill is not None and facts.bill is None:
        yield Finding(
            "bill_other_days",
            "warning",
            "`bill` has no whole day or hour within the logs' window: give one of these days",
        )
    accounts = sorted({each.account for each in places if each.account})
    if len(accounts) > 1:
        some = ", ".join(accounts[:3]) + (" …" if len(accounts) > 3 else "")
        message = f"these logs are of {len(accounts)} accounts: {some}"
        yield Finding("several_accounts", "info", message)
    if any(each.name == NO_NAME for each in places):
        yield Finding(
            "unnamed_function",
            "info",
            f"lines whose files name no function are together as {NO_NAME}: say whose they are "
            "(FUNCTION), or keep each function's logs in a folder of its log group's name",
        )
    yield from age_findings(min(each.prices.as_of for each in places), asked.today)


def _nothing(store: ReportStore, function: str | None) -> str:
    names = sorted({each.function for each in store.functions() if each.function})
    if function is not None and names:
        return (
            f"there is no REPORT line of {function} in the window: the logs are of {listed(names)}"
        )
    whose = "" if function is None else f" of {function}"
    return (
        f"there is no REPORT line{whose} in the window: at that log level Lambda may write none, "
        "so use logs with the system log level INFO, or check that these are Lambda's logs"
    )
