"""Takes an earlier sweep as evidence about a function, as far as the function is still the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tuner.decision.evidence import read_evidence
from tuner.decision.replies import error_at_current
from tuner.decision.strata import sweep_at
from tuner.errors import InputError
from tuner.lease.restore import differences
from tuner.model.invocation import Outcome
from tuner.model.prior_evidence import PriorEnvironment, PriorEvidence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tuner.decision.evidence import Evidence
    from tuner.model.function import FunctionConfig
    from tuner.model.plan import PayloadClass
    from tuner.model.sweep import Sweep

_IRRELEVANT: Final = frozenset(
    ("arn", "description", "ephemeral_storage_mb", "memory_mb", "timeout_s", "version", "CodeSize",
     "DeadLetterConfig", "KMSKeyArn", "LoggingConfig", "Role")
)  # fmt: skip
"""Fields and settings that don't affect durations, or follow from the code."""


def prior_evidence(
    earlier: Sweep,
    function: FunctionConfig,
    payloads: Sequence[PayloadClass],
    environment: str,
) -> PriorEvidence:
    """What a sweep says about `function` with `payloads`, without any earlier sweep that informed
    it: nothing counts twice.

    Raises InputError for a sweep of another function (unless it has the very same code), and for
    one that measured none of these payloads.
    """
    earlier = _on_its_architecture(earlier, function)
    payloads = [p for p in payloads if p.architecture in {None, function.architecture}]
    name, sweep_id = earlier.function.name, earlier.plan.sweep_id
    same_code = earlier.function.code_sha256 == function.code_sha256
    if name != function.name and not same_code:
        raise InputError(
            f"`prior` {sweep_id} is of {name}, which has other code than {function.name}: "
            f"give a sweep of {function.name}, or leave `prior` out"
        )
    matched = _matched(earlier.plan.payloads, payloads)
    weights = {each.name: each.weight for each in earlier.plan.payloads}
    evidence = read_evidence(earlier.invocations, weights)
    why = error_at_current(evidence, earlier.function.memory_mb)
    if why is not None and not (earlier.goal and earlier.goal.allow_different_replies):
        raise InputError(f"`prior` {sweep_id} measured no work: {why}")
    environments = tuple(_environments(evidence, matched))
    if all(each.cold for each in environments):
        raise InputError(
            f"`prior` {sweep_id} has no warm sample of these payloads, so it can't help: "
            "leave it out"
        )
    differs = _differing(earlier, function, environment)
    old = {each.name: each.sha256 for each in earlier.plan.payloads}
    digests = {each.name: each.sha256 for each in payloads}
    return PriorEvidence(
        source_id=sweep_id,
        started_at=earlier.started_at,
        code_sha256=earlier.function.code_sha256,
        differs=differs,
        other_events=tuple(sorted(n for n, was in matched.items() if old[was] != digests[n])),
        killed_mb=None if differs else _killed_mb(evidence),
        environments=environments,
    )


def _on_its_architecture(earlier: Sweep, function: FunctionConfig) -> Sweep:
    """The part of a sweep over architectures that is of the function's."""
    varied = earlier.plan.varied
    if varied is None or not varied.is_architecture:
        return earlier
    known = function.architecture in varied.values
    return sweep_at(earlier, function.architecture if known else varied.current)


def _differing(earlier: Sweep, function: FunctionConfig, environment: str) -> tuple[str, ...]:
    """What has changed since the earlier sweep, or may have."""
    found = differences(earlier.function, function)
    if earlier.function.name != function.name:  # digests of settings are salted with the name
        found = tuple(each for each in found if each not in dict(function.settings))
    extra = [] if environment == earlier.environment else ["environment"]
    if any(each.code == "host_busy" for each in earlier.findings):
        extra.append("host_busy")
    return tuple(sorted({*found, *extra} - _IRRELEVANT))


def _matched(earlier: Sequence[PayloadClass], payloads: Sequence[PayloadClass]) -> dict[str, str]:
    """Which earlier payload informs which payload of this sweep: the one with the same event, else
    with the same name; a single payload informs a single one.
    """
    by_event = {(each.sha256, each.parameters): each.name for each in earlier}
    names = {each.name for each in earlier}
    found = {}
    for each in payloads:
        was = by_event.get((each.sha256, each.parameters))
        if was is None and each.name in names:
            was = each.name
        if was is None and len(payloads) == len(earlier) == 1:
            was = earlier[0].name
        if was is not None:
            found[each.name] = was
    return found


def _environments(evidence: Evidence, matched: Mapping[str, str]) -> Iterator[PriorEnvironment]:
    """The samples of each environment, with payloads named as in this sweep."""
    for name, was in matched.items():
        groups: dict[tuple[int, str, bool], list[float]] = {}
        for sample in evidence.samples[was]:
            key = (sample.memory_mb, sample.environment or "", sample.cold)
            groups.setdefault(key, []).append(sample.duration_ms)
        for (memory_mb, environment, cold), durations_ms in sorted(groups.items()):
            yield PriorEnvironment(name, memory_mb, environment, cold, tuple(durations_ms))


def _killed_mb(evidence: Evidence) -> int | None:
    """The largest size killed for memory below which nothing succeeded."""
    killed = [m for m, counts in evidence.failures.items() if counts[Outcome.OUT_OF_MEMORY]]
    alive = [m for m, count in evidence.success_counts.items() if count]
    return max((m for m in killed if not alive or m < min(alive)), default=None)
