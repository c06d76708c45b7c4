"""Which sweeps' recommendations are stale: what moved since, by logs, an account and prices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tuner import session
from tuner.errors import AwsError, InputError, TunerError
from tuner.observe.archive_days import archive_evidence, function_days
from tuner.observe.folder import ObservationFolder
from tuner.pricing.renewal import current_price_book
from tuner.sweep.file import read_sweep
from tuner.sweep.store import SweepStore
from tuner.watch.drift import Deployed, drift_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from tuner.api.kept import KeptSweep
    from tuner.api.reading import Caller, FilesRequest, LiveRequest
    from tuner.model.account import AccountFunction
    from tuner.model.finding import Finding
    from tuner.model.recommendation import Recommendation
    from tuner.model.scan import DaySums, FunctionEvidence, ScannedFunction
    from tuner.model.sweep import Sweep
    from tuner.pricing import PriceBook
    from tuner.watch.drift import Drift


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a function since its sweep; None where it wasn't read."""

    days: tuple[DaySums, ...] | None = None
    deployed: Deployed | None = None
    problem: str | None = None
    """Why it couldn't be read."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A kept sweep with what moved since; `drift` is None where it has no answer."""

    kept: KeptSweep
    drift: Drift | None
    problem: str | None

    def to_dict(self) -> dict[str, Any]:
        """As an entry of `tuner sweeps --stale --json`."""
        drift = self.drift
        return {
            **self.kept.to_dict(),
            "stale": None if drift is None else drift.is_stale,
            "stale_reasons": [
                {"code": each.code, "message": each.message} for each in drift.reasons
            ]
            if drift
            else [],
            "unchecked": list(drift.unchecked) if drift else [],
            "problem": self.problem,
        }


def drift_since(
    sweep: Sweep, seen: Seen, *, answer: Recommendation | None = None, book: PriceBook | None = None
) -> Drift:
    """What moved since a sweep. Raises TunerError where it has no answer, or its region no price.

    `answer` is the sweep's, if it's known already.
    """
    book = book or current_price_book()
    function = sweep.function
    return drift_of(
        sweep,
        answer or session.recommend(session.analyse(sweep, price_book=book), price_book=book),
        days=seen.days,
        deployed=seen.deployed,
        prices=book.lambda_prices(function.region, function.architecture),
    )


def with_drift(
    sweep: Sweep, answer: Recommendation, see: Callable[[Sweep], Seen]
) -> Recommendation:
    """The answer, with a finding if it's stale. Raises what `see` raises, and PriceError."""
    finding = drift_since(sweep, see(sweep), answer=answer).finding
    return answer if finding is None else replace(answer, findings=(*answer.findings, finding))


def judge_kept(kept: Iterable[KeptSweep], see: Callable[[Sweep], Seen]) -> tuple[Judged, ...]:
    """Judge the newest sweep of each function, region and environment, in the order given.

    Older ones are superseded. `kept` is newest first.
    """
    newest: dict[tuple[str, str, str], KeptSweep] = {}
    for each in kept:
        if (sweep := each.sweep) is not None and sweep.invocations:
            place = (each.function, sweep.function.region, sweep.environment)
            newest.setdefault(place, each)
    book = current_price_book()
    return tuple(_judge(each, see, book) for each in newest.values())


def _judge(kept: KeptSweep, see: Callable[[Sweep], Seen], book: PriceBook) -> Judged:
    assert kept.sweep is not None  # `judge_kept` takes no other
    try:
        seen = see(kept.sweep)
        return Judged(kept, drift_since(kept.sweep, seen, book=book), seen.problem)
    except TunerError as error:
        return Judged(kept, None, str(error))


def nothing_seen(sweep: Sweep) -> Seen:  # noqa: ARG001 - as the others
    """Neither logs nor an account: prices alone."""
    return Seen()


def seen_in_files(
    request: FilesRequest,
    sweeps: Sequence[Sweep],
    *,
    state_dir: Path,
    progress: Callable[[int, int], None] | None = None,
) -> Callable[[Sweep], Seen]:
    """Read files of logs once, and find each sweep's function in them.

    Reports that name no function are its own where only one is asked for. Raises InputError.
    """
    names = {each.function.name for each in sweeps}
    only = names.pop() if len(names) == 1 else None
    store, reading = ObservationFolder(state_dir).read(request.logs, asked=only, progress=progress)
    with store:
        window = request.span.of(reading.window)
        if only is not None:
            days, _ = function_days(store, only, window)
            return lambda _sweep: Seen(days)
        evidence, _ = archive_evidence(store, window, region="")
    return lambda sweep: Seen(_days_in(evidence, sweep))


def _days_in(evidence: Iterable[FunctionEvidence], sweep: Sweep) -> tuple[DaySums, ...]:
    """A function's days; logs that don't say their region may be of any."""
    function = sweep.function
    return tuple(
        day
        for each in evidence
        if each.function.name == function.name and each.function.region in ("", function.region)
        for day in each.days or ()
    )


def seen_live(request: LiveRequest, caller: Caller) -> Callable[[Sweep], Seen]:
    """Read a sweep's function and its log in its account, in the sweep's region.

    Without its log, its code and settings are judged. What else can't be read raises AwsError.
    """
    from tuner.api.live_reports import open_services
    from tuner.api.observing_live import live_logs
    from tuner.aws.function_list import read_function
    from tuner.aws.function_ref import parse_reference

    def see(sweep: Sweep) -> Seen:
        if sweep.environment == "local":
            return Seen()
        name = sweep.function.name
        where = replace(request.where, region=request.where.region or sweep.function.region)
        with open_services(where, "observe", caller) as services:
            deployed = deployed_of(read_function(services, parse_reference(name)))
        try:
            with live_logs(replace(request, function=name, where=where), caller) as (logs, *_):
                days, _ = function_days(logs.store, name, logs.window)
        except (AwsError, InputError) as error:
            return Seen(None, deployed, str(error))
        return Seen(days, deployed)

    return see


def deployed_of(function: AccountFunction) -> Deployed:
    """A function's settings today, as far as its account says."""
    return Deployed(
        function.code_sha256 or None,
        function.architecture if function.code_sha256 else None,
        function.memory_mb if function.code_sha256 else None,
    )


def with_staleness(
    functions: Sequence[ScannedFunction],
    evidence: Iterable[FunctionEvidence],
    state_dir: Path,
    book: PriceBook,
) -> list[ScannedFunction]:
    """Scanned functions, those whose newest kept sweep is stale with a finding that says so.

    The two are in the same order; a sweep of this machine says nothing of an account's function.
    """
    store = SweepStore(state_dir)
    return [
        replace(scanned, findings=(*scanned.findings, *_stale(known, store, book)))
        for scanned, known in zip(functions, evidence, strict=True)
    ]


def _stale(known: FunctionEvidence, store: SweepStore, book: PriceBook) -> Iterator[Finding]:
    function = known.function
    for path in reversed(store.files(function.name)):
        try:
            sweep = read_sweep(path)
            place = (sweep.environment, sweep.function.region)
            if place != ("aws", function.region) or not sweep.invocations:
                continue
            drift = drift_since(sweep, Seen(known.days, deployed_of(function)), book=book)
        except TunerError:  # one that can't be read, or has no answer: nothing can be stale
            continue
        if drift.finding is not None:
            yield drift.finding
        return
