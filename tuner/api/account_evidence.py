"""Combines what was read about each function of a region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuner.model.scan import FunctionEvidence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tuner.api.log_queries import LogQueries, QueryPlan
    from tuner.api.region_reader import RegionReader
    from tuner.model.account import AccountFunction, FunctionMetrics


def evidence_of(
    reader: RegionReader,
    queries: LogQueries,
    plan: QueryPlan,
    functions: Sequence[AccountFunction],
    metrics: Mapping[str, FunctionMetrics],
) -> tuple[tuple[FunctionEvidence, ...], bool]:
    """Read the rest, and put together what is known of each; whether Compute Optimizer was asked.

    A function that ran, whose log could be read and had no report, is told as unread.
    """
    found, refused = queries.day_sums(functions)
    digests = reader.code_digests(found)
    cpu = queries.processor_times(functions)
    provisioned = reader.provisioned(functions, metrics)
    optimizer = reader.optimizer()
    made = []
    for each in functions:
        name, sums = each.name, found.get(each.name)
        unread = plan.unread.get(name) or refused.get(name)
        ran = name in metrics and metrics[name].invocation_count
        if plan.with_logs and unread is None and ran and not sums:
            unread = (
                "its log has no report of the window: its cost is based on CloudWatch's durations"
            )
        is_idle = name in metrics and not ran
        made.append(
            FunctionEvidence(
                function=each,
                metrics=metrics.get(name),
                days=tuple(sums or ()) if is_idle or (sums and unread is None) else None,
                optimizer=(optimizer or {}).get(name),
                provisioned=provisioned.get(name, ()),
                unread=unread,
                kept_days=plan.kept_days.get(name),
                digests=digests.get(name, ()),
                processor_ms=cpu.get(name, ()),
            )
        )
    return tuple(made), optimizer is not None
