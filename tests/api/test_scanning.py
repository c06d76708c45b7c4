"""A scan of an account at the wire: truth, prices, what's missing, and going on after an end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws.known_functions import REGION, Truth, large_account
from tests.aws.scripted_account import ScriptedAccount
from tests.aws.wire import Reply, WireServer
from tuner.api.reading import Caller
from tuner.api.scanning import ScanRequest, scan_account
from tuner.aws.reading_policy import least_reading_policy
from tuner.errors import AccessDeniedError, NotAgreedError
from tuner.observe.scanning import advise_function
from tuner.pricing import load_price_book

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.aws.wire import Received
    from tuner.model.account import ReadingCost
    from tuner.model.scan import Scan, ScannedFunction

NOW = datetime(2026, 11, 30, 0, 20, tzinfo=UTC)
HOURS_PER_MONTH = 730
QUICK = ScanRequest((REGION,), days=1)
"""Fewer data points, where the figures don't matter."""


@pytest.fixture
def wire() -> Iterator[WireServer]:
    with WireServer() as server:
        yield server


@pytest.fixture
def scan(wire: WireServer, tmp_path: Path) -> Callable[..., Scan]:
    """Scan an account of these functions."""

    def run(account: ScriptedAccount, **given: Any) -> Scan:
        wire.answer = account.answer
        asked = given.pop("request", ScanRequest((REGION,)))
        names = {"state_dir", "now", "agree", "tell", "sleep"} & given.keys()
        caller = Caller(
            **{
                "state_dir": tmp_path,
                "now": NOW,
                "agree": lambda _: True,
                **{name: given.pop(name) for name in names},
            }
        )
        given.setdefault("advise", None)  # it takes most of the time
        return scan_account(replace(asked, endpoint_url=wire.url), caller, **given)

    return run


def by_name(found: Scan) -> dict[str, ScannedFunction]:
    return {each.function.name: each for each in found.functions}


def test_costs_are_those_of_every_billed_millisecond(scan: Callable[..., Scan]) -> None:
    """By hand: requests and billed GB-seconds of 14 days, scaled to 730 hours."""
    truth = Truth("resize", memory_mb=512, daily_count=1000, warm_ms=120, cold_count=10)
    other = Truth("send", architecture="arm64", memory_mb=1024, timeout_count=20)
    found = scan(ScriptedAccount([truth, other]))
    prices = load_price_book().lambda_prices(REGION, "x86_64")
    billed_ms = 14 * (990 * 120 + 10 * (120 + 300))
    gb_second = float(prices.duration_tiers[0].price_usd_per_gb_second)
    cost = 14_000 * float(prices.request_price_usd) + billed_ms / 1000 * 0.5 * gb_second
    resize = by_name(found)["resize"]
    assert resize.cost_usd_per_month == pytest.approx(cost * HOURS_PER_MONTH / (14 * 24))
    assert (resize.invocation_count, resize.cost_basis) == (14_000, "reports")
    assert resize.mean_ms == pytest.approx(120)
    assert resize.cold_start_share == pytest.approx(0.01)
    assert by_name(found)["send"].timeout_count == 280
    assert found.total_cost_usd_per_month == pytest.approx(
        sum(each.cost_usd_per_month or 0 for each in found.functions)
    )


def test_one_query_reads_fifty_groups_and_idle_functions_none(scan: Callable[..., Scan]) -> None:
    """Of 240 functions a third isn't invoked: four queries, and a question for each that idles."""
    account = ScriptedAccount(large_account(240))
    found = scan(account, request=QUICK)
    assert len(found.functions) == 240
    assert account.calls["StartQuery"] == 4
    assert account.calls["ListFunctions"] == 5
    assert account.calls["ListProvisionedConcurrencyConfigs"] == 80 + 3
    idle = by_name(found)["function-00000"]
    assert (idle.invocation_count, idle.cost_usd_per_month) == (0, 0.0)
    assert [each.code for each in idle.findings] == ["function_idle"]


def test_the_price_is_said_before_and_after(scan: Callable[..., Scan]) -> None:
    """Before: the groups' bytes times their share of days. After: what queries scanned."""
    asked: list[ReadingCost] = []

    def agree(cost: ReadingCost) -> bool:
        asked.append(cost)
        return True

    found = scan(
        ScriptedAccount([Truth("a", stored_bytes=10**12), Truth("b", stored_bytes=10**12)]),
        agree=agree,
    )
    [before] = asked
    assert before.log_bytes == pytest.approx(2 * 10**12 * 14 / 100, rel=0.02)
    assert before.query_usd == pytest.approx(before.log_bytes / 1e9 * 0.005)
    assert (before.metric_count, before.metric_usd) == (10, pytest.approx(0.0001))
    assert found.cost is not None
    assert found.cost.query_usd == pytest.approx(0.28 * 5, rel=0.01)


def test_without_agreement_nothing_is_queried(scan: Callable[..., Scan]) -> None:
    """A no ends it before the first query."""
    account = ScriptedAccount([Truth("a")])
    with pytest.raises(NotAgreedError):
        scan(account, agree=lambda _: False)
    assert account.calls["StartQuery"] == 0


def test_what_cannot_be_read_is_told_and_the_rest_is_answered(scan: Callable[..., Scan]) -> None:
    """A denied group, none, a class without queries, a log level without reports."""
    account = ScriptedAccount(
        [
            Truth("fine"),
            Truth("denied", denied=True),
            Truth("new", has_group=False),
            Truth("delivered", log_class="DELIVERY"),
            Truth("quiet", json_warn=True),
            Truth("short", retention_days=7),
        ]
    )
    found = by_name(whole := scan(account))
    for name, words in (
        ("denied", "logs:StartQuery"),
        ("new", "has no log group /aws/lambda/new"),
        ("delivered", "of the class DELIVERY, which no query can read"),
        ("quiet", "SystemLogLevel WARN, which has no reports"),
    ):
        [finding] = found[name].findings
        assert (finding.code, words in finding.message) == ("logs_not_read", True), name
        assert "\n" not in finding.message
        assert found[name].cost_basis == "metrics"
        assert found[name].advice is not None
        assert found[name].advice.verdict == "unknown"
    assert found["fine"].findings == ()
    [short] = [each for each in whole.findings if each.code == "retention_short"]
    assert "1 function are kept for 7 days" in short.message
    assert found["short"].cost_usd_per_month == pytest.approx(found["fine"].cost_usd_per_month)


def test_a_log_without_reports_is_not_taken_for_one_that_was_not_read(
    scan: Callable[..., Scan],
) -> None:
    """Where metrics don't tell either whether a function ran, what was found is said."""

    class Unmetered(ScriptedAccount):
        def _GetMetricData(self, received: Received) -> Reply:  # noqa: N802
            return Reply(body={"MetricDataResults": []})

    [found] = scan(Unmetered([Truth("silent", daily_count=0)])).functions
    assert found.advice is not None
    assert found.advice.reason == "its log has no report of the window"
    [finding] = found.findings
    assert (finding.code, finding.message) == ("logs_not_read", found.advice.reason)


def test_a_denied_group_costs_the_others_nothing(scan: Callable[..., Scan]) -> None:
    """The query of sixty groups is halved until the one that may not be read is alone."""
    functions = [Truth(f"f{number:02}", denied=number == 17) for number in range(60)]
    found = by_name(scan(ScriptedAccount(functions), request=QUICK))
    assert {name for name, each in found.items() if each.cost_basis == "metrics"} == {"f17"}


def test_an_interrupted_scan_goes_on_and_pays_for_nothing_twice(
    scan: Callable[..., Scan], tmp_path: Path
) -> None:
    """Stopped after its second query, it asks for the third alone; then the journal is gone."""
    functions = [Truth(f"f{number:03}") for number in range(150)]
    account = ScriptedAccount(functions)
    whole = scan(account, request=QUICK)
    calls = dict(account.calls)
    told: list[str] = []

    def stop(line: str) -> None:
        told.append(line)
        if "100 of 150" in line:
            raise KeyboardInterrupt

    account = ScriptedAccount(functions)
    with pytest.raises(KeyboardInterrupt):
        scan(account, request=QUICK, tell=stop)
    [journal] = (tmp_path / "scans").iterdir()
    assert journal.stat().st_mode & 0o777 == 0o600
    assert "secret" not in journal.read_text()
    again = scan(account, request=QUICK, tell=told.append, now=NOW + timedelta(hours=3))
    assert any("resuming the scan that began at 00:20 UTC" in line for line in told)
    assert dict(account.calls)["StartQuery"] == calls["StartQuery"] == 3
    assert dict(account.calls)["ListFunctions"] == calls["ListFunctions"]
    assert (again.functions, again.window) == (whole.functions, whole.window)
    assert list((tmp_path / "scans").iterdir()) == []


def test_a_scan_that_is_to_begin_anew_asks_everything_again(scan: Callable[..., Scan]) -> None:
    """What was kept of one that was interrupted isn't taken."""
    account = ScriptedAccount([Truth("a")])
    with pytest.raises(NotAgreedError):
        scan(account, request=QUICK, agree=lambda _: False)
    scan(account, request=replace(QUICK, restart=True))
    assert account.calls["ListFunctions"] == 2


def test_a_region_that_cannot_be_read_is_told_unless_it_is_the_only_one(
    scan: Callable[..., Scan], wire: WireServer, tmp_path: Path
) -> None:
    """With others the answer goes without it; alone it is the error."""
    account = ScriptedAccount([Truth("a")])
    denied = Reply(403, {"Message": "no"}, {"x-amzn-ErrorType": "AccessDeniedException"})

    def answer(received: Any) -> Reply:
        scope = received.headers.get("authorization", "")
        return denied if "us-east-1" in scope else account.answer(received)

    def run(*regions: str) -> Scan:
        wire.answer = answer
        asked = ScanRequest(regions, endpoint_url=wire.url)
        return scan_account(asked, Caller(tmp_path, NOW, lambda _: True))

    found = run(REGION, "us-east-1")
    assert [each.function.region for each in found.functions] == [REGION]
    [missing] = [each for each in found.findings if each.code == "not_read"]
    assert "us-east-1: access denied: lambda:ListFunctions" in missing.message
    with pytest.raises(AccessDeniedError, match="lambda:ListFunctions"):
        run("us-east-1")


def test_a_region_without_prices_is_told_once(scan: Callable[..., Scan]) -> None:
    """Its functions are listed with what they did, without cost and without a guess."""

    class Elsewhere(ScriptedAccount):
        def answer(self, received: Any) -> Reply:
            reply = super().answer(received)
            body = reply.content.replace(REGION.encode(), b"eu-west-9")
            return Reply(reply.status, body, reply.headers)

    account = Elsewhere([Truth("a"), Truth("b")])
    found = scan(account, request=ScanRequest(("eu-west-9",)))
    assert [each.cost_usd_per_month for each in found.functions] == [None, None]
    assert found.total_cost_usd_per_month is None
    [finding] = [each for each in found.findings if each.code == "region_unpriced"]
    assert "no Lambda price is known for region 'eu-west-9'" in finding.message
    assert found.functions[0].invocation_count == 14_000


def test_provisioned_environments_that_idle_are_priced(scan: Callable[..., Scan]) -> None:
    """By hand: four of five of 1 GB, and all five where nothing was invoked."""
    account = ScriptedAccount(
        [
            Truth("used", provisioned=(("live", 5, 0.2),)),
            Truth("idle", daily_count=0, provisioned=(("live", 5, None),)),
            Truth("busy", provisioned=(("live", 5, 0.8),)),
        ]
    )
    found = by_name(scan(account))
    price = load_price_book().lambda_prices(REGION, "x86_64")
    gb_month = float(price.provisioned_idle_price_usd_per_gb_second) * 730 * 3600
    assert found["used"].provisioned[0].idle_usd_per_month == pytest.approx(4 * gb_month)
    assert found["idle"].provisioned[0].idle_usd_per_month == pytest.approx(5 * gb_month)
    codes = {name: [finding.code for finding in each.findings] for name, each in found.items()}
    assert codes["used"] == ["provisioned_idle"]
    assert codes["busy"] == []


def test_compute_optimizers_finding_stands_beside(scan: Callable[..., Scan]) -> None:
    """Where it's on; where it's off that is told once."""
    over = ("NotOptimized", ("MemoryOverprovisioned",), 512, 3.0)
    functions = [Truth("a", optimizer=over), Truth("large", memory_mb=3008)]
    found = by_name(scan(ScriptedAccount(functions)))
    view = found["a"].optimizer
    assert view is not None
    assert view.finding is not None
    assert (view.finding.recommended_mb, view.finding.saving_usd_per_month) == (512, 3.0)
    large = found["large"].optimizer
    assert large is not None
    assert (large.agreement, "1,792 MB" in large.why) == ("blind", True)
    off = scan(ScriptedAccount(functions, optimizer_on=False))
    assert [each.optimizer for each in off.functions] == [None, None]
    assert [each.code for each in off.findings].count("optimizer_off") == 1


def test_nothing_of_a_function_s_environment_is_kept(
    scan: Callable[..., Scan], tmp_path: Path
) -> None:
    """The list of functions comes with their variables; neither answer nor journal has them."""
    account = ScriptedAccount([Truth("a")])
    with pytest.raises(NotAgreedError):
        scan(account, agree=lambda _: False)
    kept = "".join(file.read_text() for file in (tmp_path / "scans").iterdir())
    assert '"name":"a"' in kept
    assert "a secret" not in kept + repr(scan(account))


def test_the_policy_has_what_a_scan_calls_and_nothing_else(scan: Callable[..., Scan]) -> None:
    """Every call is allowed by `tuner iam-policy --for scan`, and every action is called."""
    account = ScriptedAccount(
        [
            Truth("a", provisioned=(("live", 5, 0.2),), optimizer=("Optimized", (), None, 0.0)),
            Truth("b", memory_before=(512, 1), versioned=True),
        ]
    )
    scan(account, request=replace(QUICK, days=2))
    services = {"Insights": "logs", "Query": "logs", "LogGroups": "logs", "Metric": "cloudwatch",
                "Recommendations": "compute-optimizer"}  # fmt: skip
    called = {
        f"{next((s for word, s in services.items() if word in name), 'lambda')}:{name}"
        for name in account.calls
    }
    statements = least_reading_policy("scan")["Statement"]
    assert called == {each["Action"] for each in statements}


def test_advice_ranks_what_would_save_the_most_first(scan: Callable[..., Scan]) -> None:
    """By the expected saving of a month, with its interval; an idle function has none."""
    account = ScriptedAccount(
        [
            Truth("idle", daily_count=0),
            Truth("small", daily_count=1000),
            Truth("large", memory_mb=3008, daily_count=500_000, warm_ms=900.0),
        ]
    )
    found = scan(account, request=QUICK, advise=advise_function)
    assert [each.function.name for each in found.functions] == ["large", "small", "idle"]
    large = found.functions[0].advice
    assert large is not None
    assert large.verdict in ("resize", "sweep")
    assert large.saving_usd_per_month is not None
    idle = found.functions[-1].advice
    assert idle is not None
    assert (idle.verdict, idle.reason) == ("unknown", "it wasn't invoked")
