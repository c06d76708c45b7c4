"""Fresh environments on purpose: what is published and sent, and what ends it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from tests.sweeps import made_function
from tuner.cold.plan import ColdPlan, plan_cold
from tuner.cold.probe import Measured, Probe
from tuner.errors import LostReplyError, ThrottledError, UsageError
from tuner.lease.window import Publication, PublishedSize
from tuner.load.io import LoadIO
from tuner.model.invocation import InvokeReply
from tuner.model.payload import Payload
from tuner.model.request import Measure
from tuner.pricing import load_price_book
from tuner.report import numbers
from tuner.report.cold import describe_plan
from tuner.sweep.estimate import Pricing
from tuner.sweep.io import StopSignal
from tuner.sweep.limits import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

PRICING = Pricing(
    made_function(memory_mb=1024), load_price_book().lambda_prices("us-east-1", "x86_64")
)
INIT_TIMEOUT = "INIT_REPORT Init Duration: 10004.51 ms\tPhase: init\tStatus: timeout\n"


@dataclass
class Account:
    """Publishes as Lambda does, and keeps idle environments of each version."""

    failure: Callable[[int, int], Exception | str | None] = lambda _mb, _call: None
    before: str = ""
    cap_mb: int | None = None
    function_name: str = "hello"
    code_sha256: str = ""
    findings: list = field(default_factory=list)
    published: list[tuple[int, ...]] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    warm: set[str] = field(default_factory=set)
    last_mb: int | None = None
    call_count: int = 0

    def publish(
        self, sizes_mb: Sequence[int], stop_requested: Callable[[], bool] = lambda: False
    ) -> Publication:
        self.published.append(tuple(sizes_mb))
        made = []
        for size in sorted(sizes_mb, key=lambda mb: (mb != 1024, mb)):
            if self.cap_mb is not None and size > self.cap_mb:
                return Publication(tuple(made), self.cap_mb)
            is_new = size != self.last_mb
            number = str(len(self.versions) + is_new)
            self.versions[number], self.last_mb = size, size
            made.append(PublishedSize(size, number, is_new))
        return Publication(tuple(made))

    def invoke(self, function: str, version: str, payload: bytes, *, timeout_s: int) -> InvokeReply:
        self.call_count += 1
        memory_mb = self.versions[version]
        failure = self.failure(memory_mb, self.call_count)
        if isinstance(failure, Exception):
            raise failure
        init = "" if version in self.warm else "\tInit Duration: 300.00 ms"
        self.warm.add(version)
        if INIT_TIMEOUT in self.before:
            init = ""
        log = (
            f"{self.before}REPORT RequestId: r\tDuration: 20.00 ms\tBilled Duration: 320 ms"
            f"\tMemory Size: {memory_mb} MB\tMax Memory Used: 50 MB{init}\n"
        )
        error = f'{{"errorType": "{failure}", "errorMessage": ""}}'.encode() if failure else b"1"
        return InvokeReply(
            200, "Unhandled" if failure else None, error, log, version, 20.0, request_id="r"
        )

    def find_log(self, function: str, request_id: str) -> None: ...

    def count_dropped_as_recursive(self, function: str, since: datetime) -> None: ...


def measured(
    account: Account, plan: ColdPlan, *, most: int = 1000, stop: StopSignal | None = None
) -> Measured:
    clock = iter(range(10**9))
    io = LoadIO(
        account, lambda: next(clock) / 1000, stop or StopSignal(), aside=lambda work: work()
    )
    ledger = Ledger(budget_usd=plan.budget_usd, max_invocations=most)
    found = Measured()
    Probe(plan, account, [Payload("event", b"{}")], ledger, io, measured=found).run()
    return found


def planned(*sizes_mb: int, samples: int = 3, budget_usd: float | None = None) -> ColdPlan:
    return ColdPlan(sizes_mb, sizes_mb, PRICING, samples, 1, budget_usd)


@pytest.mark.parametrize("sizes_mb", [(1024,), (512, 1024), (1024, 2048), (512, 1024, 2048)])
def test_every_size_gets_its_cold_starts(sizes_mb: tuple[int, ...]) -> None:
    """Though Lambda makes no new version of what was published last; warm ones are of the
    function's own size alone.
    """
    account = Account()
    found = measured(account, planned(*sizes_mb))
    assert {mb: len(found.cold_at(mb)) for mb in sizes_mb} == dict.fromkeys(sizes_mb, 3)
    assert {each.memory_mb for each in found.warm} == {1024}
    assert len(found.warm) == 12
    assert account.call_count == found.sent_count == 3 * len(sizes_mb) + 12
    assert found.end == "complete"


def test_a_version_that_was_there_before_is_not_invoked() -> None:
    """The owner's own version is what Lambda answers first: it may be warm, and live."""
    account = Account(last_mb=1024, versions={"1": 1024})
    found = measured(account, planned(1024))
    assert len(found.cold_at(1024)) == 3
    assert "1" not in account.warm


def test_a_size_that_fails_is_left_out_and_the_rest_goes_on() -> None:
    """With its reason; nothing more is sent to it."""
    account = Account(lambda mb, _: "Runtime.OutOfMemory" if mb == 128 else None)
    found = measured(account, planned(128, 1024))
    assert found.cold_at(128) == []
    assert len(found.cold_at(1024)) == 3
    assert sum(mb == 128 for window in account.published for mb in window) == 1
    assert [each.code for each in found.findings] == ["size_failed"]


def test_an_error_now_and_then_leaves_no_size_out() -> None:
    """Every fifth invocation fails: the others are samples, and the errors are counted."""
    account = Account(lambda _mb, call: None if call % 5 else "ValueError")
    found = measured(account, planned(512, 1024))
    assert len(found.cold_at(512)) == len(found.cold_at(1024)) == 3
    assert found.errors["ValueError"] == account.call_count // 5
    assert not found.findings


def test_a_size_whose_handler_always_fails_is_left_out_after_two() -> None:
    """One may be chance."""
    account = Account(lambda mb, _: "ValueError" if mb == 512 else None)
    found = measured(account, planned(512, 1024))
    assert found.errors == {"ValueError": 2}
    assert [each.code for each in found.findings] == ["size_failed"]
    assert len(found.cold_at(1024)) == 3


def test_a_throttled_request_is_made_good_later() -> None:
    """In another window: it ran nothing."""
    account = Account(lambda _mb, call: ThrottledError("slow down") if call == 1 else None)
    found = measured(account, planned(512, 1024))
    assert len(found.cold_at(512)) == len(found.cold_at(1024)) == 3


def test_an_init_over_the_limit_is_no_sample() -> None:
    """Lambda ran it again in the invocation: its Duration is no warm one."""
    found = measured(Account(before=INIT_TIMEOUT), planned(1024))
    assert found.cold == found.warm == []
    assert found.init_timeouts > 0
    assert "INIT takes over 10 s" in found.findings[0].message


def test_nothing_exceeds_the_account_or_the_limits() -> None:
    """Sizes above the account's own limit are left out; invocations end at theirs."""
    account = Account(cap_mb=3008)
    found = measured(account, planned(1024, 4096))
    assert len(found.cold_at(1024)) == 3
    assert found.cold_at(4096) == []
    limited = Account()
    measured(limited, planned(512, 1024), most=7)
    assert limited.call_count == 7


def test_the_budget_and_a_stop_end_it() -> None:
    """What was measured stays; a lost reply counts as spent."""
    worst_usd = PRICING.worst_cost_usd(1024)
    found = measured(Account(), planned(1024, budget_usd=worst_usd * 0.9))
    assert (found.end, found.sent_count) == ("budget", 0)
    stop = StopSignal()

    def stops(_mb: int, call: int) -> None:
        if call == 4:
            stop.request()

    account = Account(stops)
    found = measured(account, planned(512, 1024), stop=stop)
    assert found.end == "interrupted"
    assert account.call_count == 4
    lost = measured(
        Account(lambda _mb, call: LostReplyError("gone") if call == 1 else None), planned(1024)
    )
    assert lost.cost_usd > worst_usd


@pytest.mark.parametrize(
    ("measure", "current_mb", "most_mb", "sizes_mb"),
    [
        (Measure(), 128, None, (128, 3008)),
        (Measure(), 512, 3538, (256, 512, 3008)),
        (Measure(), 10240, None, (3008, 10240)),
        (Measure(max_memory_mb=1024), 512, None, (256, 512, 1024)),
        (Measure(min_memory_mb=400, max_memory_mb=2000), 1024, None, (512, 1024, 2000)),
        (Measure(min_memory_mb=2000), 1024, None, (1024, 3008)),
    ],
)
def test_a_few_sizes_of_a_range_are_measured(
    measure: Measure, current_mb: int, most_mb: int | None, sizes_mb: tuple[int, ...]
) -> None:
    """The function's own, half of it, and the largest of the range."""
    pricing = replace(PRICING, function=made_function(memory_mb=current_mb))
    found = plan_cold(
        pricing, measure, at_once=8, most_mb=most_mb, max_invocations=None, budget_usd=None
    )
    assert found.sizes_mb == sizes_mb


def test_what_is_agreed_to_covers_what_is_sent_again() -> None:
    """Requests that meet a warm environment are repeated: their cost is in the most it may take."""
    plan = plan_cold(
        PRICING, Measure(), at_once=8, most_mb=None, max_invocations=None, budget_usd=None
    )
    worst = {mb: PRICING.worst_cost_usd(mb) for mb in plan.sizes_mb}
    planned_usd = 5 * sum(worst.values()) + 10 * worst[1024]
    assert plan.max_cost_usd == pytest.approx(planned_usd + 6 * worst[3008])
    [_, said, cost] = describe_plan(plan, costs_nothing=False)
    assert "25 invocations, 31 at most where some meet a warm environment" in said
    assert "invoked 5 at a time" in said
    assert numbers.usd(plan.max_cost_usd) in cost
    within = replace(plan, max_invocations=25)
    assert within.max_cost_usd == pytest.approx(planned_usd)
    assert "at most" not in "".join([*describe_plan(within, costs_nothing=True)])


def test_a_plan_within_limits() -> None:
    """Fewer samples where fewer invocations are allowed; sizes by range or by name."""
    usual = plan_cold(
        PRICING, Measure(), at_once=8, most_mb=None, max_invocations=None, budget_usd=None
    )
    assert usual.sizes_mb == (512, 1024, 3008)
    assert set(usual.sizes_mb) <= set(usual.shown_mb)
    assert (usual.invocation_count, usual.window_count) == (25, 1)
    assert usual.most_invocations == 31
    few = plan_cold(
        PRICING, Measure(), at_once=2, most_mb=None, max_invocations=20, budget_usd=None
    )
    assert few.invocation_count <= 20
    assert few.window_count == 1
    named = Measure(memory_sizes_mb=(512,))
    assert plan_cold(
        PRICING, named, at_once=1, most_mb=3538, max_invocations=None, budget_usd=None
    ).sizes_mb == (512, 1024)
    with pytest.raises(UsageError, match="at most 1769 MB"):
        plan_cold(
            PRICING,
            Measure(memory_sizes_mb=(2048,)),
            at_once=1,
            most_mb=1769,
            max_invocations=None,
            budget_usd=None,
        )
