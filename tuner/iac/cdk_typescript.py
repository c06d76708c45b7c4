"""CDK and Pulumi in TypeScript and JavaScript: objects of the classes that make functions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, NoReturn

from tuner.errors import TemplateError
from tuner.iac.cdk import (
    classes_of,
    is_pulumi,
    made_names,
    nested_names,
    places_of_use,
    pulumi_names,
)
from tuner.iac.setting import ANY, DeclaredFunction, Setting, Sources
from tuner.model import lambda_limits as limits
from tuner.model.optional_import import optional_import

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUFFIXES: Final = (".ts", ".js", ".mts", ".mjs", ".cts", ".cjs")
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
_LOOPS: Final = ("for_statement", "for_in_statement", "while_statement", "do_statement")
_EACH: Final = ("map", "forEach", "flatMap", "reduce", "filter")


def has_functions(text: str) -> bool:
    """Whether a file may declare functions."""
    return any(each in text for each in _LIBRARIES) and "Function" in text


@cache
def _parser() -> Any:
    with optional_import(
        "TypeScript and JavaScript need tree-sitter-typescript",
        "tree_sitter",
        "tree_sitter_typescript",
        extra="apply",
        error=TemplateError,
    ):
        import tree_sitter  # noqa: PLC0415 - of an extra
        import tree_sitter_typescript  # noqa: PLC0415
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_typescript.language_typescript()))


def read_functions(path: Path, sources: Sources) -> list[DeclaredFunction]:
    """Return a file's functions in its order. Raises TemplateError."""
    reader = _Reader(path, sources)
    reader.read()
    return [
        DeclaredFunction(
            text or _written(each.id),
            path,
            each.line,
            partial(reader.locate, each),
            name=reader.name(each),
            made_names=reader.made_names(each),
            nested_names=nested_names(text) if text else (),
            memory=reader.memory(each),
        )
        for each in reader.calls
        for text in [_string(each.id)]
    ]


@dataclass(frozen=True, slots=True)
class _Call:
    node: Any
    id: Any
    props: Any
    by_pulumi: bool

    @property
    def line(self) -> int:
        return int(self.node.start_point[0]) + 1


@dataclass(frozen=True, slots=True)
class _Object:
    """A literal object: its pairs by name, and what is spread into it."""

    node: Any
    pairs: dict[str, Any]
    """Values; for `memorySize,` the name itself."""
    spreads: tuple[Any, ...]


@dataclass(slots=True)
class _Reader:
    path: Path
    sources: Sources
    calls: list[_Call] = field(default_factory=list)
    _data: bytes = b""
    _root: Any = None
    _modules: dict[str, str] = field(default_factory=dict)
    """What a name stands for: `aws_lambda`, or `aws_lambda.Function`."""

    def read(self) -> None:
        self._data = self.sources.data(self.path)
        self._root = _parser().parse(self._data).root_node
        text = self._data.decode("utf-8", "replace")
        for match in _WHOLE.finditer(text):
            names = [each for each in match.groups() if each]
            self._modules[names[0]] = _module(names[1])
        for match in _NAMED.finditer(text):
            names = [each for each in match.groups() if each]
            for each in _RENAMED.finditer(names[0]):
                outer = _module(names[1])
                self._modules[each[2] or each[1]] = f"{outer}.{each[1]}".removeprefix("aws_cdk.")
        for node in _walk(self._root):
            if node.type == "new_expression":
                self._read_call(node)

    def _read_call(self, node: Any) -> None:
        made = node.child_by_field_name("constructor")
        listed = node.child_by_field_name("arguments")
        if made is None or listed is None:
            return
        first, dot, rest = _written(made).partition(".")
        module, _, kind = f"{self._modules.get(first, '')}{dot}{rest}".rpartition(".")
        pulumi = is_pulumi(module, kind)
        if not pulumi and kind not in classes_of(module.rpartition(".")[2]):
            return
        arguments = [each for each in listed.named_children if each.type != "comment"]
        arguments = arguments[0 if pulumi else 1 :]
        if arguments:
            props = arguments[1] if len(arguments) > 1 else None
            self.calls.append(_Call(node, arguments[0], props, pulumi))

    def memory(self, each: _Call) -> int | str:
        """MB, or the expression where only the program knows."""
        if each.props is None:
            return limits.MIN_MEMORY_MB
        found = self._object(each.props)
        if found is None:
            return _written(each.props)
        value = self._memory_of(found)
        if value is None:
            return limits.MIN_MEMORY_MB
        if isinstance(value, str):
            return value
        number = _number(value)
        if number is None and value.type in ("identifier", "shorthand_property_identifier"):
            constant = self._constant(_written(value))
            number = None if constant is None else _number(constant)
        return _written(value) if number is None else number

    def _memory_of(self, found: _Object, levels: int = 3) -> Any:
        """The value of memorySize, None where there is none, a text where that isn't known."""
        own = found.pairs.get(_MEMORY)
        last = found.spreads[-1] if found.spreads else None
        if own is not None and (last is None or own.start_byte > last.start_byte):
            return own
        for spread in reversed(found.spreads):
            if own is not None and own.start_byte > spread.start_byte:
                break
            inner = self._object(spread) if levels else None
            if inner is None:
                return f"...{_written(spread)}"
            value = self._memory_of(inner, levels - 1)
            if value is not None:
                return value
        return own

    def locate(self, each: _Call, _memory_mb: int) -> Setting:
        """Where the function's new size goes. Raises TemplateError."""
        if each.node.has_error:
            self._refuse(each.node, "this code can't be read: change it by hand")
        self._check_single(each)
        if each.props is None:
            at, before = int(each.id.end_byte), f", {{ {_MEMORY}: "
            mb = limits.MIN_MEMORY_MB
            return Setting(self.path, (at, at), mb, how="insert", before=before, after=" }")
        found = self._object(each.props)
        if found is None:
            self._refuse(
                each.props, f"its properties are {_short(each.props)}, which isn't known here"
            )
        now = self.memory(each)
        now_mb = now if isinstance(now, int) else None
        if each.props.type == "identifier" and self._uses(_written(each.props)) > 2:
            return self._spread(each, now_mb)
        value = self._memory_of(found)
        if isinstance(value, str):
            self._refuse(each.props, f"its properties have {value[:60]}, which isn't known here")
        own = found.pairs.get(_MEMORY)
        if value is None or own is None or value.id != own.id:
            return self._inserted(found, now_mb, self._sharing(each, value))
        return self._of_value(each, own, now_mb)

    def _spread(self, each: _Call, now_mb: int | None) -> Setting:
        """Properties that others use too, with a memory besides."""
        name = _written(each.props)
        shared = tuple(
            _string(other.id) or _written(other.id)
            for other in self.calls
            if other is not each and other.props is not None and _written(other.props) == name
        )
        span = (int(each.props.start_byte), int(each.props.end_byte))
        before = f"{{ ...{name}, {_MEMORY}: "
        return Setting(self.path, span, now_mb, shared_by=shared, before=before, after=" }")

    def _of_value(self, each: _Call, value: Any, now_mb: int | None) -> Setting:
        span = (int(value.start_byte), int(value.end_byte))
        if _number(value) is not None:
            return Setting(self.path, span, now_mb)
        is_short = value.type == "shorthand_property_identifier"
        name = _written(value)
        constant = self._constant(name) if is_short or value.type == "identifier" else None
        if constant is None or _number(constant) is None:
            self._refuse(
                value,
                f"the memory is {_short(value)}, which is no number in this file: write one, or "
                "change it where it comes from",
            )
        if self._uses(name) == 2 and not self._is_exported(constant):
            return Setting(self.path, (int(constant.start_byte), int(constant.end_byte)), now_mb)
        shared = self._sharing(each, value)
        before = f"{name}: " if is_short else ""
        return Setting(self.path, span, now_mb, shared_by=shared, before=before)

    def _sharing(self, each: _Call, value: Any) -> tuple[str, ...]:
        """Other functions with the same value, or the same name for it."""
        if value is None:
            return ()
        found = []
        for other in self.calls:
            theirs = self._object(other.props) if other is not each else None
            memory = None if theirs is None else self._memory_of(theirs)
            if memory is None or isinstance(memory, str):
                continue
            is_name = "identifier" in value.type and _written(memory) == _written(value)
            if memory.id == value.id or is_name:
                found.append(_string(other.id) or _written(other.id))
        return tuple(found)

    def _inserted(self, found: _Object, now_mb: int | None, shared: tuple[str, ...]) -> Setting:
        behind = int(found.spreads[-1].end_byte) if found.spreads else 0
        pairs = {
            name: value
            for name, value in found.pairs.items()
            if value.start_byte > behind and value.parent.id != found.node.id
        }
        beside = [name for name in (*_BESIDE, *pairs) if name in pairs]
        if not beside:
            if not found.spreads:
                self._refuse(found.node, f"there is nothing to put {_MEMORY} beside: write it")
            at, before, after = behind, f", {_MEMORY}: ", ""
        else:
            at = int(pairs[beside[0]].parent.start_byte)
            line = self._data[self._data.rfind(b"\n", 0, at) + 1 : at]
            gap = " "
            if not line.strip():
                end = self._data.find(b"\n", at)
                gap = ("\r\n" if self._data[end - 1 : end] == b"\r" else "\n") + line.decode()
            before, after = f"{_MEMORY}: ", f",{gap}"
        return Setting(
            self.path, (at, at), now_mb, shared, how="insert", before=before, after=after
        )

    def _check_single(self, each: _Call) -> None:
        """Refuse an expression that makes several functions."""
        if _string(each.id) is None:
            self._refuse(
                each.node,
                f"the id of this function is made by the program ({_short(each.id)}), so this line "
                "may make several: change it by hand",
            )
        node = each.node.parent
        while node is not None:
            if node.type in _LOOPS or _is_for_each(node):
                self._refuse(each.node, "a loop makes this function, and others with it")
            name = _name_of(node)
            if name is not None and name != "constructor":
                is_class = node.type.startswith(("class", "abstract_class"))
                uses = places_of_use(
                    self.path, re.escape(name), self.sources, SUFFIXES, is_class=is_class
                )
                if len(uses) > 1:
                    self._refuse(
                        each.node,
                        f"{name} is used {len(uses)} times ({', '.join(uses[:4])}), and each makes "
                        "this function: give it the memory as a property",
                    )
            node = node.parent

    def _object(self, node: Any) -> _Object | None:
        """A literal object, or the one that a constant is."""
        if node is None:
            return None
        if node.type == "identifier":
            node = self._constant(_written(node))
        while node is not None and node.type in ("as_expression", "satisfies_expression"):
            node = node.named_children[0]
        if node is None or node.type != "object":
            return None
        pairs, spreads = {}, []
        for each in node.named_children:
            if each.type == "spread_element":
                spreads.append(each.named_children[0])
            elif each.type == "pair":
                key = each.child_by_field_name("key")
                if key.type == "computed_property_name":
                    return None
                pairs[_string(key) or _written(key)] = each.child_by_field_name("value")
            elif each.type == "shorthand_property_identifier":
                pairs[_written(each)] = each
        return _Object(node, pairs, tuple(spreads))

    def _constant(self, name: str) -> Any:
        """What a `const` of the file is, if there is one of that name and nothing changes it."""
        found = []
        for node in _walk(self._root):
            if node.type == "variable_declarator":
                left = node.child_by_field_name("name")
                if left is not None and _written(left) == name:
                    kind = _written(node.parent.children[0])
                    found.append(node.child_by_field_name("value") if kind == "const" else None)
            elif node.type in ("required_parameter", "optional_parameter"):
                left = node.child_by_field_name("pattern")
                if left is not None and _written(left) == name:
                    return None
            elif node.type == "assignment_expression":
                left = node.child_by_field_name("left")
                if left is not None and re.match(rf"{re.escape(name)}\b", _written(left)):
                    return None
        return found[0] if len(found) == 1 else None

    def _uses(self, name: str) -> int:
        """How often a name is written in the file, its declaration included."""
        kinds = ("identifier", "shorthand_property_identifier")
        return sum(n.type in kinds and _written(n) == name for n in _walk(self._root))

    def _is_exported(self, value: Any) -> bool:
        node = value
        while node is not None and node.type != "export_statement":
            node = node.parent
        return node is not None and not any(
            each.type.startswith("class") for each in node.named_children
        )

    def name(self, each: _Call) -> str | None:
        """Its literal name."""
        pattern = self._name_pattern(each)
        return None if pattern is None or ANY in pattern else pattern

    def made_names(self, each: _Call) -> tuple[str, ...]:
        """Its name's known parts, or what CDK makes of its id."""
        pattern = self._name_pattern(each)
        if pattern is not None:
            return (pattern,)
        text = _string(each.id)
        if text is None:
            return ()
        return pulumi_names(text) if each.by_pulumi else made_names(text)

    def _name_pattern(self, each: _Call) -> str | None:
        found = self._object(each.props)
        key = "name" if each.by_pulumi else "functionName"
        value = None if found is None else found.pairs.get(key)
        if value is None:
            return None
        if value.type == "identifier":
            value = self._constant(_written(value)) or value
        if value.type == "template_string":
            return "".join(
                ANY if part.type == "template_substitution" else _written(part)
                for part in value.named_children
            )
        return _string(value) or ANY

    def _refuse(self, node: Any, why: str) -> NoReturn:
        raise TemplateError(f"{self.path}:{int(node.start_point[0]) + 1}: {why}")


def _module(path: str) -> str:
    """`aws_lambda` for `aws-cdk-lib/aws-lambda`, `aws_cdk` for the library itself."""
    if path.startswith("@pulumi/aws"):
        return path.replace("@pulumi/aws", "pulumi_aws").replace("/", ".")
    last = path.rpartition("/")[2].replace("-", "_")
    return "aws_cdk" if path in ("aws-cdk-lib", "@aws-cdk/core") else last


def _walk(node: Any) -> Iterator[Any]:
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(node.children))


def _written(node: Any) -> str:
    return str(node.text.decode("utf-8", "replace"))


def _short(node: Any) -> str:
    return " ".join(_written(node).split())[:60]


def _string(node: Any) -> str | None:
    """A plain string's text."""
    if node.type == "template_string" and not any(
        each.type == "template_substitution" for each in node.children
    ):
        return _written(node)[1:-1]
    if node.type != "string":
        return None
    return _written(node)[1:-1]


def _number(node: Any) -> int | None:
    text = _written(node).replace("_", "")
    return int(text) if node.type == "number" and text.isdecimal() and int(text) else None


def _is_for_each(node: Any) -> bool:
    """Whether it's what `map` or `forEach` calls for each of several."""
    if node.type not in ("arrow_function", "function_expression") or node.parent is None:
        return False
    call = node.parent.parent
    if call is None or call.type != "call_expression":
        return False
    called = call.child_by_field_name("function")
    return called is not None and _written(called).rpartition(".")[2] in _EACH


def _name_of(node: Any) -> str | None:
    """A class's, method's or function's name."""
    if node.type in (
        *("class_declaration", "abstract_class_declaration", "class", "method_definition"),
        *("function_declaration", "generator_function_declaration"),
    ):
        name = node.child_by_field_name("name")
        return None if name is None else _written(name)
    if node.type not in ("arrow_function", "function_expression") or node.parent is None:
        return None
    is_named = node.parent.type == "variable_declarator"
    return _written(node.parent.child_by_field_name("name")) if is_named else None
