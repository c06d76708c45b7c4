"""What the user reads when AWS says no: one line each, with what to do."""

# ruff: noqa: ISC004 - AWS's sentences are long, and their parts are no list

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.aws.wire import HANG_UP, Reply, WireServer, refusal
from tuner.aws.connection_errors import plain
from tuner.errors import (
    AccessDeniedError,
    AwsError,
    ConflictError,
    CredentialsError,
    EndpointError,
    FunctionNotFoundError,
    MemoryCapError,
    ThrottledError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tuner.aws.gateway import LambdaGateway

USER = "User: arn:aws:sts::123456789012:assumed-role/dev/alice"
RESOURCE = "arn:aws:lambda:eu-west-1:123456789012:function:resize"


def told(error: BaseException) -> str:
    """The message, after the checks that hold for every one of them."""
    text = str(error)
    assert text.isprintable()
    assert len(text) < 600
    assert not re.search(r"\d{12}|AKIA|Traceback", text)
    return text


NOT_AUTHORIZED = f"{USER} is not authorized to perform: lambda:GetFunction on resource: {RESOURCE}"


@pytest.mark.parametrize(
    ("message", "action", "words"),
    [
        (
            f"{NOT_AUTHORIZED} because no identity-based policy allows the lambda:GetFunction "
            "action",
            "lambda:GetFunction",
            "is not allowed (no identity-based policy allows it): `tuner iam-policy resize`",
        ),
        (
            f"{NOT_AUTHORIZED} because no permissions boundary allows the lambda:GetFunction "
            "action",
            "lambda:GetFunction",
            "(no permissions boundary allows it)",
        ),
        (
            f"{NOT_AUTHORIZED} because no service control policy allows the lambda:GetFunction "
            "action",
            "lambda:GetFunction",
            "(no service control policy allows it)",
        ),
        (
            f"{NOT_AUTHORIZED} with an explicit deny in a service control policy: "
            "arn:aws:organizations::123456789012:policy/o-x/service_control_policy/p-1",
            "lambda:GetFunction",
            "is not allowed (an explicit deny in a service control policy): ask",
        ),
        (
            f"{NOT_AUTHORIZED} with an explicit deny in an identity-based policy",
            "lambda:GetFunction",
            "is not allowed (an explicit deny in an identity-based policy)",
        ),
        (NOT_AUTHORIZED, "lambda:GetFunction", "is not allowed: `tuner iam-policy resize`"),
        (
            f"{USER} is not authorized to perform: kms:Decrypt on resource: key",
            "kms:Decrypt",
            "allow it for these credentials (GetFunction needs it)",
        ),
        ("", "lambda:GetFunction", "lambda:GetFunction on function resize"),
    ],
)
def test_denied_names_the_action(
    wire: WireServer, gateway: LambdaGateway, message: str, action: str, words: str
) -> None:
    """A denial names the IAM action that is missing and why, and neither user nor account."""
    wire.say(refusal(403, "AccessDeniedException", message))
    with pytest.raises(AccessDeniedError) as caught:
        gateway.read_function("resize")
    assert caught.value.action == action
    assert action in told(caught.value)
    assert words in told(caught.value)
    assert "alice" not in told(caught.value)


@pytest.mark.parametrize(
    ("call", "action"),
    [
        (lambda g: g.list_versions("f"), "lambda:ListVersionsByFunction"),
        (lambda g: g.list_aliases("f"), "lambda:ListAliases"),
        (lambda g: g.update_memory("f", 512, None), "lambda:UpdateFunctionConfiguration"),
        (lambda g: g.publish_version("f", "d", "sha", None), "lambda:PublishVersion"),
        (lambda g: g.delete_version("f", "3"), "lambda:DeleteFunction"),
        (lambda g: g.invoke("f", "3", b"{}", timeout_s=3), "lambda:InvokeFunction"),
    ],
)
def test_bare_denial_is_named_by_what_was_asked(
    wire: WireServer, gateway: LambdaGateway, call: Callable[[LambdaGateway], object], action: str
) -> None:
    """Where AWS names no action, the one of the request is named."""
    wire.say(refusal(403, "AccessDeniedException"))
    with pytest.raises(AccessDeniedError) as caught:
        call(gateway)
    assert caught.value.action == action


@pytest.mark.parametrize(
    ("code", "message", "words"),
    [
        (
            "ExpiredTokenException",
            "The security token included in the request is expired",
            "have expired (ExpiredTokenException): run `aws sso login`",
        ),
        ("ExpiredToken", "", "have expired"),
        (
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
            "does not know these credentials in eu-west-1",
        ),
        (
            "InvalidSignatureException",
            "The Canonical String for this request should have been 'x-amz-security-token:t0k3n'",
            "this machine's clock",
        ),
    ],
)
def test_credentials(
    wire: WireServer, gateway: LambdaGateway, code: str, message: str, words: str
) -> None:
    """Expired, unknown and wrongly signing credentials are told apart, and none is repeated."""
    wire.say(refusal(403, code, message))
    with pytest.raises(CredentialsError) as caught:
        gateway.read_function("resize")
    assert words in told(caught.value)
    assert "t0k3n" not in told(caught.value)


def test_no_such_function(wire: WireServer, gateway: LambdaGateway) -> None:
    """A missing function is named with its region and the command that lists what is there."""
    wire.say(refusal(404, "ResourceNotFoundException", f"Function not found: {RESOURCE}"))
    with pytest.raises(FunctionNotFoundError) as caught:
        gateway.read_function("resize")
    assert "no function resize in eu-west-1" in told(caught.value)
    assert "`aws lambda list-functions --region eu-west-1" in told(caught.value)


def test_no_such_version(wire: WireServer, gateway: LambdaGateway) -> None:
    """A missing alias is not told as a missing function."""
    wire.say(refusal(404, "ResourceNotFoundException", f"Function not found: {RESOURCE}:live"))
    with pytest.raises(FunctionNotFoundError, match="no version or alias live of function resize"):
        gateway.read_function("resize:live")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "InvalidParameterValueException",
            "'MemorySize' value failed to satisfy constraint: Member must have value less than "
            "or equal to 3008",
        ),
        (
            "ValidationException",
            "1 validation error detected: Value '4096' at 'memorySize' failed to satisfy "
            "constraint: Member must have value less than or equal to 3008",
        ),
    ],
)
def test_memory_cap(wire: WireServer, gateway: LambdaGateway, code: str, message: str) -> None:
    """An account's memory cap is read from either wording, and the flag for it is named."""
    wire.say(refusal(400, code, message))
    with pytest.raises(MemoryCapError) as caught:
        gateway.update_memory("resize", 4096, None)
    assert caught.value.max_memory_mb == 3008
    assert "`max_memory_mb=3008`" in told(caught.value)
    assert "asked: 4096 MB" in told(caught.value)


def test_memory_floor_is_no_cap(wire: WireServer, gateway: LambdaGateway) -> None:
    """A size below the least one is not mistaken for a cap."""
    message = "Value '129' at 'memorySize': Member must have value greater than or equal to 256"
    wire.say(refusal(400, "ValidationException", message))
    with pytest.raises(AwsError, match="greater than or equal to 256") as caught:
        gateway.update_memory("resize", 129, None)
    assert not isinstance(caught.value, MemoryCapError)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (
            refusal(
                412,
                "PreconditionFailedException",
                "The Revision Id provided does not match the latest Revision Id.",
            ),
            "changed resize in the meantime (its RevisionId has moved)",
        ),
        (
            refusal(
                400,
                "InvalidParameterValueException",
                "CodeSHA256 (a) is different from current CodeSHA256 in $LATEST (b).",
            ),
            "changed resize in the meantime (its code has moved)",
        ),
        (
            refusal(409, "ResourceConflictException", "A resource policy is in the way"),
            "PublishVersion of resize was refused: A resource policy",
        ),
    ],
)
def test_conflicts(wire: WireServer, gateway: LambdaGateway, reply: Reply, words: str) -> None:
    """A change by somebody else is a conflict, told without a second attempt."""
    wire.say(reply)
    with pytest.raises(ConflictError) as caught:
        gateway.publish_version("resize", "d", "a", "r1")
    assert words in told(caught.value)
    assert len(wire.received) == 1


def test_other_refusals_quote_aws_in_one_bounded_line(
    wire: WireServer, gateway: LambdaGateway
) -> None:
    """AWS's own words are kept, without control characters, ids, keys or excess."""
    message = "Bad\x1b[31m signature\nfor 123456789012 by AKIAABCDEFGHIJKLMNOP " + "x" * 2000
    wire.say(refusal(400, "CodeVerificationFailedException", message))
    with pytest.raises(AwsError) as caught:
        gateway.update_memory("resize", 512, None)
    assert told(caught.value).startswith(
        "UpdateFunctionConfiguration of resize was refused (CodeVerificationFailedException): "
        "Bad [31m signature for … by … xxx"
    )


def test_throttled_control_call_is_repeated_then_told(
    wire: WireServer, gateway: LambdaGateway
) -> None:
    """The SDK repeats a throttled control call a bounded number of times; then it is an error."""
    message = "Rate exceeded"
    wire.say(refusal(429, "TooManyRequestsException", message, Retry_After="2"))
    with pytest.raises(ThrottledError, match="ListAliases was throttled") as caught:
        gateway.list_aliases("resize")
    assert caught.value.retry_after_s == 2
    assert len(wire.received) == 3


def test_nothing_answers(open_gateway: Callable[[str], LambdaGateway]) -> None:
    """A port where nobody listens is told with the address and the flag."""
    with WireServer() as server:
        url = server.url
    with pytest.raises(EndpointError) as caught:
        open_gateway(url).read_function("resize")
    assert told(caught.value) == f"nothing answers at {url}: check `endpoint_url`"


def test_dropped_control_call(wire: WireServer, gateway: LambdaGateway) -> None:
    """A control call whose connection drops is repeated, and then told as a lost connection."""
    wire.say(HANG_UP)
    with pytest.raises(EndpointError, match=r"the connection to http://127\.0\.0\.1:\d+ was lost"):
        gateway.list_versions("resize")
    assert len(wire.received) == 3


@pytest.mark.parametrize(
    "reply", [Reply(404, b"<html>not here</html>"), Reply(200, b"<html>hello</html>"), Reply(200)]
)
def test_something_else_answers(wire: WireServer, gateway: LambdaGateway, reply: Reply) -> None:
    """A server that is not Lambda's is told as that, in one line."""
    wire.say(reply)
    with pytest.raises(AwsError, match=r"not in Lambda's form|this isn't a Lambda API") as caught:
        gateway.read_function("resize")
    told(caught.value)


def test_plain_leaves_ordinary_text_alone() -> None:
    """Words, sizes and request ids pass; only what must not be told is replaced."""
    text = "Member must have value <= 3008 (Request ID: 17105326-aa01-4475-8a1d-e4fbdf8b26e3)"
    assert plain(text) == text
