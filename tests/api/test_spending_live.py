"""`spend` without files, against moto in a process of its own: logs, tags, and one clear line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws.live_log import COUNT, NOW, make_live_function
from tests.aws.moto_process import REGION, client, moto_process
from tests.cli.running import run_here
from tuner.api.reading import Caller, LiveRequest
from tuner.api.spending import SideFiles, spend_live
from tuner.errors import InputError, NotAgreedError
from tuner.model.request import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tuner.model.spend import Spend


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with moto_process() as url:
        make_live_function(url)
        arn = client("lambda", url).get_function(FunctionName="resize")["Configuration"]
        client("lambda", url).tag_resource(
            Resource=arn["FunctionArn"], Tags={"feature": "pictures"}
        )
        yield url


@pytest.fixture
def spend(url: str, tmp_path: Path) -> Callable[..., Spend]:
    def run(**given: Any) -> Spend:
        caller = Caller(tmp_path, NOW, given.pop("agree", lambda _: True))
        request = LiveRequest(given.pop("function", None), Target(region=REGION, endpoint_url=url))
        return spend_live(request, caller, SideFiles(**given))

    return run


def test_the_account_s_logs_tell_what_it_cost(spend: Callable[..., Spend]) -> None:
    """Every report counts, at the region's prices; a change of memory is a deployment."""
    found = spend()
    assert found.invocation_count == COUNT
    assert found.region == REGION
    assert found.keys == ("resize",)
    assert [each.source for each in found.deploys] == ["memory"]


def test_features_are_the_account_s_tags(spend: Callable[..., Spend]) -> None:
    """By the tag's value; a tag that nobody set is one clear line."""
    assert spend(by="tag:feature").keys == ("pictures",)
    with pytest.raises(InputError, match="no function of eu-west-1 has the tag featuer"):
        spend(by="tag:featuer")


def test_one_function_may_be_asked_for(spend: Callable[..., Spend]) -> None:
    """By its name or its ARN."""
    arn = f"arn:aws:lambda:{REGION}:123456789012:function:resize"
    assert spend(function=arn).invocation_count == spend(function="resize").invocation_count


def test_a_no_to_the_price_ends_it(spend: Callable[..., Spend]) -> None:
    """Nothing is queried."""
    with pytest.raises(NotAgreedError):
        spend(agree=lambda _: False)


def test_the_command_says_the_price_and_prints_the_promised_object(
    url: str, tmp_path: Path
) -> None:
    """Held against the schema; --from is for files."""
    where = ("--endpoint-url", url, "--region", REGION)
    ran = run_here("spend", *where, "--json", TUNER_STATE_DIR=str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["invocation_count"] == COUNT
    assert "Log queries will scan " in ran.stderr
    ran = run_here("spend", *where, "--from", "2026-11-01", TUNER_STATE_DIR=str(tmp_path))
    assert ran.returncode == 2
    assert "--from and --to are for --logs" in ran.stderr
