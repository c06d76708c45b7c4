"""Which functions are swept, and in which order."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tuner.fleet.planning import Candidate, Events, plan_items
from tuner.fleet.settings import AccountSettings, FleetSettings, FunctionSettings

AMOUNTS = st.floats(0.0001, 5.0)


def candidate(name: str, **given: Any) -> Candidate:
    return Candidate("111122223333", "eu-west-1", name, **given)


def plan(
    candidates: list[Candidate],
    settings: FleetSettings | None = None,
    *,
    budget_usd: float = 10.0,
    payloads: tuple[str, ...] = ("{}",),
    allowed: frozenset[str] = frozenset(),
) -> tuple[list[str], dict[str, str]]:
    items, excluded = plan_items(
        candidates,
        settings or FleetSettings(),
        events_of=lambda _, *, is_agreed: Events(payloads),
        allowed_side_effects=allowed,
        budget_usd=budget_usd,
    )
    return [each.name for each in items], {each.name: each.reason for each in excluded}


def test_what_is_worth_the_most_per_dollar_comes_first() -> None:
    """Order is by the saving a month for each dollar of a sweep; unknown worth comes last."""
    names, _ = plan(
        [
            candidate("unknown"),
            candidate("cheap", saving_usd_per_month=5.0, estimated_cost_usd=0.01),
            candidate("large", saving_usd_per_month=50.0, estimated_cost_usd=1.0),
        ]
    )
    assert names == ["cheap", "large", "unknown"]


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS, AMOUNTS), max_size=12), AMOUNTS)
def test_all_limits_together_are_within_the_budget(
    drawn: list[tuple[float, float, float]], budget_usd: float
) -> None:
    """Whatever is known of the functions, their sweeps' limits add up to at most the budget, and
    every function is either swept or left out with a reason.
    """
    fleet = [
        candidate(f"f{n}", saving_usd_per_month=s, estimated_cost_usd=c, worst_cost_usd=w)
        for n, (s, c, w) in enumerate(drawn)
    ]
    items, excluded = plan_items(
        fleet,
        FleetSettings(),
        events_of=lambda _, *, is_agreed: Events(("{}",)),
        allowed_side_effects=frozenset(),
        budget_usd=budget_usd,
    )
    assert sum(each.max_cost_usd for each in items) <= budget_usd + 1e-9
    assert {each.name for each in items} | {each.name for each in excluded} == {
        each.name for each in fleet
    }
    assert all(each.reason for each in excluded)


def test_every_exclusion_has_its_reason() -> None:
    """Answered by logs, left out by the file, beyond the budget, without a payload: all said."""
    settings = FleetSettings((FunctionSettings("old-*", exclude="is rewritten"),))
    fleet = [
        candidate("answered", answered="its logs answer already: keep"),
        candidate("old-thing"),
        candidate("dear", estimated_cost_usd=9.0, saving_usd_per_month=1.0),
    ]
    names, reasons = plan(fleet, settings, budget_usd=1.0)
    assert names == []
    assert reasons["answered"].startswith("its logs answer")
    assert reasons["old-thing"] == "is rewritten"
    assert "the budget ends before it" in reasons["dear"]
    _, reasons = plan([candidate("bare")], payloads=())
    assert "no payload is known" in reasons["bare"]


def test_side_effects_are_agreed_to_by_name_tag_or_file_only() -> None:
    """Nothing is agreed to wholesale: a name, a tag's value or the file's entry."""
    settings = FleetSettings(
        (FunctionSettings("filed", allows_side_effects=True),),
        (AccountSettings("111122223333", profile="p"),),
        side_effects_tag=("effects", "yes"),
    )
    fleet = [
        candidate("filed"),
        candidate("named"),
        candidate("tagged", tags={"effects": "yes"}),
        candidate("other", tags={"effects": "no"}),
    ]
    items, _ = plan_items(
        fleet,
        settings,
        events_of=lambda _, *, is_agreed: Events(("{}",)),
        allowed_side_effects=frozenset({"named"}),
        budget_usd=10.0,
    )
    assert {each.name for each in items if each.allows_side_effects} == {"filed", "named", "tagged"}
    assert {each.place.profile for each in items} == {"p"}


def test_a_files_own_payload_counts_before_the_one_for_all() -> None:
    """A function that the file names gets its own events, and nobody is asked for others."""
    settings = FleetSettings((FunctionSettings("own", payloads=("own.json",)),))
    items, _ = plan_items(
        [candidate("own")],
        settings,
        events_of=lambda _, *, is_agreed: Events(("all.json",)),
        allowed_side_effects=frozenset(),
        budget_usd=1.0,
    )
    assert items[0].payloads == ("own.json",)
