"""What a function's own logs say about it, without an invocation."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.aws.function_ref import check_region, parse_reference
from tuner.errors import UsageError
from tuner.model.finding import Finding
from tuner.model.interval import counted
from tuner.observe import kept
from tuner.observe.folder import ObservationFolder
from tuner.observe.reading_findings import reading_findings
from tuner.observe.usage import Span
from tuner.observe.usage import observe as observe_store
from tuner.pricing.book import age_finding
from tuner.pricing.renewal import current_price_book
from tuner.report.observation import to_json
from tuner.sweep.store import default_state_dir

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Iterator, Sequence

    from tuner.model.function import Architecture
    from tuner.model.observation import Observation
    from tuner.observe.store import ReportStore
    from tuner.pricing import PriceBook

DEFAULT_REGION = "us-east-1"
"""The region for prices if neither the caller nor a source names one."""


def observe(
    function: str,
    logs: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
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
) -> Observation:
    """Read files and folders of logs, and say what a function (a name or an ARN) did and cost.

    AWS is not called. The window is from the first to the last line; `start`, `end` and `days`
    (counted back from the last line) narrow it. What was read is kept in the state folder, so that
    the same files are read once. Raises UsageError, InputError and PriceError.
    """
    reference = parse_reference(function)
    if region is not None:
        check_region(reference, region)
    if not 0 <= discount_percent < 100:
        raise UsageError(f"`discount_percent` {discount_percent:g} is out of range: 0 to under 100")
    book = price_book or current_price_book()
    folder = ObservationFolder(state_dir or default_state_dir())
    given = [logs] if isinstance(logs, str | os.PathLike) else logs
    store, reading = folder.read(
        [Path(each) for each in given], asked=reference.name, progress=progress
    )
    with store:
        places = store.accounts(reference.name)
        told = [place for _account, place in places if place]
        where = region or reference.region or (told[0] if told else DEFAULT_REGION)
        kinds = store.architectures(reference.name)
        kind = architecture or (kinds[0] if kinds else "x86_64")
        prices = book.lambda_prices(where, kind)
        assumed = [f"prices of {where}"] if where == DEFAULT_REGION and not told else []
        if architecture is None and not kinds:
            assumed.append("architecture x86_64")
        assumed.append("list prices without free tier and volume tiers")
        if discount_percent:
            assumed.append(f"{discount_percent:g}% off the list price")
        assumed.append("durations are of invocations that succeeded")
        aged = today and age_finding(prices.as_of, today)
        found = observe_store(
            store,
            reference.name,
            own_window=reading.window,
            span=Span(start, end, days),
            sources=reading.sources,
            prices=prices,
            account=reference.account_id,
            discount_ratio=Decimal(repr(float(discount_percent))) / 100,
            unreadable_line_count=reading.unreadable_count,
            findings=(
                *reading_findings(reading),
                *_findings(store, reference.name, reference.account_id),
                *([aged] if aged else []),
            ),
            assumptions=tuple(assumed),
        )
    kept.keep(state_dir or default_state_dir(), to_json(found))
    return found


def forget(function: str, *, state_dir: Path | None = None) -> int:
    """Delete what is kept of a function's logs; return the number of reports."""
    name = parse_reference(function).name
    kept.forget(state_dir or default_state_dir(), name)
    return ObservationFolder(state_dir or default_state_dir()).forget(name)


def _findings(store: ReportStore, function: str, account: str | None) -> Iterator[Finding]:
    others = store.count_others(function)
    if others:
        yield Finding(
            "other_functions",
            "info",
            f"{counted(f'{others:,}', 'report')} of other functions in these logs left out",
        )
    accounts = sorted({each for each, _region in store.accounts(function) if each})
    if account is None and len(accounts) > 1:
        yield Finding(
            "mixed_accounts",
            "warning",
            f"these logs are of {len(accounts)} accounts ({', '.join(accounts[:3])}), each with a "
            f"function of this name, and are added up: give an ARN as `function` for one of them",
        )
