"""State machines in the Amazon States Language, as JSON or YAML: their states and functions.

Names, fields and defaults are those of the Amazon States Language specification (JSONPath and
JSONata alike) and of Step Functions' optimized integrations. What decides only about data is
skipped.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from tuner.iac.document import read_document
from tuner.model.workflow import (
    Catcher,
    Choice,
    Machine,
    Map,
    Parallel,
    Pass,
    Retrier,
    Task,
    Wait,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tuner.iac.document import TemplateNode
    from tuner.model.workflow import State

INLINE_CONCURRENCY: Final = 40
"""Iterations of an inline map at once, at most (Step Functions quotas)."""
_FUNCTION: Final = re.compile(
    r"(?:arn:[\w-]+:lambda:[\w-]*:\d*:function:|(?:\d{12}:)?function:)?"
    r"(?P<name>[A-Za-z0-9_-]{1,140})(?::(?:\$LATEST|[A-Za-z0-9_-]+))?"
)
_FUNCTION_ARN: Final = re.compile(r"arn:[\w-]+:lambda:[\w-]*:\d*:function:.+")
_INVOKE: Final = re.compile(r"arn:[^:]*:states:[^:]*:[^:]*:(?:aws-sdk:)?lambda:invoke(?:\..+)?")
_PLACEHOLDER: Final = re.compile(r"\$\{([^${}]*)\}")
_ENDS: Final = ("Succeed", "Fail")


@dataclass(frozen=True, slots=True)
class Substitutions:
    """What a definition's `${Name}` stand for, and which functions states call that only the input
    of an execution names, by the state's name.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    called: Mapping[str, str] = field(default_factory=dict)


def read_machine(
    path: Path, substitutions: Substitutions | None = None, *, text: str | None = None
) -> Machine:
    """Read a state machine's file; `text` stands in for what it has. Raises TemplateError."""
    return machine_of(read_document(path, text), substitutions or Substitutions())


def machine_of(root: TemplateNode, substitutions: Substitutions) -> Machine:
    """The same of a node, such as the Definition in a template. Raises TemplateError."""
    return _Reader(substitutions).machine(root, "the state machine")


class _Rules(NamedTuple):
    """A state's Retry and Catch."""

    retriers: tuple[Retrier, ...]
    catchers: tuple[Catcher, ...]

    @classmethod
    def of(
        cls, found: Mapping[str, TemplateNode], what: str, siblings: Mapping[str, object]
    ) -> _Rules:
        return cls(
            tuple(_retrier(each, f"Retry of {what}") for each in _items(found, "Retry", what)),
            tuple(
                _catcher(each, f"Catch of {what}", siblings)
                for each in _items(found, "Catch", what)
            ),
        )


class _Reader:
    def __init__(self, substitutions: Substitutions) -> None:
        self._substitutions = substitutions
        self._names: set[str] = set()

    def machine(self, node: TemplateNode, what: str) -> Machine:
        entries = node.entries(what)
        for needed in ("StartAt", "States"):
            if needed not in entries:
                node.refuse(f"{what} has no {needed}: the Amazon States Language is needed")
        states = entries["States"][1].entries(f"States of {what}")
        start = entries["StartAt"][1].text(f"StartAt of {what}")
        if start not in states:
            entries["StartAt"][1].refuse(f"{what} starts at {start}, which isn't one of its States")
        return Machine(
            start, tuple(self._state(name, *pair, states) for name, pair in states.items())
        )

    def _state(
        self, name: str, key: TemplateNode, node: TemplateNode, siblings: Mapping[str, object]
    ) -> State:
        what = f"state {name}"
        if name in self._names:
            key.refuse(f"there are two states {name}: names are unique in a state machine")
        self._names.add(name)
        found = node.values(what)
        if "Type" not in found:
            node.refuse(f"{what} has no Type")
        kind = found["Type"].text(f"Type of {what}")
        if kind == "Choice":
            return _choice(name, node, found, siblings)
        following = None if kind in _ENDS else _next(found, what, siblings)
        if kind not in _ENDS and following is None and "End" not in found:
            node.refuse(f"{what} has neither Next nor End")
        if kind in {"Pass", *_ENDS}:
            return Pass(name, following, fails=kind == "Fail")
        if kind == "Wait":
            return Wait(name, following, _number(found, "Seconds", what))
        rules = _Rules.of(found, what, siblings)
        if kind == "Task":
            return self._task(name, node, found, following, rules)
        if kind == "Map":
            return self._map(name, node, found, following, rules)
        if kind != "Parallel":
            found["Type"].refuse(f"{what} has the Type {kind}, which the language doesn't have")
        branches = tuple(
            self.machine(each, f"a branch of {what}") for each in _items(found, "Branches", what)
        )
        return Parallel(name, branches, following, rules.retriers, rules.catchers)

    def _map(
        self,
        name: str,
        node: TemplateNode,
        found: Mapping[str, TemplateNode],
        following: str | None,
        rules: _Rules,
    ) -> Map:
        what = f"state {name}"
        body = found.get("ItemProcessor") or found.get("Iterator")
        if body is None:
            node.refuse(f"{what} has no ItemProcessor")
        processor = body.values(f"ItemProcessor of {what}").get("ProcessorConfig")
        config = {} if processor is None else processor.values("ProcessorConfig")
        is_distributed = "Mode" in config and config["Mode"].text("Mode") == "DISTRIBUTED"
        most = int(_number(found, "MaxConcurrency", what) or 0)
        if not is_distributed:
            most = min(most or INLINE_CONCURRENCY, INLINE_CONCURRENCY)
        batch = found.get("ItemBatcher")
        per_batch = None
        if batch is not None:
            per_batch = _number(batch.values("ItemBatcher"), "MaxItemsPerBatch", what)
        return Map(
            name,
            self.machine(body, f"the machine in {what}"),
            following,
            max_concurrency=most or None,
            is_distributed=is_distributed,
            batch_size=max(int(per_batch or 1), 1),
            tolerated_ratio=(_number(found, "ToleratedFailurePercentage", what) or 0.0) / 100,
            tolerated_count=int(_number(found, "ToleratedFailureCount", what) or 0),
            retriers=rules.retriers,
            catchers=rules.catchers,
        )

    def _task(
        self,
        name: str,
        node: TemplateNode,
        found: Mapping[str, TemplateNode],
        following: str | None,
        rules: _Rules,
    ) -> Task:
        what = f"state {name}"
        if "Resource" not in found:
            node.refuse(f"{what} has no Resource")
        resource = self._substituted(found["Resource"], f"Resource of {what}")
        function, awaits = None, True
        if _INVOKE.fullmatch(resource):
            given = found.get("Arguments") or found.get("Parameters")
            arguments = {} if given is None else given.values(f"the arguments of {what}")
            function = self._called(name, node, arguments)
            kind = arguments.get("InvocationType")
            awaits = kind is None or kind.text("InvocationType") != "Event"
        elif _FUNCTION_ARN.fullmatch(resource):
            function = self._function(found["Resource"], resource, what)
        elif name in self._substitutions.called:
            function = self._substitutions.called[name]
        return Task(name, following, function, resource, awaits, rules.retriers, rules.catchers)

    def _called(self, name: str, node: TemplateNode, arguments: Mapping[str, TemplateNode]) -> str:
        """The function that `lambda:invoke` invokes."""
        if name in self._substitutions.called:
            return self._substitutions.called[name]
        given = arguments.get("FunctionName")
        if given is None and "FunctionName.$" not in arguments:
            node.refuse(f"state {name} invokes a function and has no FunctionName")
        written = "" if given is None else self._substituted(given, f"FunctionName of {name}")
        if given is None or written.lstrip().startswith("{%"):
            node.refuse(
                f"state {name} calls a function that only the input of an execution names: say "
                f"which with `calls={name}=FUNCTION`"
            )
        return self._function(given, written, f"state {name}")

    def _function(self, node: TemplateNode, written: str, what: str) -> str:
        match = _FUNCTION.fullmatch(written)
        if match is None:
            node.refuse(f"{what} calls {written!r}, which is no function's name or ARN")
        return match["name"]

    def _substituted(self, node: TemplateNode, what: str) -> str:
        """Text with its `${Name}` replaced."""

        def value(match: re.Match[str]) -> str:
            found = self._substitutions.values.get(match[1])
            if found is None:
                node.refuse(
                    f"{what} refers to {match[0]}: give the `template` whose "
                    "DefinitionSubstitutions say what that is, or "
                    f"`substitution={match[1]}=FUNCTION`"
                )
            return found

        return _PLACEHOLDER.sub(value, node.text(what))


def _choice(
    name: str,
    node: TemplateNode,
    found: Mapping[str, TemplateNode],
    siblings: Mapping[str, object],
) -> Choice:
    what = f"state {name}"
    targets = [_next(each.values(what), what, siblings) for each in _items(found, "Choices", what)]
    if "Default" in found:
        targets.append(_existing(found["Default"], f"Default of {what}", siblings))
    named = tuple(dict.fromkeys(each for each in targets if each is not None))
    if not named:
        node.refuse(f"{what} has no Choices with a Next")
    return Choice(name, named)


def _next(
    found: Mapping[str, TemplateNode], what: str, siblings: Mapping[str, object]
) -> str | None:
    if "Next" not in found:
        return None
    return _existing(found["Next"], f"Next of {what}", siblings)


def _existing(node: TemplateNode, what: str, siblings: Mapping[str, object]) -> str:
    name = node.text(what)
    if name not in siblings:
        node.refuse(f"{what} is {name}, which isn't a state beside it")
    return name


def _retrier(node: TemplateNode, what: str) -> Retrier:
    found = node.values(what)
    return Retrier(
        _errors(found, what),
        _or(_number(found, "IntervalSeconds", what), 1.0),
        int(_or(_number(found, "MaxAttempts", what), 3)),
        _or(_number(found, "BackoffRate", what), 2.0),
        _number(found, "MaxDelaySeconds", what),
        "JitterStrategy" in found and found["JitterStrategy"].text(what) == "FULL",
    )


def _catcher(node: TemplateNode, what: str, siblings: Mapping[str, object]) -> Catcher:
    found = node.values(what)
    following = _next(found, what, siblings)
    if following is None:
        node.refuse(f"{what} has a rule without Next")
    return Catcher(_errors(found, what), following)


def _errors(found: Mapping[str, TemplateNode], what: str) -> tuple[str, ...]:
    return tuple(each.text(f"ErrorEquals in {what}") for each in _items(found, "ErrorEquals", what))


def _items(found: Mapping[str, TemplateNode], name: str, what: str) -> list[TemplateNode]:
    return found[name].items(f"{name} of {what}") if name in found else []


def _number(found: Mapping[str, TemplateNode], name: str, what: str) -> float | None:
    """A number from 0; None where it isn't written, or only the input of an execution has it."""
    if name not in found:
        return None
    written = found[name].text(f"{name} of {what}")
    if written.lstrip().startswith("{%"):
        return None
    try:
        number = float(written)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        found[name].refuse(f"{name} of {what} is {written!r}: a number from 0 is needed")
    return number


def _or(number: float | None, default: float) -> float:
    return default if number is None else number
