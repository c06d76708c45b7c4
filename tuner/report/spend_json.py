"""Where the money goes, as the JSON object that is promised to machines."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tuner.report.json import SCHEMA_VERSION, findings_json, interval_json
from tuner.report.spend import assumed

if TYPE_CHECKING:
    import datetime

    from tuner.model.spend import BillCheck, CostChange, Deployment, Earning, Spend


def to_json(answer: Spend) -> dict[str, Any]:
    """Return the contract's object: times are UTC, ratios are after over before, less 1."""
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "spend",
        "by": answer.by,
        "region": answer.region,
        "window": {"from": _time(answer.first_at), "to": _time(answer.last_at)},
        "cost_usd": answer.cost_usd,
        "invocation_count": answer.invocation_count,
        "days": [
            {
                "day": each.day.isoformat(),
                "key": each.key,
                "invocation_count": each.invocation_count,
                "cost_usd": each.cost_usd,
                "cost_usd_per_million": each.cost_usd_per_million,
            }
            for each in answer.days
        ],
        "movements": [asdict(each) for each in answer.movements],
        "deploys": [_deployment(each) for each in answer.deploys],
        "changes": [_change(each) for each in answer.changes],
        "revenue": [_earning(each) for each in answer.revenue],
        "bill": None if answer.bill is None else _bill(answer.bill),
        "findings": findings_json(answer.findings),
        "assumptions": list(assumed(answer)),
        "prices": {"as_of": answer.prices_as_of, "region": answer.region},
    }


def _deployment(deployment: Deployment) -> dict[str, Any]:
    return {
        "at": _time(deployment.at),
        "function": deployment.function,
        "version": deployment.version,
        "source": deployment.source,
    }


def _change(change: CostChange) -> dict[str, Any]:
    return {
        "at": _time(change.at),
        "earliest": _time(change.earliest),
        "latest": _time(change.latest),
        "found_at": _time(change.found_at),
        "function": change.function,
        "key": change.key,
        "cause": None if change.cause is None else _deployment(change.cause),
        "cost_usd_per_invocation_ratio": interval_json(change.cost_usd_per_invocation_ratio),
        "usd_per_month": interval_json(change.usd_per_month),
        "invocations_per_day_before": change.invocations_per_day_before,
        "invocations_per_day_after": change.invocations_per_day_after,
    }


def _earning(earning: Earning) -> dict[str, Any]:
    return {
        "key": earning.key,
        "cost_usd": earning.cost_usd,
        "revenue_usd": earning.revenue_usd,
        "cost_usd_per_revenue_usd": earning.cost_usd_per_revenue_usd,
        "cost_growth_ratio": interval_json(earning.cost_growth_ratio),
    }


def _bill(bill: BillCheck) -> dict[str, Any]:
    return {
        "from": bill.first_day.isoformat(),
        "to": bill.last_day.isoformat(),
        "billed_usd": bill.billed_usd,
        "observed_usd": bill.observed_usd,
        "differences": [asdict(each) for each in bill.differences],
        "effective_price_ratio": bill.effective_price_ratio,
    }


def _time(at: datetime.datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}Z"
