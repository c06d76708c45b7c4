"""A plan in words: the function, what will happen to it, and what that takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.lease.lock import SWEEP_TAG
from tuner.model.interval import counted
from tuner.report import numbers
from tuner.report.sanitize import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tuner.cold.plan import ColdPlan
    from tuner.load.plan import LoadPlan
    from tuner.model.function import FunctionConfig
    from tuner.model.plan import PriceOfDeciding, SweepPlan
    from tuner.model.prior_evidence import PriorEvidence


def describe_plan(
    function: FunctionConfig,
    plan: SweepPlan,
    *,
    costs_nothing: bool,
    reached_by: Sequence[str] = (),
    has_build: bool = False,
    prior: PriorEvidence | None = None,
    price: PriceOfDeciding | None = None,
) -> tuple[str, ...]:
    """Lines: the function, what will happen to it, and what that takes."""
    count = counted(plan.estimated_invocation_count, "invocation")
    free = " on AWS; nothing is billed here" if costs_nothing else ""
    return (
        describe_config(function, "local" if costs_nothing else function.region),
        _sizes(plan),
        *_payloads(plan),
        _isolation(plan, reached_by),
        "Every invocation really runs your code, with the function's own role.",
        *_wishes(plan, has_build=has_build),
        *_informed_by(prior),
        f"Plan: up to {count}, {_takes(plan)}{free}.",
        *(_few(plan) if prior is None else ()),
        *_against_its_bill(function, price),
    )


def _few(plan: SweepPlan) -> Iterator[str]:
    """What too few invocations for a third size can show."""
    if plan.method != "adaptive" or plan.resumed_from is not None or len(plan.sizes_mb) < 3:
        return
    if plan.max_invocations < 3 * (1 + len(plan.payloads)):
        count = counted(plan.max_invocations, "invocation")
        usual = " (about 10 usually do)" if len(plan.payloads) == 1 else ""
        yield (
            f"{count} can only compare two sizes: raise `max_invocations` to find the best "
            f"one{usual}."
        )


def _informed_by(prior: PriorEvidence | None) -> Iterator[str]:
    """What an earlier sweep will save."""
    if prior is None:
        return
    if prior.source == "observation":
        shape = ", and for the curve's shape" if prior.environments else ""
        yield f"Informed by {plain(prior.source_id)} for rate and cold starts{shape}."
        return
    which = f"the sweep {plain(prior.source_id)} of {plain(prior.started_at[:10])}"
    if all(map(prior.tells_level, prior.payloads)):
        yield f"Informed by {which}: the code is the same, so fewer invocations are needed."
    else:
        yield f"Informed by {which}, for the curve's shape only: the function has changed since."


def _against_its_bill(function: FunctionConfig, price: PriceOfDeciding | None) -> Iterator[str]:
    """How that compares with the function's present cost."""
    if price is None:
        return
    count = counted(f"{price.invocations_at_current:,.0f}", "invocation")
    text = f"That's the price of about {count} at {numbers.memory(function.memory_mb)}"
    if price.current_usd_per_month is not None and price.share_of_month is not None:
        month = numbers.usd(price.current_usd_per_month)
        text += f", {numbers.percent(price.share_of_month)} of a month's {month} at this rate"
    yield f"{text}."


def _isolation(plan: SweepPlan, reached_by: Sequence[str]) -> str:
    if plan.isolation != "clone":
        return (
            "$LATEST's memory changes briefly while test versions are published, then is restored; "
            f"the tag {SWEEP_TAG} marks the function meanwhile."
        )
    both = plan.varied is not None and plan.varied.is_architecture
    copies = "two temporary copies are" if both else "a temporary copy is"
    copy = f"{copies} measured; the live function is only read"
    if not reached_by:
        return f"{copy[0].upper()}{copy[1:]}."
    return f"Live traffic reaches $LATEST ({plain(', '.join(reached_by))}), so {copy}."


def _wishes(plan: SweepPlan, *, has_build: bool) -> Iterator[str]:
    if has_build:
        yield "The copy runs the build from `code` instead of the deployed code."
    if plan.resumed_from is not None:
        yield f"Resumes {plain(plan.resumed_from)}: what it measured and spent counts."
    if plan.once_each:
        yield "No event is sent twice."
    if plan.keep_payloads:
        yield "The events sent are kept in the sweep file."


def _sizes(plan: SweepPlan) -> str:
    sizes = ", ".join(map(str, plan.sizes_mb))
    if plan.method == "exhaustive":
        times = counted(plan.repetition_count, "time")
        return f"Sizes: {sizes} MB, each {times} plus cold starts."
    if plan.sizes_named:
        return f"Sizes: chosen as it goes, from {sizes} MB."
    low, high = min(plan.sizes_mb), max(plan.sizes_mb)
    return f"Sizes: chosen as it goes, from {len(plan.sizes_mb)} between {low} and {high} MB."


def _payloads(plan: SweepPlan) -> tuple[str, ...]:
    """The classes by name, and the values of a varied parameter; a single event needs no line."""
    if len(plan.payloads) < 2:
        return ()
    if plan.varied is not None and plan.varied.is_architecture:
        both = " and ".join(plan.varied.values)
        return (f"Architectures: {both}, each measured in its own copy with the same payloads.",)
    names = ", ".join(dict.fromkeys(each.class_name for each in plan.payloads))
    varied = plan.varied
    values = "" if varied is None else f"; with {varied.name} {', '.join(varied.values)}"
    return (f"Payloads: {plain(names)}{plain(values)}; each is tried first at the current size.",)


def subject(function: FunctionConfig, size: str) -> str:
    """A function's name, place, runtime and size, as short as a result begins with."""
    kind = f"{function.runtime or 'image'} {function.architecture}"
    return " · ".join(map(plain, (function.name, function.region, kind, size)))


def cost_line(plan: ColdPlan | LoadPlan, beside: str = "") -> str:
    """What it costs, as far as that's known, and at most; `beside` is what the first leaves out."""
    expected_usd = plan.expected_cost_usd
    about = "" if expected_usd is None else f"about {numbers.usd(expected_usd)}{beside}, "
    limit = "the budget" if plan.budget_usd == plan.max_cost_usd else "if all time out"
    return f"Cost: {about}at most {numbers.usd(plan.max_cost_usd)} ({limit})."


def describe_config(function: FunctionConfig, where: str) -> str:
    """One line: a function's name, place, runtime, size and code."""
    kind = f"{function.runtime or 'container image'} {function.architecture}"
    now, code = f"now {numbers.memory(function.memory_mb)}", f"code {function.code_sha256[:7]}"
    return " · ".join(map(plain, (function.name, where, kind, now, code)))


def _takes(plan: SweepPlan) -> str:
    """Time and cost: expected if the function's duration is known, otherwise what it could be."""
    about = "about" if plan.basis == "recent_duration" else "at most"
    text = (
        f"{about} {numbers.wall_time(plan.estimated_wall_s)} "
        f"and {numbers.usd(plan.estimated_cost_usd)}"
    )
    if plan.basis == "timeout":
        return f"{text} (if every call runs into its timeout; no recent duration is known)"
    if plan.max_cost_usd is not None:
        text += f", never more than {numbers.usd(plan.max_cost_usd)}"
    return text
