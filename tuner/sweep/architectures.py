"""What a request for several architectures may ask, and what both of them cost at most."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, get_args

from tuner.errors import UsageError
from tuner.model.function import Architecture

if TYPE_CHECKING:
    from tuner.model.function import FunctionConfig
    from tuner.model.plan import SweepPlan
    from tuner.model.request import TuneRequest
    from tuner.pricing import LambdaPrices
    from tuner.sweep.prepared import OtherArchitecture

ARCHITECTURES: Final[tuple[Architecture, ...]] = get_args(Architecture)


def check_architectures(request: TuneRequest) -> None:
    """Raise UsageError for architectures that don't exist, and for wishes that don't go with
    comparing two.
    """
    measure = request.measure
    named = (*measure.architectures, *(kind for kind, _ in measure.code_by_architecture))
    for each in named:
        if each not in ARCHITECTURES:
            raise UsageError(f"{each!r} isn't an architecture: {' or '.join(ARCHITECTURES)}")
    if unused := {kind for kind, _ in measure.code_by_architecture} - {*measure.architectures}:
        [kind] = sorted(unused)[:1]
        raise UsageError(
            f"`code` has a build for {kind}, which isn't measured: name it in `architectures` too"
        )
    if not measure.architectures:
        return
    if measure.vary is not None:
        raise UsageError("`architectures` and `vary` are two questions: ask one after the other")
    if request.safety.once_each:
        raise UsageError(
            "`once_each` sends no event twice, and `architectures` sends the same ones to each: "
            "leave one of them out"
        )
    if request.safety.isolation == "version":
        raise UsageError("`architectures` measures each in a copy: leave out `isolation=version`")


def refuse_elsewhere(request: TuneRequest, function: FunctionConfig, host: str) -> None:
    """Raise UsageError if a machine of the `host` architecture would have to stand for another."""
    wanted = {*request.measure.architectures}
    if wanted and {*wanted, function.architecture} != {host}:
        raise UsageError(
            f"a local Lambda runs code on this machine's own architecture ({host}) alone, so it "
            "can't compare `architectures`: compare them in AWS, or leave `architectures` out"
        )


def dearer(prices: LambdaPrices, other: LambdaPrices) -> LambdaPrices:
    """Those of the two at which a bound on the cost holds for both."""
    return max(prices, other, key=lambda each: each.price_usd_per_ms(1024))


def with_other_code(plan: SweepPlan, other: OtherArchitecture | None) -> SweepPlan:
    """The plan with the digest of the other architecture's build, as far as it's known."""
    if other is None or other.build is None:
        return plan
    return replace(plan, other_code_sha256=other.build.code_sha256)
