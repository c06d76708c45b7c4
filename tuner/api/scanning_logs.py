"""The same ranking from logs alone: AWS isn't called, and settings aren't known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.api.judging import judged, prices_as_of
from tuner.api.observing import DEFAULT_REGION
from tuner.errors import InputError
from tuner.model.finding import Finding
from tuner.model.interval import counted
from tuner.model.scan import Scan
from tuner.observe.advising import advise_function
from tuner.observe.archive_days import archive_evidence
from tuner.observe.folder import ObservationFolder
from tuner.observe.reading_findings import reading_findings
from tuner.observe.scanning import rank, total_cost_usd_per_month
from tuner.observe.usage import Span
from tuner.pricing.book import age_finding
from tuner.pricing.renewal import current_price_book

if TYPE_CHECKING:
    import datetime
    from collections.abc import Sequence
    from pathlib import Path

    from tuner.model.function import Architecture
    from tuner.observe.scanning import Advise, SortKey


def scan_logs(
    logs: Sequence[Path],
    *,
    state_dir: Path,
    region: str | None = None,
    start: datetime.datetime | None = None,
    end: datetime.datetime | None = None,
    days: float | None = None,
    architecture: Architecture | None = None,
    sort: SortKey = "saving",
    today: datetime.date | None = None,
    advise: Advise | None = advise_function,
) -> Scan:
    """Rank the functions of files and folders of logs; the window is from first to last line.

    Raises InputError, also where no report has a function's name.
    """
    book = current_price_book()
    store, reading = ObservationFolder(state_dir).read(logs)
    span = Span(start, end, days)
    window = span.of(reading.window)
    with store:
        evidence, unnamed = archive_evidence(
            store, window, region=region or DEFAULT_REGION, architecture=architecture
        )
    if not evidence:
        raise InputError(
            "no report in these logs has a function's name: name the one that they are of with "
            "`tuner observe`"
        )
    findings = [*reading_findings(reading)]
    if unnamed:
        findings.append(
            Finding(
                "unnamed_reports",
                "warning",
                f"{counted(f'{unnamed:,}', 'report')} of no named function left out",
            )
        )
    seconds = window.seconds
    found = judged(evidence, seconds or 0.0, book, findings, advise, asked_optimizer=False)
    as_of = prices_as_of(book, found)
    aged = today and age_finding(as_of, today)
    assumed = [] if region else [f"prices of {DEFAULT_REGION} for lines without a region"]
    return Scan(
        functions=rank(found, sort),
        window=window,
        sources=reading.sources,
        total_cost_usd_per_month=total_cost_usd_per_month(found),
        cost=None,
        prices_as_of=as_of,
        findings=(*findings, *([aged] if aged else [])),
        assumptions=(
            *assumed,
            "list prices without free tier and volume tiers",
            "a month of 730 hours like the window",
            *([] if architecture else ["architecture x86_64 for lines without one"]),
        ),
    )
