"""Judges the functions of a scan: one after the other, or many side by side in processes.

A function's advice takes some hundredths of a second of pure arithmetic, so that thousands of them
are worth a few processes.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final, NamedTuple

from tuner.errors import PriceError
from tuner.model.finding import Finding
from tuner.observe.scanning import scan_function

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tuner.model.scan import FunctionEvidence, ScannedFunction
    from tuner.observe.scanning import Advise
    from tuner.pricing import LambdaPrices, PriceBook

WORTH_PROCESSES: Final = 300
"""Functions with reports from which on processes pay for their start."""
_MOST_PROCESSES: Final = 4
"""Each has numpy loaded, about 100 MB."""


class _Case(NamedTuple):
    evidence: FunctionEvidence
    window_s: float
    prices: LambdaPrices | None


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
    if sum(bool(each.evidence.days) for each in cases) >= WORTH_PROCESSES:
        count = min(os.cpu_count() or 1, _MOST_PROCESSES)
        with (
            suppress(OSError, BrokenProcessPool),  # a host that allows no more processes
            ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool,
        ):
            return [*pool.map(judge, cases, chunksize=20)]
    return [judge(each) for each in cases]


def prices_as_of(book: PriceBook, functions: Iterable[ScannedFunction]) -> str:
    """The day of the oldest price that a function's cost is made with."""
    places = {
        (each.function.region, each.function.architecture)
        for each in functions
        if each.cost_usd_per_month is not None
    }
    return min((book.lambda_prices(*place).as_of for place in places), default=book.as_of)


def _cases(
    evidence: Iterable[FunctionEvidence],
    window_s: float,
    book: PriceBook,
    findings: list[Finding],
) -> Iterable[_Case]:
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
        own_s = min(window_s, each.kept_days * 86_400) if each.kept_days else window_s
        yield _Case(each, own_s, prices)


def _judge(case: _Case, *, advise: Advise | None, asked_optimizer: bool) -> ScannedFunction:
    return scan_function(
        case.evidence,
        window_s=case.window_s,
        prices=case.prices,
        advise=advise,
        asked_optimizer=asked_optimizer,
    )
