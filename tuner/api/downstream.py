"""What is around a function under load: found before, looked at during, judged after."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass, replace
from statistics import fmean, pstdev
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import AwsError, CredentialsError
from tuner.load.event_source import Batch
from tuner.load.findings import foreseen, not_known, seen_during
from tuner.load.limits import Demand, limits_of, saturations
from tuner.load.resources import Declared, EventSource, Queue, Surroundings, Table
from tuner.load.upstream import (
    Feed,
    not_computed,
    not_enforced,
    recent_batch,
    upstream_findings,
)
from tuner.load.watch import Look, ResourceWatch, demands_seen
from tuner.report.numbers import memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from tuner.aws.reached_resources import Named
    from tuner.aws.services import Services
    from tuner.load.limits import Key, Saturation
    from tuner.load.plan import LoadPlan
    from tuner.load.result import LoadResult
    from tuner.model.finding import Finding
    from tuner.model.payload import Payload
    from tuner.session.inputs import Inputs, OpenTarget

AWS_LOOK_S: Final = 60.0
"""CloudWatch has a data point a minute."""
LOCAL_LOOK_S: Final = 1.0
SETTLE_S: Final = 90.0
"""How long CloudWatch takes to show the last minute."""


@dataclass(frozen=True, slots=True)
class Around:
    """What is known around a function before a load."""

    found: Surroundings
    demands: Mapping[Key, Demand]
    feeds: tuple[Feed, ...]
    is_local: bool = False
    """The services are emulated: they count what is asked, and nothing polls their queues."""
    backlog_count: int | None = None
    """What was asked about."""

    def saturations(self, rate_per_s: float) -> tuple[Saturation, ...]:
        """Each limit against what a rate asks."""
        limits = (limit for each in self.found.behind for limit in limits_of(each))
        return saturations(limits, self.demands, rate_per_s)


class DownstreamLooks:
    """Reads what is around one function; its connections are open until `close`."""

    def __init__(
        self, inputs: Inputs, target: OpenTarget, now: Callable[[], datetime], backlog: int | None
    ) -> None:
        from tuner.aws.services import Services

        self._open = ExitStack()
        self._services: Services = self._open.enter_context(
            Services(target.gateway.session, purpose="load")
        )
        self._target, self._now, self._backlog = target, now, backlog
        self._inputs = inputs
        self._reference = target.gateway.resolve(inputs.function)
        self._payloads: Sequence[Payload] = inputs.payloads
        self._declared = _of_template(inputs, self._reference.name)
        self._own = {("lambda", self._reference.name)}
        self._base = self._use()

    def close(self) -> None:
        """Close the connections."""
        self._open.close()

    @property
    def is_local(self) -> bool:
        """Whether the endpoint is on this machine: it has no metrics, and counts itself."""
        return self._target.gateway.is_loopback

    @property
    def look_every_s(self) -> float:
        """How often looking is of use."""
        return LOCAL_LOOK_S if self.is_local else AWS_LOOK_S

    def look_around(self, used: Sequence[Named] = ()) -> Around:
        """Find everything, and what is known of it. Raises CredentialsError."""
        from tuner.aws.resource_metrics import arrivals_per_s, demand_of
        from tuner.aws.surroundings import find_surroundings, recent_window

        name = self._reference.name
        try:
            configuration = self._target.gateway.raw_configuration(self._inputs.function)
        except CredentialsError:
            raise
        except AwsError:
            configuration = {}
        found = find_surroundings(
            self._services,
            name,
            configuration,
            now=self._now(),
            target=self._reference.target,
            declared=self._declared,
            used=used,
        )
        demands: Mapping[Key, Demand] = {}
        arrivals: Mapping[str, float] = {}
        if not self.is_local:
            start, end = recent_window(self._now())
            try:
                demands = demand_of(self._services, name, found.behind, start=start, end=end)
                arrivals = arrivals_per_s(self._services, found.sources, start=start, end=end)
            except CredentialsError:
                raise
            except AwsError:
                unseen = (*found.unseen, "what CloudWatch knows of them (GetMetricData: refused)")
                found = replace(found, unseen=unseen)
        feeds = tuple(self._feeds(found, arrivals))
        return Around(found, demands, feeds, self.is_local, self._backlog)

    def watch(self, around: Around, began_at: datetime, name: str) -> ResourceWatch:
        """What looks during the load of the function, or of the copy of that name."""
        self._base = self._use()
        self._own |= {("lambda", name)}
        return ResourceWatch(lambda: self._look(around.found, began_at), self.look_every_s)

    def after(self, around: Around, watch: ResourceWatch) -> Around:
        """What the load taught: resources that were seen to be called, and what it asks of them."""
        seen = watch.seen
        if self.is_local and seen:
            used = dict.fromkeys(
                (service, name.partition("/index/")[0])
                for service, name, _ in seen[-1].look.used
                if (service, name) not in self._own
            )
            around = self.look_around(tuple(used))
        source = "counted by the local services" if self.is_local else "CloudWatch in this load"
        learned = demands_seen(seen, source)
        indexed = _of_indexes(around.found, learned)
        return replace(around, demands={**learned, **indexed, **around.demands})

    def _look(self, found: Surroundings, began_at: datetime) -> Look | None:
        from tuner.aws.resource_metrics import look_at, queues_waiting

        if not self.is_local:
            name = self._reference.name
            return look_at(self._services, found, name, since=began_at, now=self._now())
        now = self._use()
        if now is None:
            return None
        base = self._base
        used: dict[Any, float] = dict(now.used)
        states: dict[Any, float] = {
            (service, name, "throttled"): float(count)
            for (service, name), count in now.throttled.items()
            if (service, name) not in self._own
        }
        if base is not None:
            for key, amount in base.used.items():
                used[key] -= amount
            for (service, name), count in base.throttled.items():
                if (service, name, "throttled") in states:
                    states[service, name, "throttled"] -= count
        queues = [each for each in (*found.behind, *(r for _, r in found.sources))
                  if isinstance(each, Queue)]  # fmt: skip
        states.update(queues_waiting(self._services, queues))
        return Look({key: amount for key, amount in used.items() if amount > 0}, states)

    def _use(self) -> Any:
        from tuner.local import read_use

        url = self._target.gateway.endpoint_url
        return read_use(url) if self.is_local and url is not None else None

    def _feeds(self, found: Surroundings, arrivals: Mapping[str, float]) -> Iterator[Feed]:
        for source, resource in found.sources:
            waits = resource.waiting_count if isinstance(resource, Queue) else None
            backlog = waits if self._backlog is None else self._backlog
            size = record_bytes_in(self._payloads) if source.service == "kinesis" else None
            yield Feed(source, resource, arrivals.get(source.resource), backlog, record_bytes=size)
        if self._backlog is not None and not found.sources and not found.other_sources:
            size = round(records_in(self._payloads))
            source = EventSource("sqs", "a queue", self._reference.name, size)
            yield Feed(source, None, None, self._backlog, is_assumed=True)


def _of_template(inputs: Inputs, function: str) -> Declared:
    """Of the template that is run locally."""
    where = inputs.request.target
    if where.local_template is None:
        return Declared()
    from tuner.aws.resource_reader import source_of_arn
    from tuner.iac import read_template

    template = read_template(
        where.local_template,
        region=where.region or "us-east-1",
        parameters=where.template_parameters,
        allow_outside=True,  # it was refused before if it must be
    )
    sources = tuple(
        EventSource(
            *polled,
            each.function,
            each.batch_size,
            float(each.window_s),
            each.max_concurrency,
            each.parallelization_factor,
            each.pollers,
        )
        for each in template.event_mappings
        if (polled := source_of_arn(each.source_arn)) is not None
    )
    others = tuple(each.what for each in template.other_mappings if each.function == function)
    tables = {e.name: e.properties for e in template.resources if e.type.endswith("::Table")}
    return Declared(sources, others, template.reserved_concurrency, tables)


def _of_indexes(found: Surroundings, demands: Mapping[Key, Demand]) -> dict[Key, Demand]:
    """An index takes the writes whose items have all of its keys: at most what has the rarest."""
    made: dict[Key, Demand] = {}
    for table in found.behind:
        for index in table.indexes if isinstance(table, Table) else ():
            having: list[Demand | None] = [
                demands.get(("dynamodb", table.name, f"write units with {key}"))  # type: ignore[arg-type] # a unit for each key
                for key in index.keys
            ]
            if having and None not in having:
                rarest = min(
                    (each for each in having if each), key=lambda each: each.per_invocation
                )
                made["dynamodb", index.name, "write units"] = rarest
    return made


def records_in(payloads: Sequence[Payload]) -> float:
    """Records in an event, by the classes' weights: as described, or as in its Records."""
    whole = sum(each.weight for each in payloads)
    if not whole:
        return 1.0
    return sum(each.weight * _records(each) for each in payloads) / whole


def _records(payload: Payload) -> int:
    if payload.record_count > 1 or b'"Records"' not in payload.body:
        return payload.record_count
    try:
        records = json.loads(payload.body).get("Records")
    except (ValueError, AttributeError):
        return 1
    return max(1, len(records)) if isinstance(records, list) else 1


def record_bytes_in(payloads: Sequence[Payload]) -> float | None:
    """A record's mean bytes in events of Kinesis, by the classes' weights; None of other events."""
    weighed = [(each.weight, size) for each in payloads if (size := _record_bytes(each))]
    whole = sum(weight for weight, _ in weighed)
    return sum(weight * size for weight, size in weighed) / whole if whole else None


def _record_bytes(payload: Payload) -> float | None:
    try:
        records = json.loads(payload.body)["Records"]
        return fmean(len(each["kinesis"]["data"]) * 3 / 4 for each in records)
    except (ValueError, KeyError, TypeError, RecursionError):  # no records, or another's
        return None


def before(around: Around, plan: LoadPlan) -> tuple[Finding, ...]:
    """Findings by arithmetic, before anything is sent."""
    peak = plan.peak_per_s
    found = around.saturations(peak)
    later = around.is_local
    said = [*foreseen(found, peak), *not_known(found, around.found.unseen, counts_later=later)]
    said += not_computed(around.found.other_sources, around.backlog_count)
    if plan.pricing.recent_duration_ms is not None:
        for size in plan.sizes_mb:
            duration_ms = plan.pricing.expected_duration_ms(size)
            for feed in around.feeds:
                batch = recent_batch(feed, duration_ms)
                said += _upstream(around, feed, batch, size, found)
    return tuple(dict.fromkeys(said))


def judged(
    result: LoadResult, around: Around, plan: LoadPlan, watch: ResourceWatch,
    payloads: Sequence[Payload],
) -> LoadResult:  # fmt: skip
    """The result with what it shows of its surroundings."""
    peak = plan.peak_per_s
    found = around.saturations(peak)
    said = [
        *foreseen(found, peak),
        *not_known(found, around.found.unseen),
        *not_computed(around.found.other_sources, around.backlog_count),
        *seen_during(watch.seen, plan.phases, polls=not around.is_local),
    ]
    if around.is_local and plan.is_reserved:
        said += not_enforced(result, around.found.function)
    if durations_ms := result.warm_durations_ms:
        mean_ms = fmean(durations_ms)
        cv = pstdev(durations_ms) / mean_ms
        batch = Batch(records_in(payloads), mean_ms, "as in this load", cv)
        for feed in around.feeds:
            said += _upstream(around, feed, batch, result.function.memory_mb, found)
    findings = tuple(dict.fromkeys((*result.findings, *said)))
    return replace(result, downstream=found, seen=tuple(watch.seen), findings=findings)


def _upstream(
    around: Around, feed: Feed, batch: Batch, memory_mb: int, found: Sequence[Saturation]
) -> Iterator[Finding]:
    if around.found.function is not None:
        yield from upstream_findings(feed, around.found.function, batch, memory(memory_mb), found)
