"""State machines in the Amazon States Language, as JSON or YAML: their states and functions.

Names, fields and defaults are those of the Amazon States Language specification (JSONPath and
JSONata alike) and of Step Functions' optimized integrations. What decides only about data is
skipped.
"""

from __future__ import annotations

import contextlib
import math
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from tuner.errors import TemplateError
from tuner.iac.document import read_document, read_text
from tuner.iac.placeholders import Substitutions
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
    from collections.abc import Callable, Mapping
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
_UNQUOTED: Final = re.compile(r"([:\[,]\s*)(\$\{[^\"{}]*\})(?=\s*[,\]}])")
_LITERAL: Final = re.compile(r"""\s*\{%\s*(['"])(?P<text>[^'"]*)\1\s*%\}\s*""")
_ENDS: Final = ("Succeed", "Fail")


def read_machine(
    path: Path, substitutions: Substitutions | None = None, *, text: str | None = None
) -> Machine:
    """Read a state machine's file; `text` stands in for what it has. Raises TemplateError."""
    return machine_of(read_definition(path, text), substitutions or Substitutions())


def read_definition(path: Path, text: str | None = None) -> TemplateNode:
    """The document of a state machine's file, or of a template. Raises TemplateError.

    JSON may have placeholders without quotes, as Terraform's templates do.
    """
    if text is None:
        if not path.exists():
            raise TemplateError(f"there is no definition {path}: check the path")
        text = read_text(path)
    if not text.strip():
        raise TemplateError(f"{path} is empty: a state machine's definition is needed")
    try:
        return read_document(path, text)
    except TemplateError:
        quoted = _UNQUOTED.sub(r'\1"\2"', text)
        if quoted == text:
            raise
        return read_document(path, quoted)


def machine_of(root: TemplateNode, substitutions: Substitutions) -> Machine:
    """Read a state machine from a node, such as a template's Definition. Raises TemplateError."""
    return _Reader(substitutions).machine(root, "the state machine")


class _Entry(NamedTuple):
    """A state's document, read as far as the states that run something have it in common."""

    name: str
    node: TemplateNode
    values: Mapping[str, TemplateNode]
    following: str | None
    retriers: tuple[Retrier, ...]
    catchers: tuple[Catcher, ...]

    @property
    def what(self) -> str:
        """What messages call it."""
        return f"state {self.name}"


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
            start,
            tuple(self._state(name, *pair, states) for name, pair in states.items()),
            _timeout_s(node.values(what), what, self._substitutions),
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
            return Wait(name, following, _number(found, "Seconds", what, self._substitutions))
        readers: dict[str, Callable[[_Entry], State]] = {
            "Task": self._task, "Map": self._map, "Parallel": self._parallel
        }  # fmt: skip
        if kind not in readers:
            found["Type"].refuse(f"{what} has the Type {kind}, which the language doesn't have")
        known = self._substitutions
        retriers = tuple(
            _retrier(each, f"Retry of {what}", known) for each in _items(found, "Retry", what)
        )
        catchers = tuple(
            _catcher(each, f"Catch of {what}", siblings) for each in _items(found, "Catch", what)
        )
        return readers[kind](_Entry(name, node, found, following, retriers, catchers))

    def _parallel(self, entry: _Entry) -> Parallel:
        what = entry.what
        branches = tuple(
            self.machine(each, f"a branch of {what}")
            for each in _items(entry.values, "Branches", what)
        )
        if not branches:
            entry.node.refuse(f"{what} has no Branches")
        return Parallel(entry.name, branches, entry.following, entry.retriers, entry.catchers)

    def _map(self, entry: _Entry) -> Map:
        found, what = entry.values, entry.what
        body = found.get("ItemProcessor") or found.get("Iterator")
        if body is None:
            entry.node.refuse(f"{what} has no ItemProcessor")
        processor = body.values(f"ItemProcessor of {what}").get("ProcessorConfig")
        config = {} if processor is None else processor.values("ProcessorConfig")
        is_distributed = "Mode" in config and config["Mode"].text("Mode") == "DISTRIBUTED"
        known = self._substitutions
        most = int(_number(found, "MaxConcurrency", what, known) or 0)
        if not is_distributed:
            most = min(most or INLINE_CONCURRENCY, INLINE_CONCURRENCY)
        batch = found.get("ItemBatcher")
        per_batch = None
        if batch is not None:
            per_batch = _number(batch.values("ItemBatcher"), "MaxItemsPerBatch", what, known)
        return Map(
            entry.name,
            self.machine(body, f"the machine in {what}"),
            entry.following,
            max_concurrency=most or None,
            is_distributed=is_distributed,
            batch_size=max(int(per_batch or 1), 1),
            tolerated_ratio=(_number(found, "ToleratedFailurePercentage", what, known) or 0.0)
            / 100,
            tolerated_count=int(_number(found, "ToleratedFailureCount", what, known) or 0),
            retriers=entry.retriers,
            catchers=entry.catchers,
        )

    def _task(self, entry: _Entry) -> Task:
        name, found, what = entry.name, entry.values, entry.what
        if "Resource" not in found:
            entry.node.refuse(f"{what} has no Resource")
        given = found["Resource"]
        written = given.text(f"Resource of {what}")
        known = self._substitutions
        function = known.called.get(name)
        resource, awaits = written, True
        if function is None or "${" not in written:
            resource = known.name(given, written, f"Resource of {what}")
        if _INVOKE.fullmatch(resource):
            listed = found.get("Arguments") or found.get("Parameters")
            is_text = listed is not None and listed.is_text
            arguments = {} if listed is None or is_text else listed.values(f"arguments of {what}")
            if function is None:
                function = self._called(name, entry.node, arguments, is_text=is_text)
            kind = arguments.get("InvocationType")
            awaits = kind is None or kind.text("InvocationType") != "Event"
        elif function is None and (
            _FUNCTION_ARN.fullmatch(resource)
            or (known.is_named(written) and not resource.startswith("arn:"))
        ):
            function = self._function(given, resource, name)
        return Task(
            name,
            entry.following,
            function,
            resource,
            awaits,
            entry.retriers,
            entry.catchers,
            _timeout_s(found, what, known),
        )

    def _called(
        self, name: str, node: TemplateNode, arguments: Mapping[str, TemplateNode], *, is_text: bool
    ) -> str:
        """The function that `lambda:invoke` invokes; `is_text`: an expression has the arguments."""
        given = arguments.get("FunctionName")
        if given is None and "FunctionName.$" not in arguments and not is_text:
            node.refuse(f"state {name} invokes a function and has no FunctionName")
        written = "" if given is None else given.text(f"FunctionName of {name}")
        if (literal := _LITERAL.fullmatch(written)) is not None:
            written = literal["text"]
        if given is None or written.lstrip().startswith("{%"):
            node.refuse(
                f"state {name} calls a function that only the input of an execution names: say "
                f"which with `calls={name}=FUNCTION`"
            )
        named = self._substitutions.name(given, written, f"FunctionName of {name}")
        return self._function(given, named, name)

    def _function(self, node: TemplateNode, written: str, name: str) -> str:
        match = _FUNCTION.fullmatch(written)
        if match is None:
            node.refuse(
                f"state {name} calls {node.text(name)!r}, which is no function's name or ARN: say "
                f"which it is with `calls={name}=FUNCTION`"
            )
        return match["name"]


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


def _retrier(node: TemplateNode, what: str, known: Substitutions) -> Retrier:
    found = node.values(what)
    return Retrier(
        _errors(found, what),
        _or(_number(found, "IntervalSeconds", what, known), 1.0),
        int(_or(_number(found, "MaxAttempts", what, known), 3)),
        _or(_number(found, "BackoffRate", what, known), 2.0),
        _number(found, "MaxDelaySeconds", what, known),
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


def _number(
    found: Mapping[str, TemplateNode], name: str, what: str, known: Substitutions
) -> float | None:
    """A number from 0; None where it isn't written, or only the input of an execution has it."""
    if name not in found:
        return None
    whose = f"{name} of {what}"
    written = known.text(found[name], found[name].text(whose), whose, "NUMBER")
    if written.lstrip().startswith("{%"):
        return None
    try:
        number = float(written)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        found[name].refuse(f"{whose} is {written!r}: a number from 0 is needed")
    return number


def _timeout_s(found: Mapping[str, TemplateNode], what: str, known: Substitutions) -> float | None:
    """TimeoutSeconds; None where nothing here says it, which nothing else depends on."""
    with contextlib.suppress(TemplateError):
        return _number(found, "TimeoutSeconds", what, known) or None
    return None


def _or(number: float | None, default: float) -> float:
    return default if number is None else number
