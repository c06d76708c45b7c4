"""Holds replies against those that AWS recorded: field by field, and error by error.

A reply by which the local Lambda refuses, by name, what it hasn't got is no difference: it's
counted with its words, and so are the steps that would have followed it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PLACEHOLDER: Final = re.compile(r"<+[^<>=]+>(?::\d+>)?|1{12}|(?:aaa)+a*|(?<![\w-])date(?=[\t ])")
_FIGURE: Final = re.compile(r"((?:Duration|Max Memory Used): |\.v)[\d.]+(?= ms\t| MB\t|\t)")
"""What a log line says of one run, or of one build of a runtime."""
_BOUND: Final = re.compile(r"<+(uuid|code-sha-?256|revision-id).*")
_ENUM: Final = re.compile(r"value set: \[([^\]]*)\]")
_CONSTRAINT: Final = re.compile(r"Value '.*?' at '.*?' failed to satisfy constraint: .+?(?=;|$)")
_HIDDEN: Final = (
    *("date", "datetime", "timestamp", "event-id", "log-result", "code-sha256"),
    *("lambda-url", "function-url"),
)
HANDLER: Final = "a handler"
"""The operation of a step that is what a handler said."""
_NO_RUNTIME: Final = "can't be run locally"
_ABSENT: Final = "ResourceNotFoundException"
_REFUSED: Final = re.compile(r"(is|are) not supported by the local Lambda")


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

    same: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Fields and errors as on AWS, by scenario and operation."""
    differences: list[Difference] = field(default_factory=list)
    scenarios: list[str] = field(default_factory=list)
    steps: Counter[str] = field(default_factory=Counter)
    """Those that were replayed, by scenario."""
    refused: dict[tuple[str, str], str] = field(default_factory=dict)
    """The local Lambda's words, by scenario and step; steps that would follow have none."""
    not_replayed: list[tuple[str, str]] = field(default_factory=list)

    def of_operations(self) -> str:
        """Give the counts by operation."""
        differs = Counter(each.operation for each in self.differences)
        same = Counter[str]()
        for (_, operation), count in self.same.items():
            same[operation] += count
        lines = [f"{'operation':44}{'same':>7}{'differs':>9}"]
        lines += [
            f"{operation:44}{same[operation]:7}{differs[operation]:9}"
            for operation in sorted({*same, *differs})
        ]
        return "\n".join(lines)


def compare(
    result: Result,
    name: str,
    replies: Mapping[str, tuple[str, dict[str, Any]]],
    recorded: Mapping[str, Any],
) -> None:
    """Hold a scenario's replies against AWS's."""
    result.scenarios.append(name)
    comparison = _Comparison(name, result)
    is_refused = False
    for step, reply in recorded.items():
        words = _words_of_refusal(replies[step][1], reply) if step in replies else None
        if is_refused and _is_absent(replies.get(step)) and not _is_error(reply):
            words = ""  # what was refused is now not found
        if words is not None:
            result.refused[name, step] = words
            is_refused = True
        elif step in replies:
            result.steps[name] += 1
            comparison.compare(step, *replies[step], reply)
        elif is_refused:
            result.refused[name, step] = ""
        else:
            result.not_replayed.append((name, step))


def _words_of_refusal(reply: Any, recorded: Any) -> str | None:
    """By which words the local Lambda said that it hasn't got something; None if it didn't."""
    if not isinstance(reply, dict):
        return None
    words = str(reply.get("Error", reply).get("Message", ""))
    if _NO_RUNTIME in words and not _is_error(recorded):
        return words
    return words if _REFUSED.search(words) else None


def _is_error(reply: Any) -> bool:
    return isinstance(reply, dict) and "Error" in reply


def _is_absent(reply: tuple[str, Any] | None) -> bool:
    return reply is not None and reply[1].get("Error", {}).get("Code") == _ABSENT


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
            theirs, ours = ({"status": each.get("status")} for each in (theirs, ours))
        for path in {**theirs, **ours}:
            there, here = theirs.get(path), ours.get(path)
            if self._same(there, here):
                self._result.same[self._scenario, operation] += 1
            else:
                self._result.differences.append(
                    Difference(self._scenario, step, operation, path, there, here)
                )

    def _same(self, recorded: Any, local: Any) -> bool:
        if recorded in _HIDDEN and local is not None:
            return True
        if not isinstance(recorded, str) or local is None:
            return bool(recorded == local)
        recorded, local = (
            _FIGURE.sub(r"\g<1>0", _ENUM.sub(_in_order, text)) for text in (recorded, str(local))
        )
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
        return _like(json.loads(local), recorded)
    if isinstance(recorded, str) and _PLACEHOLDER.fullmatch(recorded) and local is not None:
        return str(local)
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
