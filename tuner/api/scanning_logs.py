"""The same ranking from logs alone: AWS isn't called, and settings aren't known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.api.judging import judged, scan_of
from tuner.api.reading import AT_LIST_PRICE, DEFAULT_REGION
from tuner.api.staleness import with_staleness
from tuner.errors import InputError
from tuner.model.finding import Finding
from tuner.model.interval import counted
from tuner.observe.advice import LEAST_MONTH_S
from tuner.observe.archive_days import archive_evidence
from tuner.observe.folder import ObservationFolder
from tuner.observe.scanning import advise_function
from tuner.observe.usage import reading_findings, why_nothing
from tuner.pricing.renewal import current_price_book

if TYPE_CHECKING:
    import datetime
    from pathlib import Path

    from tuner.api.reading import FilesRequest
    from tuner.model.scan import Scan
    from tuner.observe.scanning import SortKey


def scan_logs(
    request: FilesRequest,
    *,
    sort: SortKey = "saving",
    state_dir: Path,
    today: datetime.date | None = None,
) -> Scan:
    """Rank the functions of files and folders of logs.

    Raises InputError, also where no report has a function's name.
    """
    region, architecture = request.region, request.architecture
    book = current_price_book()
    store, reading = ObservationFolder(state_dir).read(request.logs)
    window = request.span.of(reading.window)
    with store:
        evidence, unnamed = archive_evidence(
            store, window, region=region or DEFAULT_REGION, architecture=architecture
        )
    if not (evidence or unnamed):
        raise InputError(f"there is no REPORT line in these logs: {why_nothing(reading)}")
    if not evidence:
        raise InputError(
            "no report in these logs has a function's name: name the one that they are of with "
            "`tuner observe`"
        )
    findings = [*reading_findings(reading)]
    if unnamed:
        message = f"{counted(f'{unnamed:,}', 'report')} of no named function left out"
        findings.append(Finding("unnamed_reports", "warning", message))
    window_s = window.seconds or 0.0
    if window.start is not None and window_s < LEAST_MONTH_S:
        message = (
            f"the logs cover {window_s / 3600:.1f} hours: in under a day there are no costs "
            "and savings of a month"
        )
        findings.append(Finding("short_window", "info", message))
    functions = judged(evidence, window_s, book, findings, advise_function, asked_optimizer=False)
    return scan_of(
        with_staleness(functions, evidence, state_dir, book),
        sort=sort,
        window=window,
        sources=reading.sources,
        book=book,
        cost=None,
        findings=findings,
        assumptions=(
            *([] if region else [f"prices of {DEFAULT_REGION} for lines without a region"]),
            AT_LIST_PRICE,
            "a month of 730 hours like the window",
            *([] if architecture else ["architecture x86_64 for lines without one"]),
        ),
        today=today,
    )
