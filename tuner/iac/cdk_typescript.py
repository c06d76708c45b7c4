"""CDK and Pulumi in TypeScript and JavaScript: objects of the classes that make functions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tuner.iac.cdk import AppFile, Around, Call, classes_of, is_pulumi
from tuner.iac.parser import syntax_tree, walk, written
from tuner.iac.setting import ANY, DeclaredFunction, Setting, Sources, Stage
from tuner.iac.typescript_code import (
    LOOPS,
    SUFFIXES,
    Code,
    LiteralObject,
    is_for_each,
    name_of,
    number_of,
    shortened,
    string_of,
)
from tuner.model import lambda_limits as limits

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.iac.cdk import Use

_LIBRARIES: Final = ("aws-cdk-lib", "@aws-cdk/", "@pulumi/aws")
_MEMORY: Final = "memorySize"
_BESIDE: Final = ("timeout", "runtime", "handler", "entry")
_FROM: Final = r"""['"]((?:aws-cdk-lib|@aws-cdk|@pulumi/aws)[^'"]*)['"]"""
_WHOLE: Final = re.compile(
    rf"import\s+\*\s+as\s+(\w+)\s+from\s+{_FROM}"
    rf"|(?:import|const|let|var)\s+(\w+)\s*=\s*require\(\s*{_FROM}"
    rf"|import\s+(\w+)\s+from\s+{_FROM}"
)
_NAMED: Final = re.compile(
    rf"import\s+(?:\w+\s*,\s*)?\{{([^}}]*)\}}\s*from\s+{_FROM}"
    rf"|(?:const|let|var)\s+\{{([^}}]*)\}}\s*=\s*require\(\s*{_FROM}"
)
_RENAMED: Final = re.compile(r"(\w+)(?:\s*(?:\bas\b|:)\s*(\w+))?")


def has_functions(text: str) -> bool:
    """Whether a file may declare functions."""
    return any(each in text for each in _LIBRARIES) and "Function" in text


def read_functions(path: Path, sources: Sources, _stage: Stage) -> list[DeclaredFunction]:
    """Return a file's functions in its order. Raises TemplateError."""
    return _AppFile(path, sources).functions()


@dataclass(frozen=True, slots=True)
class _Call(Call):
    props: Any


class _AppFile(AppFile[_Call]):
    suffixes = SUFFIXES
    name_key = "functionName"
    remedy = "give it the memory as a property"
    text = staticmethod(string_of)
    written = staticmethod(written)
    shown = staticmethod(shortened)

    def __init__(self, path: Path, sources: Sources) -> None:
        super().__init__(path, sources)
        self._code = Code(syntax_tree("typescript", self.data))
        self._modules: dict[str, str] = {}
        """What a name stands for: `aws_lambda`, or `aws_lambda.Function`."""
        text = self.data.decode("utf-8", "replace")
        for match in _WHOLE.finditer(text):
            names = [each for each in match.groups() if each]
            self._modules[names[0]] = _module(names[1])
        for match in _NAMED.finditer(text):
            names = [each for each in match.groups() if each]
            for each in _RENAMED.finditer(names[0]):
                outer = _module(names[1])
                self._modules[each[2] or each[1]] = f"{outer}.{each[1]}".removeprefix("aws_cdk.")
        for node in walk(self._code.root):
            if node.type == "new_expression":
                self._read_call(node)

    def _read_call(self, node: Any) -> None:
        made = node.child_by_field_name("constructor")
        listed = node.child_by_field_name("arguments")
        if made is None or listed is None:
            return
        first, dot, rest = written(made).partition(".")
        module, _, kind = f"{self._modules.get(first, '')}{dot}{rest}".rpartition(".")
        pulumi = is_pulumi(module, kind)
        if not pulumi and kind not in classes_of(module.rpartition(".")[2]):
            return
        arguments = [each for each in listed.named_children if each.type != "comment"]
        arguments = arguments[0 if pulumi else 1 :]
        if arguments:
            props = arguments[1] if len(arguments) > 1 else None
            self.calls.append(_Call(node, arguments[0], pulumi, props))

    def memory(self, each: _Call) -> int | str:
        if each.props is None:
            return limits.MIN_MEMORY_MB
        found = self._code.object(each.props)
        if found is None:
            return written(each.props)
        value = self._memory_of(found)
        if value is None:
            return limits.MIN_MEMORY_MB
        if isinstance(value, str):
            return value
        number = number_of(value)
        if number is None and value.type in ("identifier", "shorthand_property_identifier"):
            constant = self._code.constant(written(value))
            number = None if constant is None else number_of(constant)
        return written(value) if number is None else number

    def _memory_of(self, found: LiteralObject, levels: int = 3) -> Any:
        """The value of memorySize, None where there is none, a text where that isn't known."""
        own = found.pairs.get(_MEMORY)
        last = found.spreads[-1] if found.spreads else None
        if own is not None and (last is None or own.start_byte > last.start_byte):
            return own
        for spread in reversed(found.spreads):
            if own is not None and own.start_byte > spread.start_byte:
                break
            inner = self._code.object(spread) if levels else None
            if inner is None:
                return f"...{written(spread)}"
            value = self._memory_of(inner, levels - 1)
            if value is not None:
                return value
        return own

    def locate(self, each: _Call, _memory_mb: int) -> Setting:
        if each.node.has_error:
            self.refuse(each.node, "this code can't be read: change it by hand")
        self.check_single(each, _around(each.node.parent))
        if each.props is None:
            at, before = int(each.id.end_byte), f", {{ {_MEMORY}: "
            return Setting(self.path, (at, at), before=before, after=" }")
        found = self._code.object(each.props)
        if found is None:
            self.refuse(
                each.props, f"its properties are {shortened(each.props)}, which isn't known here"
            )
        if each.props.type == "identifier" and self._code.uses(written(each.props)) > 2:
            return self._spread(each)
        value = self._memory_of(found)
        if isinstance(value, str):
            self.refuse(each.props, f"its properties have {value[:60]}, which isn't known here")
        own = found.pairs.get(_MEMORY)
        if value is None or own is None or value.id != own.id:
            return self._inserted(found, self._sharing(each, value))
        return self._of_value(each, own)

    def _spread(self, each: _Call) -> Setting:
        """Properties that others use too, with a memory besides."""
        name = written(each.props)
        shared = tuple(
            self.label(other)
            for other in self.calls
            if other is not each and other.props is not None and written(other.props) == name
        )
        span = (int(each.props.start_byte), int(each.props.end_byte))
        before = f"{{ ...{name}, {_MEMORY}: "
        return Setting(self.path, span, shared_by=shared, before=before, after=" }")

    def _of_value(self, each: _Call, value: Any) -> Setting:
        span = (int(value.start_byte), int(value.end_byte))
        if number_of(value) is not None:
            return Setting(self.path, span)
        is_short = value.type == "shorthand_property_identifier"
        name = written(value)
        constant = self._code.constant(name) if is_short or value.type == "identifier" else None
        if constant is None or number_of(constant) is None:
            self.refuse(
                value,
                f"the memory is {shortened(value)}, which is no number in this file: write one, or "
                "change it where it comes from",
            )
        if self._code.uses(name) == 2 and not self._code.is_exported(constant):
            return Setting(self.path, (int(constant.start_byte), int(constant.end_byte)))
        shared = self._sharing(each, value)
        before = f"{name}: " if is_short else ""
        return Setting(self.path, span, shared_by=shared, before=before)

    def _sharing(self, each: _Call, value: Any) -> tuple[str, ...]:
        """Other functions with the same value, or the same name for it."""
        if value is None:
            return ()
        found = []
        for other in self.calls:
            theirs = self._code.object(other.props) if other is not each else None
            memory = None if theirs is None else self._memory_of(theirs)
            if memory is None or isinstance(memory, str):
                continue
            is_name = "identifier" in value.type and written(memory) == written(value)
            if memory.id == value.id or is_name:
                found.append(self.label(other))
        return tuple(found)

    def _inserted(self, found: LiteralObject, shared: tuple[str, ...]) -> Setting:
        behind = int(found.spreads[-1].end_byte) if found.spreads else 0
        pairs = {
            name: value
            for name, value in found.pairs.items()
            if value.start_byte > behind and value.parent.id != found.node.id
        }
        beside = [name for name in (*_BESIDE, *pairs) if name in pairs]
        if not beside:
            if not found.spreads:
                self.refuse(found.node, f"there is nothing to put {_MEMORY} beside: write it")
            at, before, after = behind, f",{self._gap(behind)}{_MEMORY}: ", ""
        else:
            at = int(pairs[beside[0]].parent.start_byte)
            before, after = f"{_MEMORY}: ", f",{self._gap(at)}"
        return Setting(self.path, (at, at), shared, before=before, after=after)

    def _gap(self, at: int) -> str:
        """What parts a property from the one that begins or ends at a place: a line, or a space."""
        line = self.data[self.data.rfind(b"\n", 0, at) + 1 : at]
        margin = line[: len(line) - len(line.lstrip())]
        if line.strip() and not line.strip().startswith(b"..."):
            return " "
        end = self.data.find(b"\n", at)
        return ("\r\n" if self.data[end - 1 : end] == b"\r" else "\n") + margin.decode()

    def is_use(self, use: Use) -> bool:
        # An object is made, a function called or a class inherited from.
        node = self._node_at(use)
        if node.type == "new":
            return not self._is_librarys(
                use, written(node.parent.child_by_field_name("constructor"))
            )
        if node.type == "extends":
            return True
        called = node
        if called.parent.type == "member_expression":
            called = called.parent
        call = called.parent
        if "identifier" not in node.type or call.type != "call_expression":
            return False
        return bool(call.child_by_field_name("function").id == called.id)

    def _is_librarys(self, use: Use, made: str) -> bool:
        """Whether a class that is made is CDK's or Pulumi's own: `new sfn.StateMachine(…)`."""
        text = self.sources.data(use.path).decode("utf-8", "replace")
        return made.partition(".")[0] in _library_names(text)

    def around_of(self, use: Use) -> Around:
        return _around(self._node_at(use))

    def _node_at(self, use: Use) -> Any:
        root = syntax_tree("typescript", self.sources.data(use.path))
        return root.descendant_for_byte_range(use.at, use.at + 1)

    def value(self, each: _Call, name: str) -> Any:
        found = self._code.object(each.props)
        return None if found is None else found.pairs.get(name)

    def line(self, node: Any) -> int:
        return int(node.start_point[0]) + 1

    def pattern(self, value: Any) -> str | None:
        if value.type == "identifier":
            value = self._code.constant(written(value)) or value
        if value.type == "template_string":
            return "".join(
                ANY if part.type == "template_substitution" else written(part)
                for part in value.named_children
            )
        if value.type == "binary_expression" and written(value.children[1]) == "+":
            return "".join(self.pattern(part) or ANY for part in value.named_children)
        return string_of(value)


def _library_names(text: str) -> set[str]:
    """What a file calls modules of CDK and Pulumi, and what it imports from them."""
    found = {match[1] or match[3] or match[5] for match in _WHOLE.finditer(text)}
    for match in _NAMED.finditer(text):
        found |= {each[2] or each[1] for each in _RENAMED.finditer(match[1] or match[3])}
    return found


def _around(node: Any) -> Around:
    names, in_loop = [], False
    while node is not None:
        in_loop = in_loop or node.type in LOOPS or is_for_each(node)
        name = name_of(node)
        if name is not None and name != "constructor":
            names.append((name, node.type.startswith(("class", "abstract_class"))))
        node = node.parent
    return Around(tuple(names), in_loop)


def _module(path: str) -> str:
    """`aws_lambda` for `aws-cdk-lib/aws-lambda`, `aws_cdk` for the library itself."""
    if path.startswith("@pulumi/aws"):
        return path.replace("@pulumi/aws", "pulumi_aws").replace("/", ".")
    last = path.rpartition("/")[2].replace("-", "_")
    return "aws_cdk" if path in ("aws-cdk-lib", "@aws-cdk/core") else last
