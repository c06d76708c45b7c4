"""What makes two sweeps hard to compare, and what differs besides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tuner.model.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.model.sweep import Sweep

_FOLLOWS_THE_CODE: Final = {"CodeSize"}


def comparison_findings(a: Sweep, b: Sweep, *, measured_in_both: bool) -> Iterator[Finding]:
    """Everything beside the function's own change that may be behind a difference."""
    if a.environment != b.environment:
        yield Finding(
            "environments-differ",
            "warning",
            "one sweep was measured on a local endpoint, the other on AWS: their durations do "
            "not compare",
        )
    if {p.sha256: p.weight for p in a.plan.payloads} != {
        p.sha256: p.weight for p in b.plan.payloads
    }:
        yield Finding(
            "payloads-differ",
            "warning",
            "the payloads differ (by digest or weight), so the difference may be theirs: sweep "
            "both with the same --payload",
        )
    if b.plan.resumed_from == a.plan.sweep_id or a.plan.resumed_from == b.plan.sweep_id:
        yield Finding(
            "samples-shared",
            "warning",
            "one sweep went on from the other and holds its samples: a difference shows smaller",
        )
    if not measured_in_both:
        yield Finding(
            "no-common-size",
            "warning",
            "no size was measured in both sweeps: the comparison rests on the curves alone",
        )
    if a.function.name != b.function.name:
        yield Finding(
            "functions-differ",
            "info",
            f"these are two functions: {a.function.name} and {b.function.name}",
        )
    if a.function.region != b.function.region:
        yield Finding(
            "regions-differ",
            "info",
            f"the regions differ ({a.function.region}, {b.function.region}): so do prices",
        )
    if names := _differing_settings(a, b):
        yield Finding(
            "settings-differ", "info", f"settings that differ besides: {', '.join(names)}"
        )


def _differing_settings(a: Sweep, b: Sweep) -> list[str]:
    """Names of settings, by their digests; what the code's size is follows from the code."""
    left, right = dict(a.function.settings), dict(b.function.settings)
    differing = {name for name in left | right if left.get(name) != right.get(name)}
    own = ("runtime", "timeout_s", "ephemeral_storage_mb")
    differing |= {each for each in own if getattr(a.function, each) != getattr(b.function, each)}
    return sorted(differing - _FOLLOWS_THE_CODE)
