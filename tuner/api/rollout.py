"""Rolls a memory size out on a live alias: look, plan, shift by steps."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tuner.api.rollout_baseline import read_baseline, variation
from tuner.aws.code_deploy import deployment_group
from tuner.aws.function_list import provisioned_counts
from tuner.errors import AccessDeniedError, InputError
from tuner.lease.cleanup import ROLLOUT_ID
from tuner.lease.journal import LeaseTerms, make_header
from tuner.lease.lease import refuse_unfinished
from tuner.rollout.check import (
    check_code_deploy,
    check_provisioned,
    check_routing,
    check_same,
    choose_alias,
)
from tuner.rollout.forecast import forecast_of, worst_case
from tuner.rollout.needed import needed_for
from tuner.rollout.record import RolloutRecord
from tuner.rollout.run import PlannedRollout, RolloutIO, resize_latest, roll_out
from tuner.sweep.plan import new_sweep_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tuner.aws import LambdaGateway
    from tuner.aws.services import Services
    from tuner.lease.clone import LiveTraffic
    from tuner.model.function import Alias, FunctionConfig, Routing
    from tuner.model.recommendation import Recommendation
    from tuner.model.request import Target
    from tuner.rollout.figures import VersionFigures
    from tuner.rollout.forecast import Forecast
    from tuner.rollout.steps import Step


@dataclass(frozen=True, slots=True)
class RolloutRequest:
    """What is to be rolled out, and how."""

    function: str
    memory_mb: int
    was_mb: int | None = None
    """What the function must have now; None: whatever it has."""
    forecast: Forecast | None = None
    sweep_id: str | None = None
    alias: str | None = None
    steps: tuple[Step, ...] = ()
    step_timeout_s: float | None = None
    """None: three times the longest step, an hour at least."""
    unqualified: bool = False

    @property
    def timeout_s(self) -> float:
        """How long a step may take."""
        longest = max((step.least_s for step in self.steps), default=0.0)
        return max(3 * longest, 3600.0) if self.step_timeout_s is None else self.step_timeout_s


def request_of(answer: Recommendation) -> RolloutRequest:
    """What a sweep's answer asks for. Raises InputError if it recommends nothing."""
    name, memory_mb = answer.function.name, answer.choice.memory_mb
    if memory_mb is None:
        raise InputError(
            f"{name}: the sweep is inconclusive, so there is nothing to roll out: tune again"
        )
    return RolloutRequest(
        name,
        memory_mb,
        answer.current.memory_mb,
        forecast=forecast_of(answer),
        sweep_id=answer.sweep.sweep_id,
    )


@dataclass(frozen=True, slots=True)
class OpenRollout:
    """A rollout that may be shown, agreed to and run. `plan` is None with `unqualified`."""

    request: RolloutRequest
    function: FunctionConfig
    gateway: LambdaGateway
    plan: PlannedRollout | None
    figures: VersionFigures | None
    metrics: VersionFigures | None
    traffic: LiveTraffic
    warnings: tuple[str, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether the size is there already."""
        return self.from_memory_mb == self.request.memory_mb

    @property
    def from_memory_mb(self) -> int:
        """The memory now, of the alias's version or of $LATEST."""
        return self.function.memory_mb if self.plan is None else self.plan.from_memory_mb

    def run(self, state_dir: Path, watch: RolloutIO) -> RolloutRecord:
        """Carry it out; of `watch` the control and the figures are set here.

        Raises LeaseError, its subclasses and AwsError.
        """
        started = watch.now()
        record = self._record(started)
        terms = LeaseTerms(
            record.id, state_dir, self.gateway.endpoint_url, started.isoformat(timespec="minutes")
        )
        io = replace(watch, control=self.gateway, figures=self.figures, metrics=self.metrics)
        if self.plan is None:
            return resize_latest(self.function, self.request.memory_mb, terms, record, io)
        return roll_out(self.plan, terms, record, io)

    def as_it_is(self) -> RolloutRecord:
        """What is to be said if the size is there already."""
        record = self._record(datetime.now(UTC))
        record.state, record.to_version = "finished", record.from_version
        record.ended_at = record.started_at
        return record

    def _record(self, started: datetime) -> RolloutRecord:
        before = "$LATEST" if self.plan is None else self.plan.before.version
        return RolloutRecord(
            id=f"{ROLLOUT_ID}{new_sweep_id(started)}",
            function=self.function.name,
            region=self.function.region,
            alias=None if self.plan is None else self.plan.before.alias,
            from_version=before,
            to_version="$LATEST" if self.plan is None else None,
            from_memory_mb=self.from_memory_mb,
            to_memory_mb=self.request.memory_mb,
            started_at=started.isoformat(timespec="milliseconds"),
            steps=[],
            forecast=None if self.plan is None else self.plan.forecast,
            sweep_id=self.request.sweep_id,
        )


@contextmanager
def open_rollout(
    request: RolloutRequest, where: Target, *, state_dir: Path
) -> Iterator[OpenRollout]:
    """Look at the function and plan; nothing is changed.

    Raises LeftChangedError if an earlier sweep or rollout didn't finish, InputError for what can't
    be rolled out, with what to do about it, and AwsError.
    """
    from tuner.aws import connect
    from tuner.aws.services import Services

    with connect(function=request.function, **where.connection) as gateway:
        name = gateway.resolve(request.function).target
        with Services(gateway.session, purpose="apply") as services:
            latest = gateway.read_function(name)
            terms = LeaseTerms(ROLLOUT_ID, state_dir, gateway.endpoint_url, "")
            refuse_unfinished(state_dir, make_header(latest, terms))
            yield _Look(request, gateway, services, name).open(latest)


class _Look:
    """Reads what a plan needs."""

    def __init__(
        self, request: RolloutRequest, gateway: LambdaGateway, services: Services, name: str
    ) -> None:
        self._request, self._gateway, self._services = request, gateway, services
        self._name = name
        self._warnings: list[str] = []

    def open(self, latest: FunctionConfig) -> OpenRollout:
        """Look at everything else and plan."""
        request = self._request
        if request.unqualified:
            self._check_memory(latest.memory_mb)
            return OpenRollout(
                request, latest, self._gateway, None, None, None, self._traffic(), ()
            )
        aliases = self._gateway.list_aliases(self._name)
        asked = request.alias or self._gateway.resolve(request.function).qualifier
        alias = choose_alias(latest.name, aliases, asked)
        before = self._gateway.read_alias(self._name, alias)
        check_routing(latest.name, before)
        self._warn_of_others(before, aliases)
        self._check_deployments(latest, before)
        version = self._gateway.read_function(self._name, before.version)
        check_same(latest, version, alias)
        self._check_memory(version.memory_mb)
        seen = read_baseline(
            latest,
            before,
            gateway=self._gateway,
            services=self._services,
            warn=self._warnings.append,
        )
        baseline = seen.arm
        cv = variation(baseline.billed_ms)
        errors = baseline.failure_count / baseline.count if baseline.count else 0.0
        plan = PlannedRollout(
            function=latest,
            from_memory_mb=version.memory_mb,
            before=before,
            memory_mb=request.memory_mb,
            steps=tuple(
                (step, needed_for(step, error_ratio=errors, cv=cv)) for step in request.steps
            ),
            step_timeout_s=request.timeout_s,
            forecast=request.forecast or worst_case(version.memory_mb, request.memory_mb),
            baseline=baseline,
            rate_per_s=seen.rate_per_s,
        )
        return OpenRollout(
            request,
            latest,
            self._gateway,
            plan,
            seen.figures,
            seen.metrics,
            self._traffic(),
            tuple(self._warnings),
        )

    def _warn_of_others(self, before: Routing, aliases: Sequence[Alias]) -> None:
        others = [
            each.name
            for each in aliases
            if each.name != before.alias and before.version in each.versions
        ]
        if others:
            self._warnings.append(
                f"Version {before.version} also runs what {', '.join(others)} gets, which isn't "
                "shared at random: if its events are of another kind, the comparison is off"
            )

    def _check_memory(self, memory_mb: int) -> None:
        was_mb = self._request.was_mb
        if was_mb is not None and memory_mb not in (was_mb, self._request.memory_mb):
            raise InputError(
                f"{self._name} has {memory_mb} MB now, not {was_mb} MB as when it was measured: "
                "tune again, or give `function` and `memory_size`"
            )

    def _check_deployments(self, latest: FunctionConfig, before: Routing) -> None:
        alias = before.alias
        try:
            counts = dict(provisioned_counts(self._services, self._name))
        except AccessDeniedError as error:
            self._warnings.append(f"Whether concurrency is provisioned can't be known ({error})")
            counts = {}
        check_provisioned(latest.name, alias, counts.get(alias))
        if counts.get(before.version):
            self._warnings.append(
                f"Version {before.version} has {counts[before.version]} provisioned environments, "
                "and the new version will have none: provision them, or expect cold starts"
            )
        try:
            tags = self._gateway.read_tags(latest.arn)
            group = deployment_group(self._services, tags, latest.name, alias)
        except AccessDeniedError as error:
            self._warnings.append(
                f"Whether CodeDeploy shifts the alias can't be known ({error}). If the template "
                "has a DeploymentPreference, don't roll out here"
            )
        else:
            check_code_deploy(latest.name, alias, group)

    def _traffic(self) -> LiveTraffic:
        return self._gateway.live_traffic(self._name)
