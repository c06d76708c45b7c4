"""What a fleet's status tells."""

from __future__ import annotations

from tests.fleet.fleets import items, plan_of
from tuner.model.fleet import FleetProgress, FleetStatus
from tuner.report.fleet import render_status


def test_failures_of_one_reason_are_one_line() -> None:
    """Hundreds of functions that fail alike are told as such, not one by one; so is an account
    that can't be reached.
    """
    fleet = items(300)
    progress = (
        *(FleetProgress(each, "failed", "the role may not do that") for each in fleet[:200]),
        *(FleetProgress(each, "pending", "credentials have expired") for each in fleet[200:]),
    )
    text = render_status(
        FleetStatus(plan_of(fleet), "stopped", progress), width=100, encoding="utf-8"
    )
    assert "f000, f001, f002 and 197 more: the role may not do that" in text
    assert "111122223333 eu-west-1: 100 functions wait: credentials have expired" in text
    assert text.count("the role may not") == text.count("have expired") == 1
