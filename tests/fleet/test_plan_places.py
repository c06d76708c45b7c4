"""What a plan finds in accounts and regions: at moto, which has them, in a process of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.aws.moto_process import REGION, client, make_function, moto_process
from tests.aws.test_assumed_role import DENIED
from tests.aws.wire import Reply, WireServer
from tests.cli.running import run_here

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OTHER_REGION = "us-east-1"
TAGS = {"tune": "yes"}
OWN = "123456789012"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with moto_process() as url:
        make_function(url, "queued", MemorySize=512, Timeout=3, Tags=TAGS)
        make_function(url, "notified", MemorySize=512, Timeout=3, Tags=TAGS)
        make_function(url, "scheduled_too", MemorySize=512, Timeout=3, Tags=TAGS)
        make_function(url, "quiet", MemorySize=512, Timeout=3, Tags=TAGS)
        queue = client("sqs", url).create_queue(QueueName="orders")["QueueUrl"]
        arn = client("sqs", url).get_queue_attributes(
            QueueUrl=queue, AttributeNames=["QueueArn"]
        )["Attributes"]["QueueArn"]  # fmt: skip
        functions = client("lambda", url)
        functions.create_event_source_mapping(FunctionName="queued", EventSourceArn=arn)
        for name, service in (
            ("notified", "sns"),
            ("scheduled_too", "sns"),
            ("scheduled_too", "events"),
        ):
            functions.add_permission(
                FunctionName=name, StatementId=service, Action="lambda:InvokeFunction",
                Principal=f"{service}.amazonaws.com",
            )  # fmt: skip
        organizations = client("organizations", url)
        organizations.create_organization(FeatureSet="ALL")
        url_accounts[url] = organizations.create_account(
            Email="a@example.org", AccountName="shop"
        )["CreateAccountStatus"]["AccountId"]  # fmt: skip
        make_elsewhere(url, url_accounts[url])
        yield url


url_accounts: dict[str, str] = {}


def make_elsewhere(url: str, account: str) -> None:
    """A function in another account and region, as its role makes it."""
    role = client("sts", url).assume_role(
        RoleArn=f"arn:aws:iam::{account}:role/tuner", RoleSessionName="test"
    )["Credentials"]  # fmt: skip
    there: Any = boto3.Session(
        role["AccessKeyId"], role["SecretAccessKey"], role["SessionToken"], OTHER_REGION
    )
    iam = there.client("iam", endpoint_url=url)
    arn = iam.create_role(RoleName="f", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    template = client("lambda", url).get_function(FunctionName="quiet")["Configuration"]
    there.client("lambda", endpoint_url=url).create_function(
        FunctionName="elsewhere", Runtime=template["Runtime"], Handler="a.b", Role=arn,
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)}, MemorySize=1024, Tags=TAGS,
    )  # fmt: skip


def plan(url: str, tmp_path: Path, *arguments: str, settings: str = "") -> Any:
    toml = tmp_path / "fleet.toml"
    toml.write_text(settings)
    return run_here(
        "fleet", "plan", "--budget-usd", "5", "--out", str(tmp_path / "fleet"), "--settings",
        str(toml), "--endpoint-url", url, "--region", REGION, "--json", *arguments,
        TUNER_STATE_DIR=str(tmp_path / "state"),
    )  # fmt: skip


def by_name(planned: Any) -> dict[str, Any]:
    assert planned.returncode == 0, planned.stderr
    return {each["name"]: each for each in json.loads(planned.stdout)["functions"]}


@pytest.mark.slow
def test_an_event_source_is_the_payload_where_side_effects_are_agreed_to(
    url: str, tmp_path: Path
) -> None:
    """What feeds or may invoke a function chooses its event only if nothing else is known and its
    side effects are agreed to; otherwise it's left out, and the plan says what would be sent. One
    with a second source, whose events can't be told, is sent nothing.
    """
    found = by_name(
        plan(
            url,
            tmp_path,
            "--tag",
            "tune=yes",
            "--allow-side-effects",
            "notified",
            "--allow-side-effects",
            "scheduled_too",
        )
    )
    assert (found["notified"]["events"], found["notified"]["sends_default_event"]) == (
        ["sns"], True,
    )  # fmt: skip
    assert found["queued"]["state"] == "excluded"
    assert "agree to its side effects" in found["queued"]["reason"]
    assert "(sqs)" in found["queued"]["reason"]
    assert found["quiet"]["state"] == "excluded"
    assert found["scheduled_too"]["state"] == "excluded"
    assert "no payload is known" in found["scheduled_too"]["reason"]


def test_an_organizations_accounts_are_reached_by_a_role_of_one_name(
    url: str, tmp_path: Path
) -> None:
    """Every active account is asked in each region, by its role; one's own without."""
    planned = plan(
        url, tmp_path, "--tag", "tune=yes", "--regions", f"{REGION},{OTHER_REGION}", "--payload",
        "{}", settings='[organization]\nrole = "tuner"\n',
    )  # fmt: skip
    found = by_name(planned)
    assert {"queued", "notified", "scheduled_too", "quiet", "elsewhere"} == found.keys()
    assert found["queued"]["account"] == OWN
    account = url_accounts[url]
    assert (found["elsewhere"]["account"], found["elsewhere"]["region"]) == (account, OTHER_REGION)
    items = json.loads((tmp_path / "fleet" / "plan.json").read_text())["items"]
    roles = {each["name"]: each["place"].get("role_arn") for each in items}
    assert roles["elsewhere"] == f"arn:aws:iam::{account}:role/tuner"
    assert roles["queued"] is None
    assert json.loads(planned.stdout)["unreached"] == []


def test_a_region_named_twice_is_read_once(url: str, tmp_path: Path) -> None:
    """Its functions are one item each, so that none is swept twice."""
    given = ("--tag", "tune=yes", "--regions", f"{REGION}, {REGION},", "--payload", "{}")
    planned = plan(url, tmp_path, *given)
    assert planned.returncode == 0, planned.stderr
    names = [each["name"] for each in json.loads(planned.stdout)["functions"]]
    assert sorted(names) == sorted({*names})


def test_a_function_named_twice_is_planned_once(url: str, tmp_path: Path) -> None:
    """A name and the ARN of the same function are one item, so that it isn't swept twice."""
    names = tmp_path / "names.txt"
    names.write_text(f"quiet\narn:aws:lambda:{REGION}:{OWN}:function:quiet\n")
    found = json.loads(plan(url, tmp_path, "--functions", str(names), "--payload", "{}").stdout)
    assert found["function_count"] == 1
    assert found["estimate"]["control_call_count"] > 0


def test_a_function_of_the_name_in_another_account_is_not_meant(url: str, tmp_path: Path) -> None:
    """An ARN of an account that the credentials aren't of is no function of theirs: that account is
    left out, with what to do.
    """
    names = tmp_path / "names.txt"
    names.write_text(f"queued\narn:aws:lambda:{REGION}:444455556666:function:quiet\n")
    planned = plan(url, tmp_path, "--functions", str(names), "--payload", "{}")
    assert by_name(planned).keys() == {"queued"}
    [unreached] = json.loads(planned.stdout)["unreached"]
    assert unreached.startswith(f"444455556666 {REGION}: these credentials are of account {OWN}")
    assert "accounts.444455556666 in fleet.toml" in unreached


def test_a_function_that_is_not_there_is_named_with_its_line(url: str, tmp_path: Path) -> None:
    """A wrong name in the file stops the plan, with the line."""
    names = tmp_path / "names.txt"
    names.write_text("quiet\nqueit\n")
    ran = plan(url, tmp_path, "--functions", str(names), "--payload", "{}")
    assert ran.returncode == 1
    assert "names.txt:2: there is no function queit" in ran.stderr


def test_the_region_of_a_missing_function_is_said_where_a_profile_gives_it(
    url: str, tmp_path: Path
) -> None:
    """Whichever way it was chosen, it's named: that may be what is wrong."""
    names = tmp_path / "names.txt"
    names.write_text("queit\n")
    ran = run_here(
        "fleet", "plan", "--budget-usd", "5", "--out", str(tmp_path / "fleet"), "--functions",
        str(names), "--endpoint-url", url, "--payload", "{}",
        AWS_REGION=REGION, AWS_DEFAULT_REGION=REGION, TUNER_STATE_DIR=str(tmp_path / "state"),
    )  # fmt: skip
    assert f"no function queit in {REGION} with these credentials" in ran.stderr


def test_side_effects_by_a_tag_count_for_named_functions_too(url: str, tmp_path: Path) -> None:
    """Where the tag comes from the account and not from the plan's way, it's read there."""
    names = tmp_path / "names.txt"
    names.write_text("queued\n")
    found = by_name(
        plan(
            url, tmp_path, "--functions", str(names), settings='[side_effects]\ntag = "tune=yes"\n'
        )
    )
    assert (found["queued"]["events"], found["queued"]["allows_side_effects"]) == (["sqs"], True)


def test_an_account_that_cannot_be_reached_is_told_once(tmp_path: Path) -> None:
    """A role that may not be assumed leaves its account out, for all its regions alike, with what
    STS said; the plan is made of the others.
    """
    with WireServer() as server:
        server.answer = lambda _: Reply(403, DENIED.encode(), {"Content-Type": "text/xml"})
        planned = plan(
            server.url, tmp_path, "--tag", "tune=yes", "--payload", "{}",
            settings='[accounts."444455556666"]\nrole = "arn:aws:iam::444455556666:role/t"\n',
        )  # fmt: skip
        asked = len(server.received)
    assert planned.returncode == 0, planned.stderr
    unreached = json.loads(planned.stdout)["unreached"]
    assert len(unreached) == asked == 1
    assert unreached[0].startswith(f"444455556666 {REGION}: ")
