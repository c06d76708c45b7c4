"""Replies that AWS gave to others, as it had sent them.

The recordings are no part of the project: `TUNER_RECORDED_REPLIES` names their folder.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.aws.wire import Reply, refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = os.environ.get("TUNER_RECORDED_REPLIES")
needs_recordings = pytest.mark.skipif(
    FOLDER is None, reason="TUNER_RECORDED_REPLIES names no folder of recordings"
)
_HIDDEN_NUMBERS = ("<code-size>", "<bytes>")
NONE = refusal(404, "ResourceNotFoundException", "The resource you requested does not exist.")


def of_sdk() -> list[tuple[str, str, int, dict[str, Any]]]:
    """Every reply as the SDK returned it: service, operation, status, members."""
    replies = json.loads((Path(FOLDER or "") / "replies_custodian.json").read_text())
    found = []
    for name, each in replies.items():
        service, _, operation = name.rpartition("/")[2].rpartition("_")[0].partition(".")
        found.append((service, operation, each["status_code"], each["data"]))
    return found


def of_scenarios() -> Iterator[dict[str, Any]]:
    """Every reply of the scenarios, in the SDK's form."""
    for path in sorted(Path(FOLDER or "").glob("lambda_*.json")):
        for scenario in json.loads(path.read_text()).values():
            steps = scenario["recorded-content"].values()
            yield from (reply for reply in steps if isinstance(reply, dict))


def _operations() -> Iterator[tuple[str, int, dict[str, Any]]]:
    """The replies of scenarios whose members tell the operation."""
    for reply in of_scenarios():
        if isinstance(reply.get("Configuration"), dict):
            yield "GetFunction", 200, reply
        elif "AliasArn" in reply:
            yield "GetAlias", 200, reply
        elif isinstance(reply.get("Policy"), dict) and "RevisionId" in reply:
            yield "GetPolicy", 200, {**reply, "Policy": json.dumps(reply["Policy"])}


def on_the_wire(value: Any) -> Any:
    """Write what the SDK returned as AWS had sent it."""
    if isinstance(value, dict) and value.get("__class__") == "datetime":
        parts = {key: part for key, part in value.items() if key != "__class__"}
        return datetime(**parts, tzinfo=UTC).timestamp()
    if isinstance(value, dict):
        return {k: on_the_wire(each) for k, each in value.items() if k != "ResponseMetadata"}
    if value in _HIDDEN_NUMBERS:
        return 1
    return [on_the_wire(each) for each in value] if isinstance(value, list) else value


def of(operation: str, status: int = 200) -> list[dict[str, Any]]:
    """Every reply of one of Lambda's operations, those of scenarios too."""
    all_of_it = [(name, code, data) for _, name, code, data in of_sdk()]
    all_of_it += _operations()
    found = [data for name, code, data in all_of_it if (name, code) == (operation, status)]
    assert found
    return [on_the_wire(data) if status < 300 else data for data in found]


def refused(data: dict[str, Any], status: int) -> Reply:
    """A recorded refusal, with the header that it had: at times a link follows its code."""
    error, headers = data["Error"], data["ResponseMetadata"].get("HTTPHeaders", {})
    return refusal(status, headers.get("x-amzn-errortype", error["Code"]), error["Message"])
