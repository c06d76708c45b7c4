"""A role of another account is assumed at STS, and its credentials sign what follows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.aws.wire import Received, Reply, WireServer
from tuner.aws import connect
from tuner.errors import AwsError

ROLE = "arn:aws:iam::444455556666:role/tuner"
ASSUMED = """<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
<Credentials><AccessKeyId>ASIAOFTHEROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
<SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>
</AssumeRoleResult></AssumeRoleResponse>"""
DENIED = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>
<Type>Sender</Type><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>"""


def answer(asked: Received) -> Reply:
    if b"AssumeRole" in asked.body:
        return Reply(200, ASSUMED.encode(), {"Content-Type": "text/xml"})
    return Reply(200, b'{"AccountLimit": {"UnreservedConcurrentExecutions": 900}}')


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer() as started:
        started.answer = answer
        yield started


def test_requests_are_signed_by_the_role(server: WireServer) -> None:
    """STS is asked once, with the external id, when the first request needs it."""
    with connect(
        region="eu-west-1", profile=None, endpoint_url=server.url, role_arn=ROLE, external_id="x-1"
    ) as gateway:
        assert server.received == []
        assert gateway.account_settings().unreserved_concurrent_executions == 900
        gateway.account_settings()
    assumed = [each for each in server.received if b"AssumeRole" in each.body]
    assert len(assumed) == 1
    assert b"ExternalId=x-1" in assumed[0].body
    assert b"RoleSessionName=lambda-tuner" in assumed[0].body
    signed = [each for each in server.received if b"AssumeRole" not in each.body]
    assert all("ASIAOFTHEROLE" in each.headers["authorization"] for each in signed)


def test_a_role_that_may_not_be_assumed_is_one_line(server: WireServer) -> None:
    """A refusal of STS is an error of the account, and nothing else is sent."""
    server.answer = lambda _: Reply(403, DENIED.encode(), {"Content-Type": "text/xml"})
    with (
        connect(
            region="eu-west-1", profile=None, endpoint_url=server.url, role_arn=ROLE
        ) as gateway,
        pytest.raises(AwsError),
    ):
        gateway.read_function("f")
    assert all(b"AssumeRole" in each.body for each in server.received)
