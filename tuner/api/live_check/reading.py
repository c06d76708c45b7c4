"""The first step of a live check: it reads only, and compares what it sees with what is assumed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from tuner.aws.metrics import parse_time
from tuner.errors import AwsError, CredentialsError, EndpointError, PriceError
from tuner.logs.times import STREAM
from tuner.model.live_check import Assumption, State
from tuner.pricing.price_list import facts, read_item
from tuner.pricing.refresh import make_document
from tuner.pricing.renewal import current_price_book
from tuner.pricing.snapshot import read_price_book
from tuner.session.inputs import MAX_ZIPPED_BYTES
from tuner.sweep.outcome import report_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tuner.aws.live_gateway import LiveGateway

_USED_METRICS: Final = ("ConcurrentExecutions", "Duration", "Errors", "Invocations", "Throttles")
_UNZIPPED_BYTES: Final = 250 * 1024 * 1024
_MOST_NAMED: Final = 4


def read_only(
    gateway: LiveGateway, function: str | None, *, on_step: Callable[[str], None] = lambda _: None
) -> tuple[Assumption, ...]:
    """What can be seen without changing anything; a refusal is a "not seen" with its reason."""
    on_step("reading: identity and limits")
    found = [*_identity(gateway), *_limits(gateway)]
    if function is not None:
        on_step("reading: the function, its log and its metrics")
        found += [*_function(gateway, function), *_log(gateway, function)]
        found += _metrics(gateway, function)
    on_step("reading: prices")
    found += _prices(gateway)
    return tuple(found)


def judged(topic: str, assumed: str, seen: str, *, holds: bool | None) -> Assumption:
    """An assumption with its state; `holds` None: nothing was seen."""
    state: State = "not seen" if holds is None else "same" if holds else "differs"
    return Assumption(topic, assumed, seen, state)


def _asked(
    topic: str, assumed: str, ask: Callable[[], tuple[str, bool | None]], *, is_vital: bool = False
) -> Iterator[Assumption]:
    """Ask; where a refusal `is_vital`, nothing else would be seen either, and it's raised."""
    try:
        seen, holds = ask()
    except AwsError as error:
        if is_vital and isinstance(error, CredentialsError | EndpointError):
            raise
        seen, holds = str(error), None
    yield judged(topic, assumed, seen, holds=holds)


def _identity(gateway: LiveGateway) -> Iterator[Assumption]:
    def ask() -> tuple[str, bool | None]:
        account = gateway.account_id()
        if account is None:
            return "the endpoint has no STS", None
        return "an account of 12 digits", account.isdigit() and len(account) == 12

    yield from _asked("identity", "credentials that STS knows", ask)


def _limits(gateway: LiveGateway) -> Iterator[Assumption]:
    answer: dict[str, Any] = {}

    def concurrency() -> tuple[str, bool | None]:
        answer.update(gateway.account_limits().get("AccountLimit", {}))
        limit, free = (
            answer.get(name) for name in ("ConcurrentExecutions", "UnreservedConcurrentExecutions")
        )
        return f"{limit}, of which {free} are not reserved", None not in (limit, free)

    def package() -> tuple[str, bool | None]:
        sizes = answer.get("CodeSizeZipped"), answer.get("CodeSizeUnzipped")
        if None in sizes:
            return "GetAccountSettings doesn't say", None
        seen = " and ".join(f"{(size or 0) / 2**20:.0f} MB" for size in sizes)
        return seen, sizes == (MAX_ZIPPED_BYTES, _UNZIPPED_BYTES)

    yield from _asked("concurrency limit", "the account says it", concurrency, is_vital=True)
    yield from _asked("package sizes", "50 MB zipped and 250 MB unzipped", package)


def _function(gateway: LiveGateway, function: str) -> Iterator[Assumption]:
    raw: dict[str, Any] = {}

    def fields() -> tuple[str, bool | None]:
        raw.update(gateway.raw_function(function))
        needed = ("CodeSha256", "LastModified", "MemorySize", "RevisionId", "State", "Timeout")
        missing = [name for name in needed if name not in raw]
        return f"without {', '.join(missing)}" if missing else "all of them", not missing

    def time() -> tuple[str, bool | None]:
        if "LastModified" not in raw:
            return "there is none", None
        is_read = parse_time(raw["LastModified"]) is not None
        return "like this" if is_read else f"{raw['LastModified']!r}", is_read

    def copyable() -> tuple[str, bool | None]:
        if not raw:
            return "the function can't be read", None
        try:
            gateway.check_copyable(function)
        except AwsError as error:
            return str(error), False
        return "every one", True

    def log_format() -> tuple[str, bool | None]:
        if not raw:
            return "the function can't be read", None
        seen = (raw.get("LoggingConfig") or {}).get("LogFormat", "none, so Text")
        return str(seen), seen in ("Text", "JSON", "none, so Text")

    assumed = "CodeSha256, LastModified, MemorySize, RevisionId, State, Timeout"
    yield from _asked("a function's fields", assumed, fields)
    yield from _asked("LastModified", "2026-11-29T08:15:00.000+0000", time)
    yield from _asked("settings", "a temporary copy can have each", copyable)
    yield from _asked("log format", "Text or JSON", log_format)


def _log(gateway: LiveGateway, function: str) -> Iterator[Assumption]:
    events: list[tuple[str, str]] = []

    def reports() -> tuple[str, bool | None]:
        events.extend(gateway.report_events(function))
        if not events:
            return "the log has none", None
        read = sum(report_in(line) is not None for _, line in events)
        return f"{read} of {len(events)}", read == len(events)

    def streams() -> tuple[str, bool | None]:
        names = {stream for stream, _ in events}
        if not names:
            return "the log has none", None
        good = sum(STREAM.fullmatch(name) is not None for name in names)
        return f"{good} of {len(names)} like this", good == len(names)

    yield from _asked("REPORT lines", "every one can be read", reports)
    yield from _asked("log streams", "2026/11/29/[VERSION]0123abcd…", streams)


def _metrics(gateway: LiveGateway, function: str) -> Iterator[Assumption]:
    def ask() -> tuple[str, bool | None]:
        found = gateway.metric_names(function)
        if not found:
            return "none in two weeks", None
        plain = {metric for metric, dimensions in found if dimensions == ("FunctionName",)}
        missing = [name for name in _USED_METRICS if name not in plain]
        others = sorted({"+".join(dimensions) for _, dimensions in found} - {"FunctionName"})
        seen = f"without {', '.join(missing)}" if missing else "all of them"
        if others:
            seen += f"; also by {', '.join(others[:_MOST_NAMED])}"
        return seen, not missing

    yield from _asked("metrics", f"{', '.join(_USED_METRICS)} by FunctionName", ask)


def _prices(gateway: LiveGateway) -> Iterator[Assumption]:
    book, today = current_price_book(), datetime.now(UTC).date()
    try:
        known = [book.lambda_prices(gateway.region, each) for each in ("x86_64", "arm64")]
    except PriceError as error:
        yield judged("prices", "the region's are known", str(error), holds=False)
        return
    try:
        items = [read_item(each, "the Price List API") for each in gateway.lambda_price_items()]
        document = make_document(facts(items, ()), as_of=today.isoformat(), what="")
        listed = read_price_book(json.loads(json.dumps(document))).lambda_entries
    except (AwsError, PriceError) as error:
        listed, why = (), str(error)
        if gateway.is_loopback:
            why = "the endpoint has no Price List API"
    else:
        why = "the Price List API has none for it"
    for mine in known:
        theirs = [each for each in listed if each.architecture == mine.architecture]
        assumed = (
            f"{mine.duration_tiers[0].price_usd_per_gb_second} USD a GB-second, "
            f"{mine.request_price_usd:f} a request"
        )
        seen = why
        if theirs:
            price = theirs[0].duration_tiers[0].price_usd_per_gb_second
            seen = f"{price} and {theirs[0].request_price_usd:f}"
        same = bool(theirs) and replace(theirs[0], as_of=mine.as_of) == mine
        topic = f"prices, {mine.architecture}"
        yield judged(topic, assumed, seen, holds=same if theirs else None)
