"""Replays on the local Lambda calls that AWS answered once, and holds the replies against AWS's.

A recording is a JSON file: scenario -> {"recorded-content": {step: reply}}, replies as the SDK
returns them, with ids, names, and dates replaced (`<uuid:1>`, `<function-name:1>`, "date", account
111111111111). The calls are ours (`scenarios`); a step without a call is counted as not replayed.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.local_api.conftest import CREDENTIALS, ROLE, Clock, make_zip
from tests.scripted_executor import ScriptedExecutor
from tuner.local import LocalLambda

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

FN: Final = "fn"
ACCOUNT: Final = "123456789012"
ARN: Final = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{FN}"
OTHER_CODE: Final = make_zip("def handler(event, context): return context.function_version")
"""A package to update to."""
UPDATE_S: Final = 10.0
_PLACEHOLDER: Final = re.compile(r"<+[^<>=]+>(?::\d+>)?|1{12}|(?:aaa)+a*")
_BOUND: Final = re.compile(r"<+(uuid|code-sha-?256|revision-id).*")
_ENUM: Final = re.compile(r"value set: \[([^\]]*)\]")
_CONSTRAINT: Final = re.compile(r"Value '.*?' at '.*?' failed to satisfy constraint: .+?(?=;|$)")


@dataclass(frozen=True, slots=True)
class Difference:
    """One field or error of a reply that AWS gave otherwise."""

    scenario: str
    step: str
    operation: str
    path: str
    recorded: object
    local: object


@dataclass(slots=True)
class Result:
    """What a replay of scenarios came to."""

    same: Counter[str] = field(default_factory=Counter)
    """Fields and errors as on AWS, by operation."""
    differences: list[Difference] = field(default_factory=list)
    scenarios: int = 0
    steps: int = 0
    not_replayed: list[str] = field(default_factory=list)

    def table(self) -> str:
        """Give the counts by operation."""
        differs = Counter(each.operation for each in self.differences)
        lines = [f"{'operation':44}{'same':>7}{'differs':>9}"]
        lines += [
            f"{operation:44}{self.same[operation]:7}{differs[operation]:9}"
            for operation in sorted({*self.same, *differs})
        ]
        total, different = self.same.total(), len(self.differences)
        lines.append(f"{'all':44}{total:7}{different:9}")
        lines.append(
            f"{self.scenarios} scenarios, {self.steps} steps replayed, "
            f"{len(self.not_replayed)} not; {total / max(total + different, 1):.1%} as on AWS"
        )
        return "\n".join(lines)


class Player:
    """Makes a scenario's calls on a local Lambda of its own, and keeps the replies by step."""

    def __init__(self, client: Any, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._replies: dict[str, tuple[str, dict[str, Any]]] = {}

    def __call__(self, step: str, operation: str, **members: Any) -> dict[str, Any]:
        """Call an operation; the reply, or the error's, is a step's if the step has a name."""
        try:
            reply: dict[str, Any] = getattr(self._client, operation)(**members)
        except ClientError as error:
            reply = dict(error.response)
        if "Payload" in reply:
            reply["Payload"] = reply["Payload"].read().decode()
        if step:
            self._replies[step] = (operation, reply)
        return reply

    def create(self, step: str = "", **members: Any) -> dict[str, Any]:
        """Create a function, as plainly as AWS takes it."""
        plain = {
            "FunctionName": FN,
            "Runtime": "python3.12",
            "Role": ROLE,
            "Handler": "index.handler",
            "Code": {"ZipFile": make_zip()},
        }
        return self(step, "create_function", **{**plain, **members})

    def created(self, step: str = "", **members: Any) -> dict[str, Any]:
        """Create a function with an empty environment and 30 s, and wait until it is active."""
        plain = {"Environment": {"Variables": {}}, "Timeout": 30, "Handler": "handler.handler"}
        reply = self.create(step, **{**plain, **members})
        self.wait()
        return reply

    def wait(self) -> None:
        """Let creations and updates come through."""
        self._clock.now_s += UPDATE_S + 1

    def take(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Give the replies by step, each with its operation, and leave no function behind."""
        for each in self._client.list_functions()["Functions"]:
            self._client.delete_function(FunctionName=each["FunctionName"])
        replies, self._replies = self._replies, {}
        return replies

    def pages(self, step: str, operation: str, key: str, **members: Any) -> None:
        """Read a list one item a page; the step has all of them."""
        paginator = self._client.get_paginator(operation)
        pages = paginator.paginate(**members, PaginationConfig={"PageSize": 1})
        self._replies[step] = (operation, {key: pages.build_full_result()[key]})


def replay(
    recording: Mapping[str, Any], scenarios: Mapping[str, Any], real: Collection[str] = ()
) -> Result:
    """Play scenarios, each on an endpoint of its own, and compare; `real` ones run handlers."""
    result = Result()
    with ExitStack() as stack:
        runs = _open(stack, None) if real else None  # its start takes a second: one for all
        for name, play in scenarios.items():
            player = runs if runs and name in real else None
            with ExitStack() as own:
                player = player or _open(own, ScriptedExecutor(1.0, time_scale=0))
                play(player)
                replies = player.take()
            _compare(result, name, replies, recording[name]["recorded-content"])
    return result


def _open(stack: ExitStack, executor: ScriptedExecutor | None) -> Player:
    clock = Clock()
    server = stack.enter_context(
        LocalLambda(executor=executor, emulated_services=False, update_s=UPDATE_S, clock=clock)
    )
    client = boto3.client(
        "lambda",
        endpoint_url=server.endpoint_url,
        region_name=server.region,
        config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
        **CREDENTIALS,
    )
    stack.callback(client.close)
    return Player(client, clock)


def _compare(
    result: Result,
    name: str,
    replies: Mapping[str, tuple[str, dict[str, Any]]],
    recorded: Mapping[str, Any],
) -> None:
    result.scenarios += 1
    comparison = _Comparison(name, result)
    for step, reply in recorded.items():
        if step in replies:
            result.steps += 1
            comparison.compare(step, *replies[step], reply)
        else:
            result.not_replayed.append(f"{name}: {step}")


class _Comparison:
    """Holds one scenario's replies against AWS's; ids must be the same where AWS's were."""

    def __init__(self, scenario: str, result: Result) -> None:
        self._scenario = scenario
        self._result = result
        self._bound: dict[str, str] = {}

    def compare(self, step: str, operation: str, local: Any, recorded: Any) -> None:
        if isinstance(recorded, dict) and "CreateFunctionResponse" in recorded:
            recorded = recorded["CreateFunctionResponse"]
        if isinstance(recorded, dict) and "Code" in recorded and "ResponseMetadata" not in recorded:
            local = _as_constraints(local)
        theirs = dict(_fields(recorded))
        ours = dict(_fields(_like(local, recorded)))
        if ("Error.Code" in theirs) != ("Error.Code" in ours):  # one error, not all fields it lacks
            theirs, ours = ({"status": each["status"]} for each in (theirs, ours))
        for path in {**theirs, **ours}:
            there, here = theirs.get(path), ours.get(path)
            if self._same(there, here):
                self._result.same[operation] += 1
            else:
                self._result.differences.append(
                    Difference(self._scenario, step, operation, path, there, here)
                )

    def _same(self, recorded: Any, local: Any) -> bool:
        if recorded in ("date", "datetime", "code-sha256") and local is not None:
            return True
        if not isinstance(recorded, str) or local is None:
            return bool(recorded == local)
        recorded, local = _ENUM.sub(_in_order, recorded), _ENUM.sub(_in_order, str(local))
        at, pattern, names = 0, "", []
        for found in _PLACEHOLDER.finditer(recorded):
            names.append(found[0])
            pattern += re.escape(recorded[at : found.start()]) + "(.*?)"
            at = found.end()
        match = re.fullmatch(pattern + re.escape(recorded[at:]), local, re.DOTALL)
        return match is not None and all(map(self._bind, names, match.groups()))

    def _bind(self, name: str, value: str) -> bool:
        """Whether an id is the one of before under this name, and of no other name."""
        if not _BOUND.fullmatch(name):
            return True
        if name not in self._bound and value in self._bound.values():
            return False
        return self._bound.setdefault(name, value) == value


def _in_order(found: re.Match[str]) -> str:
    """A set has no order: AWS gives its values in one that the model does not."""
    return f"value set: [{', '.join(sorted(found[1].split(', ')))}]"


def _as_constraints(reply: dict[str, Any]) -> dict[str, Any]:
    """Give an error as some scenarios recorded it: its code with its constraints in order."""
    error = reply.get("Error", {})
    found = sorted(_CONSTRAINT.findall(error.get("Message", "")))
    if found:
        return {"Code": error["Code"], "Errors": found, "Count": len(found)}
    return {"Code": error.get("Code"), "Message": error.get("Message")}


def _like(local: Any, recorded: Any) -> Any:
    """Read what is JSON in text where the recording has the object."""
    if isinstance(recorded, dict) and isinstance(local, str):
        return json.loads(local)
    if isinstance(recorded, dict) and isinstance(local, dict):
        return {key: _like(value, recorded.get(key)) for key, value in local.items()}
    return local


def _fields(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its path; of the metadata the status alone, and an error's message once."""
    if isinstance(value, dict) and value:
        for key, each in value.items():
            if key == "ResponseMetadata":
                yield "status", each.get("HTTPStatusCode")
            elif not (key in ("message", "Message") and "Error" in value):
                yield from _fields(each, f"{path}.{key}".removeprefix("."))
    elif isinstance(value, list) and value:
        for number, each in enumerate(value):
            yield from _fields(each, f"{path}[{number}]")
    else:
        yield path, value


def load(folder: Path) -> dict[str, Any]:
    """Read the recordings of Lambda's API and of invocations."""
    names = ("lambda_api", "lambda_invoke")
    return {k: v for n in names for k, v in json.loads((folder / f"{n}.json").read_text()).items()}
