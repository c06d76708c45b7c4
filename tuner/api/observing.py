"""What a function's own logs say about it, without an invocation."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tuner.api.reading import (
    AT_LIST_PRICE,
    DEFAULT_REGION,
    ReadLogs,
    discount_ratio,
    every_version,
)
from tuner.aws.function_ref import check_region, parse_reference
from tuner.model.finding import Finding
from tuner.model.interval import counted
from tuner.observe import kept
from tuner.observe.folder import ObservationFolder
from tuner.observe.usage import reading_findings
from tuner.pricing.book import age_findings
from tuner.pricing.renewal import current_price_book
from tuner.report.observation import to_json

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tuner.api.reading import Caller, FilesRequest
    from tuner.aws.function_ref import FunctionRef
    from tuner.model.observation import Observation
    from tuner.observe.store import ReportStore
    from tuner.pricing import LambdaPrices


def observe(
    request: FilesRequest,
    *,
    state_dir: Path,
    today: datetime.date | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Observation:
    """Read files and folders of logs, and say what a function (a name or an ARN) did and cost.

    AWS is not called. The window is from the first to the last line unless the request narrows it.
    What was read is kept in the state folder, so the same files are read once. Raises UsageError,
    InputError and PriceError.
    """
    with files_logs(request, state_dir=state_dir, today=today, progress=progress) as logs:
        found = logs.observed()
    kept.keep(state_dir, to_json(found))
    return found


@contextmanager
def files_logs(
    request: FilesRequest,
    *,
    state_dir: Path,
    today: datetime.date | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[ReadLogs]:
    """The reports of a function in files of logs. Raises what `observe` does."""
    reference = parse_reference(request.function or "")
    if request.region is not None:
        check_region(reference, request.region)
    discount = discount_ratio(request.discount_percent)
    store, reading = ObservationFolder(state_dir).read(
        request.logs, asked=reference.name, progress=progress
    )
    with store:
        prices, assumed = _prices(request, reference, store)
        yield ReadLogs(
            store,
            reading,
            reference.name,
            reference.account_id,
            prices,
            (
                *reading_findings(reading),
                *_findings(store, reference),
                *age_findings(prices.as_of, today),
            ),
            assumed,
            request.span,
            discount,
        )


def caller_logs(request: FilesRequest, caller: Caller) -> AbstractContextManager[ReadLogs]:
    """The same for a caller."""
    return files_logs(
        request, state_dir=caller.state_dir, today=caller.today, progress=caller.progress
    )


def forget(function: str, *, state_dir: Path) -> int:
    """Delete what is kept of a function's logs; return the number of reports."""
    name = parse_reference(function).name
    kept.forget(state_dir, name)
    return ObservationFolder(state_dir).forget(name)


def _prices(
    request: FilesRequest, reference: FunctionRef, store: ReportStore
) -> tuple[LambdaPrices, tuple[str, ...]]:
    """The function's prices, and what was assumed for them."""
    told = _regions(store, reference)
    kinds = store.architectures(reference.name)
    region = request.region or reference.region or (told[0] if told else DEFAULT_REGION)
    kind = request.architecture or (kinds[0] if kinds else "x86_64")
    percent = request.discount_percent
    assumed = (
        *every_version(reference.qualifier),
        *([f"prices of {region}"] if region == DEFAULT_REGION and not told else []),
        *(["architecture x86_64"] if not (request.architecture or kinds) else []),
        AT_LIST_PRICE,
        *([f"{percent:g}% off the list price"] if percent else []),
    )
    return current_price_book().lambda_prices(region, kind), assumed


def _regions(store: ReportStore, reference: FunctionRef) -> list[str]:
    """Where the logs have the function, in the account that is asked for."""
    return [
        region
        for account, region in store.accounts(reference.name)
        if region and (account is None or reference.account_id in (None, account))
    ]


def _findings(store: ReportStore, reference: FunctionRef) -> Iterator[Finding]:
    others = store.count_others(reference.name)
    if others:
        yield Finding(
            "other_functions",
            "info",
            f"{counted(f'{others:,}', 'report')} of other functions in these logs left out",
        )
    accounts = sorted({each for each, _region in store.accounts(reference.name) if each})
    regions = sorted({*_regions(store, reference)})
    for what, places, how in (
        ("accounts", accounts, "an ARN as `function` for one of them"),
        ("regions", regions, "`logs` of one of them"),
    ):
        if len(places) > 1 and (what == "regions" or reference.account_id is None):
            yield Finding(
                "mixed_accounts",
                "warning",
                f"these logs are of {len(places)} {what} ({', '.join(places[:3])}), each with a "
                f"function of this name, and are added up: give {how}",
            )
