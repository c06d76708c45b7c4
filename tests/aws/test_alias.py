"""Reading and shifting an alias, at the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.aws.wire import HANG_UP, Reply, WireServer, refusal
from tuner.cli.flags import with_flags
from tuner.errors import AccessDeniedError, ConflictError, FunctionNotFoundError
from tuner.model.function import Routing

if TYPE_CHECKING:
    from tuner.aws.gateway import LambdaGateway

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:resize:live"
SHIFTED = Routing("live", "7", (("8", 0.1),), "r1")


def alias(version: str, weights: dict[str, float] | None = None, revision: str = "r2") -> Reply:
    routing: dict[str, Any] = (
        {"RoutingConfig": {"AdditionalVersionWeights": weights}} if weights else {}
    )
    head = {"AliasArn": ARN, "Name": "live", "FunctionVersion": version, "Description": "prod"}
    return Reply(200, {**head, "RevisionId": revision, **routing})


def test_an_alias_is_shifted_under_its_revision(wire: WireServer, gateway: LambdaGateway) -> None:
    """Version, share and RevisionId go out, and nothing of its other settings."""
    wire.say(alias("7", {"8": 0.1}))
    now = gateway.update_alias("resize", SHIFTED)
    assert (now.is_like(SHIFTED), now.revision_id) == (True, "r2")
    assert now.describe() == "version 7 and 10% to version 8"
    (received,) = wire.received
    assert (received.method, received.path) == (
        "PUT",
        "/2015-03-31/functions/resize/aliases/live",
    )
    assert received.json == {
        "FunctionVersion": "7",
        "RoutingConfig": {"AdditionalVersionWeights": {"8": 0.1}},
        "RevisionId": "r1",
    }


def test_setting_it_back_removes_the_share(wire: WireServer, gateway: LambdaGateway) -> None:
    """An empty map of shares, which Lambda takes for none."""
    wire.say(alias("7"))
    assert gateway.update_alias("resize", Routing("live", "7", (), "r2")).weights == ()
    assert wire.received[0].json["RoutingConfig"] == {"AdditionalVersionWeights": {}}


def test_a_shift_whose_reply_was_lost(wire: WireServer, gateway: LambdaGateway) -> None:
    """A second try that meets the RevisionId which the first one moved is no conflict."""
    moved = refusal(412, "PreconditionFailedException", "The Revision Id provided does not match")
    wire.say(HANG_UP, moved, alias("7", {"8": 0.1}))
    assert gateway.update_alias("resize", SHIFTED).revision_id == "r2"
    wire.say(HANG_UP, moved, alias("9"))
    with pytest.raises(ConflictError, match="somebody else changed"):
        gateway.update_alias("resize", SHIFTED)


def test_a_denial_says_where_the_policy_is(wire: WireServer, gateway: LambdaGateway) -> None:
    """The action, and the command that prints what a rollout of this function needs."""
    wire.say(refusal(403, "AccessDeniedException", "User is not authorized"))
    with pytest.raises(AccessDeniedError) as caught:
        gateway.update_alias("resize", SHIFTED)
    said = with_flags(str(caught.value))
    assert "lambda:UpdateAlias on function resize" in said
    assert "tuner iam-policy resize" in said
    assert "--for apply" in said


def test_no_alias_of_that_name(wire: WireServer, gateway: LambdaGateway) -> None:
    """The line says how to list those that there are."""
    wire.say(refusal(404, "ResourceNotFoundException"))
    with pytest.raises(FunctionNotFoundError, match="list-aliases --function-name resize"):
        gateway.read_alias("resize", "blue")
