"""Replies that have not the shape of Lambda's: each is one clear line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws.wire import Reply, WireServer
from tuner.errors import AwsError, LostReplyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.aws.gateway import LambdaGateway

RAW = {"FunctionName": "resize", "MemorySize": 512, "Timeout": 3}
DEEP = b'{"Configuration":' + b"[" * 200_000


def configured(**changes: Any) -> Reply:
    return Reply(body={"Configuration": RAW | changes})


CONFIGURATIONS = {
    "memory is a text": configured(MemorySize="large"),
    "memory is a mapping": configured(MemorySize={"MB": 512}),
    "memory is negative": configured(MemorySize=-1),
    "timeout is a list": configured(Timeout=[3]),
    "name is a number": configured(FunctionName=7),
    "arn is a mapping": configured(FunctionArn={}),
    "architectures is a number": configured(Architectures=3),
    "storage is a list": configured(EphemeralStorage=[512]),
    "snap start is a text": configured(SnapStart="On"),
    "no function": Reply(body={"Configuration": {}}),
    "configuration is a list": Reply(body={"Configuration": [RAW]}),
    "a list": Reply(body=json.dumps([RAW]).encode()),
    "a number": Reply(body=b"7"),
    "deep": Reply(body=DEEP),
    "undecodable": Reply(body=b'{"Configuration": "\xff\xfe"}'),
    "no JSON": Reply(body=b"<html>"),
    "empty": Reply(body=b""),
}


@pytest.mark.parametrize("reply", CONFIGURATIONS.values(), ids=CONFIGURATIONS.keys())
def test_a_configuration_of_another_shape_is_one_clear_line(
    wire: WireServer, gateway: LambdaGateway, reply: Reply
) -> None:
    """No type of Python's comes up: the line says that the endpoint is no Lambda's."""
    wire.say(reply)
    with pytest.raises(AwsError, match=r"endpoint") as raised:
        gateway.read_function("resize")
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 400


READS: dict[str, Callable[[LambdaGateway], object]] = {
    "versions": lambda gateway: gateway.list_versions("resize"),
    "aliases": lambda gateway: gateway.list_aliases("resize"),
    "batch sizes": lambda gateway: gateway.batch_sizes("resize"),
    "tags": lambda gateway: gateway.read_tags("arn:aws:lambda:eu-west-1:123456789012:function:a"),
    "copies": lambda gateway: gateway.list_copies("resize"),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
@pytest.mark.parametrize("given", [7, "text", {"a": 1}, [7], [{"Name": 7, "BatchSize": [7]}], [[]]])
def test_a_list_of_another_shape_is_one_clear_line(
    wire: WireServer, gateway: LambdaGateway, read: Callable[[LambdaGateway], object], given: object
) -> None:
    """Whatever is in the place of a list or of its parts."""
    names = ("Versions", "Aliases", "EventSourceMappings", "Tags", "Functions")
    if given == {"a": 1} and read is READS["tags"]:
        given = "text"
    wire.say(Reply(body=dict.fromkeys(names, given)))
    with pytest.raises(AwsError, match="endpoint"):
        read(gateway)


@pytest.mark.parametrize("policy", ["[]", "7", '{"Statement": [7]}', "no JSON", "[" * 100_000])
def test_a_policy_that_is_none_is_not_known(
    wire: WireServer, gateway: LambdaGateway, policy: str
) -> None:
    """What reaches the function is then unknown, which asks for --isolation."""
    wire.say(Reply(body={"Policy": policy}))
    assert "its resource policy: the answer can't be read" in gateway.live_traffic("resize").unknown


def test_who_is_denied_is_no_trigger(wire: WireServer, gateway: LambdaGateway) -> None:
    """A statement that denies, alone or in a list, leads nobody to the function; one that allows
    beside it does.
    """
    denied: Any = {"Effect": "Deny", "Principal": "*"}
    allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}}
    for statements, sources in (
        ([denied], ()),
        (denied, ()),
        ([denied, allowed], ("sns (resource policy)",)),
    ):
        wire.say(Reply(body={"Policy": json.dumps({"Statement": statements})}))
        found = gateway.live_traffic("resize").sources
        assert tuple(each for each in found if "policy" in each) == sources


def test_null_is_the_same_as_missing(wire: WireServer, gateway: LambdaGateway) -> None:
    """Lists and members that are null are read as if they weren't there."""
    raw = {"FunctionName": "resize", "MemorySize": 512, "Timeout": 3}
    nulls = dict.fromkeys(
        ("Architectures", "EphemeralStorage", "Layers", "LoggingConfig", "Runtime", "SnapStart")
    )
    wire.say(Reply(body={"Configuration": raw}), Reply(body={"Configuration": {**raw, **nulls}}))
    assert gateway.read_function("resize") == gateway.read_function("resize")
    lists = ("Aliases", "EventSourceMappings", "Functions", "NextMarker", "Policy", "Versions")
    wire.say(Reply(body=dict.fromkeys(lists)))
    assert gateway.list_versions("resize") == gateway.list_aliases("resize") == ()
    assert gateway.batch_sizes("resize") == gateway.list_copies("resize") == ()
    assert gateway.live_traffic("resize").unknown == ()


def test_a_service_is_named_without_its_region(wire: WireServer, gateway: LambdaGateway) -> None:
    """A principal that names a region, or China's partition, is its service."""
    for principal in ("logs.eu-west-1.amazonaws.com", "logs.cn-north-1.amazonaws.com.cn"):
        statement = {"Effect": "Allow", "Principal": {"Service": principal}}
        wire.say(Reply(body={"Policy": json.dumps({"Statement": [statement]})}))
        assert "logs (resource policy)" in gateway.live_traffic("resize").sources


def test_a_log_that_is_not_base64_is_no_log(wire: WireServer, gateway: LambdaGateway) -> None:
    """The reply is taken, and found to be without a report."""
    wire.say(Reply(body=b"{}", headers={"X-Amz-Log-Result": "%%% no base64"}))
    assert gateway.invoke("resize", "1", b"{}", timeout_s=3).log_tail == ""


def test_an_error_of_another_shape_may_have_run(wire: WireServer, gateway: LambdaGateway) -> None:
    """A 500 whose body is a list: the function may have run."""
    wire.say(Reply(status=500, body=b"[1, 2]"))
    with pytest.raises(LostReplyError, match="resize"):
        gateway.invoke("resize", "1", b"{}", timeout_s=3)
