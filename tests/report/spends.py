"""A spend whose every figure is known, for tests of what is shown of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from tuner.model.finding import Finding
from tuner.model.interval import Interval
from tuner.model.spend import (
    BillCheck,
    BillDifference,
    CostChange,
    CostDay,
    Deployment,
    Earning,
    Movement,
    Spend,
)

FIRST = date(2026, 3, 1)
AT = datetime(2026, 3, 10, 14, 5, tzinfo=UTC)


def made_spend(*, hostile: str = "") -> Spend:
    """Twenty days of two functions; `hostile` is put into every foreign name."""
    search, mail = f"search{hostile}", f"mail{hostile}"
    deployed = Deployment(AT, search, f"42{hostile}", "version")
    days = []
    for number in range(20):
        day = FIRST + timedelta(days=number)
        days.append(CostDay(day, mail, 1000, 0.5))
        days.append(CostDay(day, search, 10_000, 10.0 if number < 10 else 12.0))
    change = CostChange(
        at=AT.replace(minute=0),
        earliest=AT - timedelta(hours=1),
        latest=AT + timedelta(hours=1),
        found_at=AT + timedelta(hours=5),
        function=search,
        key=search,
        cause=deployed,
        cost_usd_per_invocation_ratio=Interval(0.2, 0.18, 0.22),
        usd_per_month=Interval(60.8, 55.0, 67.0),
        invocations_per_day_before=10_000,
        invocations_per_day_after=15_000,
    )
    unknown = CostChange(
        at=datetime(2026, 3, 15, 2, tzinfo=UTC),
        earliest=datetime(2026, 3, 15, 1, tzinfo=UTC),
        latest=datetime(2026, 3, 15, 6, tzinfo=UTC),
        found_at=datetime(2026, 3, 15, 8, tzinfo=UTC),
        function=mail,
        key=mail,
        cause=None,
        cost_usd_per_invocation_ratio=Interval(-0.1, -0.13, -0.07),
        usd_per_month=Interval(-1.5, -2.0, -1.0),
        invocations_per_day_before=1000,
        invocations_per_day_after=1020,
    )
    return Spend(
        by="function",
        first_at=datetime(2026, 3, 1, tzinfo=UTC),
        last_at=datetime(2026, 3, 21, tzinfo=UTC),
        keys=(search, mail),
        days=tuple(days),
        deploys=(Deployment(AT - timedelta(days=2), None, f"v1{hostile}", "git"), deployed),
        changes=(change, unknown),
        movements=(Movement(search, 10.0, 12.0, 0.5, 1.5), Movement(mail, 0.5, 0.5, 0.0, 0.0)),
        revenue=(
            Earning(search, 220.0, 4400.0, Interval(0.3, 0.1, 0.5)),
            Earning(mail, 10.0, None),
        ),
        bill=BillCheck(
            FIRST,
            FIRST + timedelta(days=19),
            200.0,
            230.0,
            (BillDifference("price", -33.0, "off"), BillDifference("other_items", 3.0, "more")),
            0.85,
        ),
        findings=(Finding("untagged", "warning", f"2 functions have no tag{hostile}"),),
        assumptions=("architecture x86_64",),
        prices_as_of="2026-11-01",
        region="us-east-1",
    )
