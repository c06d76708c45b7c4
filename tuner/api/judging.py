"""Judges the functions of a scan, one after the other or many at once in processes, and ranks them.

A function's advice takes some hundredths of a second of pure arithmetic, so thousands of them are
worth a few processes.
"""

from __future__ import annotations

import math
import os
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final

from tuner.errors import PriceError
from tuner.model.finding import Finding
from tuner.model.scan import Scan
from tuner.observe.scanning import rank, scan_function
from tuner.pricing.book import age_findings

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable, Iterator, Sequence

    from tuner.model.account import ReadingCost
    from tuner.model.observation import Window
    from tuner.model.scan import FunctionEvidence, ScannedFunction
    from tuner.observe.scanning import Advise, SortKey
    from tuner.pricing import LambdaPrices, PriceBook

    _Case = tuple[FunctionEvidence, float, LambdaPrices | None]
    """A function, how many seconds were looked at, and its prices."""

WORTH_PROCESSES: Final = 300
"""Functions with reports from which on processes pay for their start."""
_MOST_PROCESSES: Final = 4
"""Each has numpy loaded, about 100 MB."""


def judged(
    evidence: Iterable[FunctionEvidence],
    window_s: float,
    book: PriceBook,
    findings: list[Finding],
    advise: Advise | None,
    *,
    asked_optimizer: bool,
) -> list[ScannedFunction]:
    """Price and judge each, in their order; a region without prices is told once in `findings`."""
    cases = [*_cases(evidence, window_s, book, findings)]
    judge = partial(_judge, advise=advise, asked_optimizer=asked_optimizer)
    if sum(bool(each.days) for each, *_ in cases) >= WORTH_PROCESSES:
        count = min(os.cpu_count() or 1, _MOST_PROCESSES)
        with (
            suppress(OSError, BrokenProcessPool),  # a host that allows no more processes
            ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool,
        ):
            return [*pool.map(judge, cases, chunksize=20)]
    return [judge(each) for each in cases]


def scan_of(
    functions: Sequence[ScannedFunction],
    *,
    sort: SortKey,
    window: Window,
    sources: Iterable[str],
    book: PriceBook,
    cost: ReadingCost | None,
    findings: Iterable[Finding],
    assumptions: tuple[str, ...],
    today: datetime.date | None,
) -> Scan:
    """The answer, as of the oldest price that a function's cost is made with."""
    places = {
        (each.function.region, each.function.architecture)
        for each in functions
        if each.cost_usd_per_month is not None
    }
    as_of = min((book.lambda_prices(*place).as_of for place in places), default=book.as_of)
    return Scan(
        functions=rank(functions, sort),
        window=window,
        sources=tuple(sources),
        cost=cost,
        prices_as_of=as_of,
        findings=(*findings, *age_findings(as_of, today)),
        assumptions=assumptions,
    )


def _cases(
    evidence: Iterable[FunctionEvidence], window_s: float, book: PriceBook, findings: list[Finding]
) -> Iterator[_Case]:
    unpriced = set()
    for each in evidence:
        function = each.function
        prices = None
        try:
            prices = book.lambda_prices(function.region, function.architecture)
        except PriceError as error:
            if function.region not in unpriced:
                unpriced.add(function.region)
                findings.append(Finding("region_unpriced", "warning", f"{error}"))
        yield each, min(window_s, (each.kept_days or math.inf) * 86_400), prices


def _judge(case: _Case, *, advise: Advise | None, asked_optimizer: bool) -> ScannedFunction:
    evidence, window_s, prices = case
    return scan_function(
        evidence, window_s=window_s, prices=prices, judge=advise, asked_optimizer=asked_optimizer
    )
