"""What of production's logs is read, and for whom: files of them, or an account's."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal

from tuner.errors import UsageError
from tuner.model.observation import days_before
from tuner.model.request import Target
from tuner.observe.usage import ALL, observe

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable
    from pathlib import Path

    from tuner.model.account import AccountFunction, ReadingCost
    from tuner.model.finding import Finding
    from tuner.model.function import Architecture
    from tuner.model.observation import Observation, Window
    from tuner.observe.folder import Reading
    from tuner.observe.store import ReportStore
    from tuner.observe.usage import Span
    from tuner.pricing import LambdaPrices

LiveSource = Literal["auto", "insights", "events"]
DEFAULT_REGION: Final = "us-east-1"
"""The region for prices if neither the caller nor a source names one."""
AT_LIST_PRICE: Final = "list prices without free tier and volume tiers"
DURATIONS_OF: Final = "durations are of invocations that succeeded"


@dataclass(frozen=True, slots=True)
class FilesRequest:
    """Files and folders of logs, the function and the window that count, and whose prices.

    `region` and `architecture` are for logs that don't say them.
    """

    logs: tuple[Path, ...]
    function: str | None = None
    span: Span = ALL
    region: str | None = None
    architecture: Architecture | None = None
    discount_percent: float = 0.0


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """A function's logs in an account, or those of all of a region, and how far back they count."""

    function: str | None = None
    where: Target = field(default_factory=Target)
    days: float = 14
    source: LiveSource = "auto"
    discount_percent: float = 0.0

    def window(self, now: datetime.datetime) -> tuple[datetime.datetime, datetime.datetime]:
        """The last days, in whole seconds. Raises UsageError for none."""
        if self.days <= 0:
            raise UsageError(f"`days={self.days:g}` is no time to look back: give one at least")
        end = now.replace(microsecond=0)
        return days_before(end, self.days), end


@dataclass(frozen=True, slots=True)
class Caller:
    """Where answers are kept, what time it is, and who agrees to a price or hears of progress."""

    state_dir: Path
    now: datetime.datetime
    agree: Callable[[ReadingCost], bool]
    tell: Callable[[str], None] = lambda _: None
    sleep: Callable[[float], None] = time.sleep
    progress: Callable[[int, int], None] | None = None
    """Told how many files are read, and of how many."""
    day: datetime.date | None = None
    """As of which prices may be old; None: the day of `now`."""

    @property
    def today(self) -> datetime.date:
        """The day of an answer."""
        return self.day or self.now.date()


@dataclass(frozen=True, slots=True)
class ReadLogs:
    """A function's reports, ready to be asked, and what goes with every answer by them."""

    store: ReportStore
    reading: Reading
    function: str
    account: str | None
    prices: LambdaPrices
    findings: tuple[Finding, ...]
    assumptions: tuple[str, ...]
    span: Span = ALL
    discount_ratio: Decimal = Decimal()
    settings: AccountFunction | None = None
    """Today's, where they're known."""

    @property
    def window(self) -> Window:
        """What an answer is about. Raises InputError where nothing is left of it."""
        return self.span.of(self.reading.asked_window or self.reading.window)

    def observed(self) -> Observation:
        """What the function did in the window. Raises InputError where there is no report."""
        return observe(
            self.store,
            self.function,
            self.reading,
            self.prices,
            span=self.span,
            account=self.account,
            settings=self.settings,
            discount_ratio=self.discount_ratio,
            findings=self.findings,
            assumptions=(*self.assumptions, DURATIONS_OF),
        )


def every_version(qualifier: str | None) -> tuple[str, ...]:
    """What is assumed where a function is named with a version or alias."""
    return () if qualifier is None else (f"every version counts, not {qualifier} alone",)


def discount_ratio(percent: float) -> Decimal:
    """A discount as a share of the list price. Raises UsageError."""
    if not 0 <= percent < 100:
        raise UsageError(f"`discount_percent` {percent:g} is out of range: 0 to under 100")
    return Decimal(repr(float(percent))) / 100
