"""What other ways to bring events to a function would cost, and how long they take."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from tuner.api.live_reports import open_services
from tuner.api.reading import DEFAULT_REGION
from tuner.aws.function_ref import parse_reference
from tuner.aws.triggers import read_event_sources
from tuner.breakeven.pathway_findings import Wishes, compare_pathways
from tuner.breakeven.pathway_traits import traits_of
from tuner.breakeven.pathways import EventStream
from tuner.errors import UsageError
from tuner.model.account import EventSource
from tuner.model.number_fields import check_number_fields
from tuner.pricing.renewal import current_price_book

if TYPE_CHECKING:
    import datetime

    from tuner.api.reading import Caller
    from tuner.breakeven.pathway_findings import PathwayComparison
    from tuner.breakeven.pathway_traits import Trigger
    from tuner.model.function import Architecture
    from tuner.model.observation import Observation
    from tuner.model.request import Target

DEFAULT_EVENT_BYTES: Final = 4000
_TRIGGERS: Final[dict[str, Trigger]] = {
    "sqs": "sqs",
    "kinesis": "kinesis",
    "sns": "sns",
    "events": "eventbridge",
    "direct": "direct",
}
"""By the service of an `EventSource`."""


@dataclass(frozen=True, slots=True)
class PathwayRequest:
    """What is known of the events. A trigger and a rate that are None are read.

    `event_bytes` is a typical event's size. `peak_ratio` and `per_invocation_ms` are as in
    `EventStream`; `memory_mb` counts only with the latter.
    """

    trigger: Trigger | None = None
    rate_per_s: float | None = None
    event_bytes: int | None = None
    batch_size: int | None = None
    batch_window_s: float | None = None
    per_invocation_ms: float = 0.0
    memory_mb: int | None = None
    peak_ratio: float = 1.0
    wishes: Wishes = field(default_factory=Wishes)

    def __post_init__(self) -> None:
        check_number_fields(self)

    @property
    def is_complete(self) -> bool:
        """Whether nothing has to be read for an answer."""
        return self.trigger is not None and self.rate_per_s is not None


def pathways_of(
    request: PathwayRequest,
    function: str,
    *,
    region: str | None = None,
    architecture: Architecture | None = None,
    observed: Observation | None = None,
    source: EventSource | None = None,
    today: datetime.date | None = None,
) -> PathwayComparison:
    """Compare every pathway, by what is given, then observed.

    `source` is what the account says of the trigger. Raises UsageError where trigger or rate are
    known from nowhere, and PriceError.
    """
    reference = parse_reference(function)
    trigger = request.trigger or (None if source is None else _TRIGGERS[source.service])
    if trigger is None:
        raise UsageError("say how events reach the function: `event_trigger`")
    rate, rate_source = request.rate_per_s, "given"
    if rate is None:
        rate, rate_source = None if observed is None else observed.rate_per_s, "observed"
    if rate is None:
        raise UsageError("the logs have no window, so they tell no rate: give `rate_per_s`")
    if observed is not None:
        region, architecture = observed.region, observed.architecture  # type: ignore[assignment] # one of two
    place = region or reference.region or DEFAULT_REGION
    book = current_price_book()
    lambda_prices = book.lambda_prices(place, architecture or "x86_64")
    stream = _stream(request, rate, source, observed)
    found = compare_pathways(
        reference.name,
        traits_of(
            trigger,
            is_fifo=source is not None and source.is_fifo,
            fan_out=source is not None and source.fan_out,
        ),
        stream,
        request.wishes,
        (book.event_prices(place), lambda_prices),
        sources=("configuration" if request.trigger is None else "given", rate_source),
        today=today,
    )
    return replace(found, assumptions=(*_assumed(request, found), *found.assumptions))


def read_trigger(function: str, where: Target, caller: Caller) -> EventSource:
    """The one source that brings a function's events; a direct caller if there is none.

    Raises UsageError where it's none of the pathways, or several, and AwsError.
    """
    reference = parse_reference(function)
    if reference.region is not None:
        where = replace(where, region=reference.region)
    with open_services(where, "observe", caller) as services:
        if services.session.is_loopback:
            reference = replace(reference, account_id=None)
        return only_source(reference.name, read_event_sources(services, reference))


def only_source(function: str, found: tuple[EventSource, ...]) -> EventSource:
    """The single source of a function's events. Raises UsageError."""
    if not found:
        return EventSource("direct")
    known = [each for each in found if each.service in _TRIGGERS]
    if len({each.service for each in known}) == 1:
        return known[0]
    names = ", ".join(dict.fromkeys(each.service for each in found))
    if known:
        raise UsageError(
            f"{function} gets events from {names}: say which one counts (`event_trigger`)"
        )
    raise UsageError(
        f"{function} gets events from {names}, which is none of sqs, sns, kinesis and eventbridge: "
        "say which one comes closest (`event_trigger`)"
    )


def _stream(
    request: PathwayRequest, rate: float, source: EventSource | None, observed: Observation | None
) -> EventStream:
    window = request.batch_window_s
    if window is None:
        window = 0.0 if source is None else source.batch_window_s
    size = request.batch_size or (None if source is None else source.batch_size)
    memory = request.memory_mb or (None if observed is None else observed.memory_mb)
    if request.per_invocation_ms and memory is None:
        raise UsageError("what an invocation takes is billed by its memory: give `memory_size`")
    return EventStream(
        rate_per_s=rate,
        event_bytes=request.event_bytes or DEFAULT_EVENT_BYTES,
        batch_size=size,
        batch_window_s=window,
        per_invocation_ms=request.per_invocation_ms,
        memory_mb=memory or 128,
        peak_ratio=request.peak_ratio,
    )


def _assumed(request: PathwayRequest, found: PathwayComparison) -> tuple[str, ...]:
    size = (
        () if request.event_bytes else (f"events of {DEFAULT_EVENT_BYTES:,} bytes (`event_size`)",)
    )
    batches = found.rate_source == "observed" and found.current.most_events > 1
    one = ("an event an observed invocation: with batches there are more (`rate_per_s`)",)
    return (*size, *(one if batches else ()))
