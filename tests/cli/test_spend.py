"""`tuner spend` on archives whose truth is known: the change, its deployment, its money."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.running import run_here
from tests.observe.archives import Call, steady, write_archive

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

pytest.importorskip("duckdb")

STEP_HOUR = 20 * 24 + 14.0
USD_PER_MS = 1.66667e-8
DAYS = 28


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Version 2 of `search` takes 30% longer from the 21st day on; `mail` never changes."""
    step = (STEP_HOUR, 1.3, "2", 1024)
    return write_archive(
        tmp_path_factory.mktemp("archive") / "logs",
        {
            "search": steady(days=DAYS, per_day=400, billed_ms=200, seed=1, step=step),
            "mail": steady(days=DAYS, per_day=100, billed_ms=90, seed=2),
        },
    )


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture
def spend(archive: Path, state: Path) -> Any:
    def ran(*arguments: str, logs: Path = archive) -> subprocess.CompletedProcess[str]:
        return run_here("spend", "--logs", str(logs), *arguments, XDG_STATE_HOME=str(state))

    return ran


def answer(ran: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_the_change_is_found_with_its_deployment_and_its_money(spend: Any) -> None:
    """+30% of 200 ms at 1 GB, 400 times a day: the truth lies in both intervals."""
    found = answer(spend("--json"))
    [change] = found["changes"]
    assert (change["function"], change["at"]) == ("search", "2026-03-21T14:00:00Z")
    assert change["cause"]["version"] == "2"
    assert change["cause"]["source"] == "version"
    before = 2e-7 + 200 * USD_PER_MS
    more = 60 * USD_PER_MS
    ratio, money = change["cost_usd_per_invocation_ratio"], change["usd_per_month"]
    assert ratio["low"] < more / before < ratio["high"]
    assert money["low"] < more * 400 * 730 / 24 < money["high"]
    assert [each["version"] for each in found["deploys"]] == ["2"]


def test_days_add_up_to_what_the_lines_cost(spend: Any, archive: Path) -> None:
    """By function and day; the whole is their sum, the costliest key has most of it."""
    found = answer(spend("--json"))
    assert found["cost_usd"] == pytest.approx(sum(each["cost_usd"] for each in found["days"]))
    assert found["invocation_count"] == DAYS * 500
    assert {each["key"] for each in found["days"]} == {"search", "mail"}
    [movement] = [each for each in found["movements"] if each["key"] == "search"]
    moved = movement["after_usd_per_day"] - movement["before_usd_per_day"]
    assert moved == pytest.approx(movement["traffic_usd_per_day"] + movement["price_usd_per_day"])
    assert movement["price_usd_per_day"] == pytest.approx(400 * 60 * USD_PER_MS, rel=0.1)


def test_features_are_the_tags_and_earn_revenue(spend: Any, tmp_path: Path) -> None:
    """Costs by the tag's value, its revenue beside, a feature that nobody has in one line."""
    (tmp_path / "tags.csv").write_text("function,feature\nsearch,find\n")
    lines = [f"2026-03-{day:02d},find,10" for day in range(1, 29)]
    lines += ["2026-03-01,find,10", "2026-03-01,fnid,5"]
    (tmp_path / "revenue.csv").write_text("\n".join(["day,feature,revenue", *lines]))
    ran = spend("--by", "tag:feature", "--tags", str(tmp_path / "tags.csv"), "--revenue",
                str(tmp_path / "revenue.csv"), "--json")  # fmt: skip
    found = answer(ran)
    assert {each["key"] for each in found["days"]} == {"find", "(untagged)"}
    [earning] = [each for each in found["revenue"] if each["key"] == "find"]
    assert earning["revenue_usd"] == 290
    codes = [each["code"] for each in found["findings"]]
    assert {"untagged", "revenue_unknown", "cost_outgrows_revenue"} <= set(codes)


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_the_words_say_what_the_object_says(spend: Any, form: str) -> None:
    """One sentence a change: function, deployment, ratio and dollars a month."""
    text = " ".join(spend("--format", form).stdout.replace("\\", "").split())
    assert "search, deploy 2 on 21 March 14:0" in text
    assert "an invocation (" in text
    assert "a month (90%" in text


def test_page_and_figure_are_written(spend: Any, tmp_path: Path) -> None:
    """To the file that is named, in the form that it ends in."""
    for form, begin in (("html", b"<!doctype html>"), ("png", b"\x89PNG"), ("svg", b"<?xml")):
        out = tmp_path / f"spend.{form}"
        ran = spend("--format", form, "--out", str(out))
        assert ran.returncode == 0, ran.stderr
        assert out.read_bytes().startswith(begin)


def test_deployments_of_a_table_explain_what_the_logs_do_not(tmp_path: Path, spend: Any) -> None:
    """Code that changes under $LATEST is in no line: a table tells of it, within its time."""
    step = (10 * 24 + 9.5, 1.4, "$LATEST", 512)
    calls = [
        each._replace(version="$LATEST")
        for each in steady(days=20, per_day=300, billed_ms=50, seed=3, step=step, memory_mb=512)
    ]
    logs = write_archive(tmp_path / "logs", {"f": calls})
    (tmp_path / "deploys.csv").write_text(
        "at,version,function\n2026-03-11T09:00:00Z,r7,f\n2026-03-15T09:00:00Z,r8,f\n"
        "2026-03-15T09:00:00Z,r1,gone\n"
    )
    [change] = answer(spend("--json", logs=logs))["changes"]
    assert change["cause"] is None
    found = answer(
        spend("--deploys", "auto", "--deploys", str(tmp_path / "deploys.csv"), "--json", logs=logs)
    )
    assert found["changes"][0]["cause"]["version"] == "r7"
    assert "deploys_unknown" in [each["code"] for each in found["findings"]]


def test_functions_of_one_name_in_two_accounts_are_known_by_it(tmp_path: Path, spend: Any) -> None:
    """Each has its own cost and changes; tags, deployments and bills have their name alone."""
    step = (10 * 24 + 9.5, 1.4, "1", 512)
    moved = steady(days=20, per_day=300, billed_ms=50, seed=3, step=step, memory_mb=512)
    as_ever = steady(days=20, per_day=300, billed_ms=50, seed=4, memory_mb=512)
    write_archive(tmp_path / "logs" / "a", {"f": moved})
    logs = write_archive(tmp_path / "logs" / "b", {"f": as_ever}, account="210987654321").parent
    (tmp_path / "tags.csv").write_text("function,feature\nf,find\n")
    (tmp_path / "deploys.csv").write_text("at,version,function\n2026-03-11T09:00:00Z,r7,f\n")
    (tmp_path / "bill.csv").write_text(
        "ServiceName,ChargePeriodStart,ChargePeriodEnd,ResourceId,ChargeDescription,"
        "ConsumedQuantity,BilledCost,BillingCurrency\nAWS Lambda,2026-03-05T00:00:00Z,"
        "2026-03-06T00:00:00Z,arn:aws:lambda:us-east-1:123456789012:function:f,Total Requests,"
        "300,0.00006,USD\n"
    )
    found = answer(
        spend(
            *("--by", "tag:feature", "--tags", str(tmp_path / "tags.csv"), "--json"),
            *("--deploys", "auto", "--deploys", str(tmp_path / "deploys.csv")),
            *("--bill", str(tmp_path / "bill.csv")),
            logs=logs,
        )
    )
    assert {each["key"] for each in found["days"]} == {"find"}
    [change] = found["changes"]
    assert change["function"] == "f (123456789012)"
    assert change["cause"]["version"] == "r7"
    codes = {each["code"] for each in found["findings"]}
    assert not codes & {"deploys_unknown", "untagged"}
    assert "other_functions" not in {each["reason"] for each in found["bill"]["differences"]}


def test_a_bill_stands_beside(spend: Any, tmp_path: Path) -> None:
    """20% off list price for whole days: the difference is the price's."""
    head = "line_item_product_code,line_item_usage_start_date,line_item_usage_end_date,"
    head += "line_item_resource_id,line_item_usage_type,line_item_usage_amount,"
    head += "line_item_unblended_cost,line_item_currency_code"
    days = answer(spend("--json"))["days"]
    lines = [head]
    for each in days:
        if each["day"] in {"2026-03-01", "2026-03-28"}:
            continue
        arn = f"arn:aws:lambda:us-east-1:123456789012:function:{each['key']}"
        requests = each["invocation_count"]
        duration = each["cost_usd"] - requests * 2e-7
        after = f"{each['day'][:8]}{int(each['day'][8:]) + 1:02d}"
        for kind, quantity, cost in (
            ("Request", requests, requests * 2e-7),
            ("Lambda-GB-Second", duration / 1.66667e-5, duration),
        ):
            lines.append(
                f"AWSLambda,{each['day']}T00:00:00Z,{after}T00:00:00Z,{arn},{kind},{quantity:.12f},"
                f"{cost * 0.8:.15f},USD"
            )
    (tmp_path / "bill.csv").write_text("\n".join(lines))
    bill = answer(spend("--bill", str(tmp_path / "bill.csv"), "--json"))["bill"]
    assert bill["effective_price_ratio"] == pytest.approx(0.8)
    assert bill["billed_usd"] == pytest.approx(0.8 * bill["observed_usd"])
    [price] = [each for each in bill["differences"] if each["reason"] == "price"]
    assert price["usd"] == pytest.approx(-0.2 * bill["observed_usd"], rel=1e-5)
    assert "the bill has" in spend("--bill", str(tmp_path / "bill.csv")).stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--by", "feature"), "--by is 'feature': give function or tag:KEY"),
        (("--by", "tag:feature"), "give --tags, a CSV table"),
        (("--revenue", "none.csv"), "none.csv can't be read"),
        (("--deploys", "git:/nonexistent"), "isn't a readable git repository"),
        (("--bill", "none.csv"), "none.csv isn't a file: check --bill"),
        (("nobody",), "there is no REPORT line of nobody"),
        (("--from", "2031-01-01"), "no line is in that window"),
        (("--region", "us-east-9"), "us-east-9"),
        (("--discount", "100"), "out of range"),
        (("--format", "png", "--out", "x.svg"), "does not end in .png"),
        (("--format", "png", "--out", "none/x.png"), "there is no folder none: make it first"),
    ],
)
def test_a_mistake_is_one_line(spend: Any, arguments: tuple[str, ...], complaint: str) -> None:
    """What is wrong and what to do, no traceback, another exit code than 0."""
    ran = spend(*arguments)
    assert ran.returncode in {1, 2}
    assert ran.stdout == ""
    assert complaint in " ".join(ran.stderr.split())
    assert len(ran.stderr.strip().splitlines()) == 1


def test_a_function_is_named_by_its_arn_too(spend: Any) -> None:
    """As in an account."""
    arn = "arn:aws:lambda:us-east-1:123456789012:function:mail"
    assert answer(spend(arn, "--json")) == answer(spend("mail", "--json"))


def test_days_beyond_the_calendar_are_all_there_are(spend: Any) -> None:
    """As far back as there are lines."""
    found = answer(spend("--json", "--days", "1e9"))
    assert found["window"] == answer(spend("--json"))["window"]


def test_lines_that_name_no_function_are_of_the_one_asked_for(tmp_path: Path, spend: Any) -> None:
    """Without one they are together, and that is said."""
    logs = tmp_path / "plain.log"
    logs.write_text(
        "".join(
            f"2026-03-{day:02d}T10:00:00.000Z REPORT RequestId: {day:08x}-0000-4000-8000-{day:012x}"
            "\tDuration: 10.00 ms\tBilled Duration: 10 ms\tMemory Size: 128 MB\t"
            "Max Memory Used: 60 MB\t\n"
            for day in range(1, 20)
        )
    )
    unnamed = answer(spend("--json", logs=logs))
    assert {each["key"] for each in unnamed["days"]} == {"(no name)"}
    assert "unnamed_function" in [each["code"] for each in unnamed["findings"]]
    named = answer(spend("search", "--json", logs=logs))
    assert {each["key"] for each in named["days"]} == {"search"}


def test_a_day_of_logs_is_answered_in_part(tmp_path: Path, spend: Any) -> None:
    """No month, no change, and what a short window can't tell is said."""
    logs = write_archive(tmp_path / "logs", {"f": [Call(1, 10), Call(2, 10)]})
    ran = spend(logs=logs)
    assert ran.returncode == 0
    text = " ".join(ran.stdout.split())
    assert "No change of what an invocation costs was found" in text
    assert "in under a day no change is found" in text
    assert "a month" not in text
