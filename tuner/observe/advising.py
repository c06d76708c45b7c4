"""Advice about one function: from a store of reports, or as a scan has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.observe.advice import advise
from tuner.observe.archive_days import function_days
from tuner.observe.observed_sizes import observed_sizes
from tuner.observe.weighing import Situation

if TYPE_CHECKING:
    from tuner.model.account import AccountFunction
    from tuner.model.advice import Advice, ObservedSize
    from tuner.model.observation import Window
    from tuner.observe.store import ReportStore
    from tuner.pricing import LambdaPrices


def sizes_in(
    store: ReportStore,
    function: str,
    window: Window,
    *,
    memory_mb: int,
    account: str | None = None,
) -> tuple[ObservedSize, ...]:
    """What a store says of a function's sizes. `memory_mb` is today's."""
    days, processor_ms = function_days(store, function, window, account=account)
    return observed_sizes(days, memory_mb=memory_mb, processor_ms=processor_ms)


def advise_function(
    function: AccountFunction,
    sizes: tuple[ObservedSize, ...],
    prices: LambdaPrices,
    window_s: float,
) -> Advice:
    """Judge a function of an account or of an archive by what was seen of its sizes."""
    situation = Situation(
        memory_mb=function.memory_mb,
        window_s=window_s,
        timeout_s=function.timeout_s,
        ephemeral_storage_mb=function.ephemeral_storage_mb,
    )
    return advise(sizes, situation, prices)
