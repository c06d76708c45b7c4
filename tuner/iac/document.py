"""A YAML (or JSON) file as a tree with line numbers. Safe against hostile files.

Only plain nodes are read, no objects are made. Size, nesting and alias expansion are limited before
a tree is built, because a few aliases of aliases can expand to any size.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn, Protocol

import yaml

from tuner.errors import TemplateError

if TYPE_CHECKING:
    from pathlib import Path

MAX_TEMPLATE_BYTES: Final = 1_000_000  # CloudFormation accepts no larger template from S3
_MAX_DEPTH: Final = 60
MAX_NODES: Final = 100_000
"""Values that a file's aliases may expand to in total."""
_TOO_DEEP: Final = f"nested deeper than {_MAX_DEPTH} levels"
_PAIR: Final = re.compile(
    r"(?<!\\)((?:\\\\)*)\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE
)
_JSON: Final = re.compile(r"\s*[\[{]")
_DYNAMIC: Final = "{{resolve:"
_MAX_MESSAGE: Final = 400
_MAX_DIGITS: Final = 20
_OCTAL: Final = re.compile(r"0[0-7_]+")
_YAML_TAG: Final = "tag:yaml.org,2002:"
STRING_TAG: Final = f"{_YAML_TAG}str"
_PLAIN_TAGS: Final = frozenset({"str", "int", "float", "timestamp", "merge", "value"})

# The C parser if PyYAML has one: the other takes ten seconds for a megabyte.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class FunctionResolver(Protocol):
    """Works out CloudFormation's functions: an `intrinsics.Scope`."""

    allow_outside: bool

    def resolve(self, node: TemplateNode, what: str) -> TemplateNode:
        """Return the plain node that a function evaluates to; raises TemplateError."""

    def is_absent(self, node: TemplateNode) -> bool:
        """Whether it evaluates to nothing."""


@dataclass(frozen=True, slots=True)
class TemplateNode:
    """A node of the document and its position.

    CloudFormation's functions are resolved by its scope when a node is read; without a scope they
    are refused.
    """

    path: Path
    yaml_node: yaml.Node
    scope: FunctionResolver | None = None

    @property
    def line(self) -> int:
        """Line in the file, from 1."""
        return int(self.yaml_node.start_mark.line) + 1

    @property
    def is_list(self) -> bool:
        """Whether it's written as a list: functions' arguments are."""
        return isinstance(self.yaml_node, yaml.SequenceNode)

    @property
    def is_mapping(self) -> bool:
        """Whether it's written as a mapping."""
        return isinstance(self.yaml_node, yaml.MappingNode)

    @property
    def is_text(self) -> bool:
        """Whether it's written as a single value, and isn't a function's short form."""
        is_scalar = isinstance(self.yaml_node, yaml.ScalarNode)
        return is_scalar and str(self.yaml_node.tag).startswith(_YAML_TAG)

    def refuse(self, what: str) -> NoReturn:
        """Raise TemplateError with the file and the line before `what`."""
        raise TemplateError(self.located(what))

    def located(self, what: str) -> str:
        """Return file, line and `what` as one line of moderate length, whatever names it has."""
        printable = "".join(char if char.isprintable() else "?" for char in what[:_MAX_MESSAGE])
        return f"{self.path}:{self.line}: {printable}"

    def entries(self, what: str) -> dict[str, tuple[TemplateNode, TemplateNode]]:
        """Return a mapping's (key, value) nodes by key; each key once and plain."""
        node = self.resolved(what)
        if not isinstance(node.yaml_node, yaml.MappingNode):
            self.refuse(f"{what} must be a mapping of names to values")
        found: dict[str, tuple[TemplateNode, TemplateNode]] = {}
        merged: dict[str, tuple[TemplateNode, TemplateNode]] = {}
        written: set[str] = set()
        for key_node, value_node in node.yaml_node.value:
            key, value = self._in_scope(key_node), self._in_scope(value_node)
            name = key.text(f"a name in {what}")
            if name in written:
                key.refuse(f"{name} is given twice in {what}: keep one")
            written.add(name)
            if key_node.tag == f"{_YAML_TAG}merge":
                merged = value._merged(what)  # noqa: SLF001 - of the same class
            elif not value.is_absent:
                found[name] = (key, value)
        inherited = {name: pair for name, pair in merged.items() if name not in written}
        return {**inherited, **found}

    def values(self, what: str) -> dict[str, TemplateNode]:
        """Return a mapping's values by key."""
        return {name: value for name, (_, value) in self.entries(what).items()}

    def _merged(self, what: str) -> dict[str, tuple[TemplateNode, TemplateNode]]:
        """Return what a merge key brings: among several mappings, the first with a name counts."""
        sources = self.items(what) if self.is_list else [self]
        merged: dict[str, tuple[TemplateNode, TemplateNode]] = {}
        for source in sources:
            merged = {**source.entries(f"<< in {what}"), **merged}
        return merged

    def items(self, what: str) -> list[TemplateNode]:
        """Return a list's nodes."""
        node = self.resolved(what)
        if not isinstance(node.yaml_node, yaml.SequenceNode):
            self.refuse(f"{what} must be a list")
        found = map(self._in_scope, node.yaml_node.value)
        return [item for item in found if not item.is_absent]

    def arguments(self, what: str, least: int = 0, most: int | None = None) -> list[TemplateNode]:
        """Return a function's arguments as written, `least` to `most` of them."""
        if not isinstance(self.yaml_node, yaml.SequenceNode):
            self.refuse(f"{what}: its arguments must be a list")
        parts = [self._in_scope(each) for each in self.yaml_node.value]
        if len(parts) < least or (most is not None and len(parts) > most):
            wanted = str(least) if least == most else f"{least} to {most}"
            self.refuse(f"a function in {what} takes {wanted} arguments and has {len(parts)}")
        return parts

    def text(self, what: str) -> str:
        """Return a scalar as written; Booleans as CloudFormation writes them."""
        yaml_node = self.resolved(what).yaml_node
        if not isinstance(yaml_node, yaml.ScalarNode):
            self.refuse(f"{what} must be a single value")
        written, tag = str(yaml_node.value), yaml_node.tag.removeprefix(_YAML_TAG)
        if tag == "null":
            self.refuse(f"{what} has no value")
        if tag == "bool":
            return "true" if written.lower() in {"true", "yes", "on"} else "false"
        if tag not in _PLAIN_TAGS:
            self.refuse(f"{what} has the tag !!{tag}, which is not supported here")
        if _DYNAMIC in written:
            self.refuse(
                f"{what} is a dynamic reference ({_DYNAMIC}…}}}}), whose value only an account "
                "has: write the value out"
            )
        return written

    def whole_number(self, what: str, unit: str, *, least: int, most: int) -> int:
        """Return a number in decimal digits between `least` and `most`."""
        written = self.text(what)
        self.resolved(what).refuse_octal(what)
        number = plain_number(written)
        if number is None:
            self.refuse(f"{what} must be a whole number, {least} to {most} {unit}")
        if not least <= number <= most:
            self.refuse(f"{what} is {number}: it must be {least} to {most} {unit}")
        return number

    def refuse_octal(self, what: str) -> None:
        """Refuse a number like 0512: YAML 1.1, and so CloudFormation's own tools, read it as 330.

        Quoted, it's text and means its digits.
        """
        written, is_number = str(self.yaml_node.value), self.yaml_node.tag == f"{_YAML_TAG}int"
        if is_number and _OCTAL.fullmatch(written):
            digits = written.replace("_", "")
            if len(digits) > _MAX_DIGITS:
                self.refuse(
                    f"{what} starts with 0 and isn't a usable number: write it without the 0"
                )
            self.refuse(
                f"{what} {written} is octal in YAML, {int(digits, 8)}: write "
                f"{digits.lstrip('0') or '0'}, or {int(digits, 8)} if you mean that"
            )

    def function(self) -> tuple[str, TemplateNode]:
        """Name CloudFormation's function, from its short or long form, and return its argument.

        Without a function, the name is empty and the argument is this node.
        """
        yaml_node = self.yaml_node
        if not yaml_node.tag.startswith(_YAML_TAG):
            return yaml_node.tag.removeprefix("!"), self._in_scope(_without_tag(yaml_node))
        if isinstance(yaml_node, yaml.MappingNode) and len(yaml_node.value) == 1:
            key = str(yaml_node.value[0][0].value)
            if key in {"Ref", "Condition"} or key.startswith("Fn::"):
                return key.removeprefix("Fn::"), self._in_scope(yaml_node.value[0][1])
        return "", self

    @property
    def function_as_written(self) -> str:
        """`!Ref`, or `Ref` and `Fn::If` in the long form."""
        yaml_node = self.yaml_node
        short = not yaml_node.tag.startswith(_YAML_TAG)
        return yaml_node.tag if short else str(yaml_node.value[0][0].value)

    @property
    def is_absent(self) -> bool:
        """Whether the value is AWS::NoValue, as if it weren't written."""
        return not self.is_text and self.scope is not None and self.scope.is_absent(self)

    def resolved(self, what: str) -> TemplateNode:
        """Return the plain node it evaluates to: itself, unless it's a function."""
        if self.is_text or not self.function()[0]:
            return self
        if self.scope is None:
            self.refuse(
                f"{what} uses {self.function_as_written}, which can't be resolved here: "
                "write the value out"
            )
        return self.scope.resolve(self, what)

    def _in_scope(self, yaml_node: yaml.Node) -> TemplateNode:
        return TemplateNode(self.path, yaml_node, self.scope)


def plain_number(written: str) -> int | None:
    """A whole number in decimal digits, of a size that settings have; None for any other text."""
    is_number = written.isascii() and written.isdecimal() and len(written) <= 9
    return int(written) if is_number else None


def _without_tag(yaml_node: yaml.Node) -> yaml.Node:
    """Return the argument of a short form: the same node, without the function's name."""
    kind, marks = type(yaml_node), (yaml_node.start_mark, yaml_node.end_mark)
    tag = {yaml.ScalarNode: "str", yaml.SequenceNode: "seq", yaml.MappingNode: "map"}[kind]
    plain: yaml.Node = kind(f"{_YAML_TAG}{tag}", yaml_node.value, *marks)
    return plain


def read_document(path: Path, text: str | None = None, *, checked: bool = False) -> TemplateNode:
    """Return the root of the file's only document; TemplateError if it isn't one.

    `text` stands in for what the file has; `checked` is one whose shape is known to be harmless.
    """
    text = _with_whole_characters(read_text(path) if text is None else text)
    try:
        if not checked:
            _check_shape(path, text)
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        if "nesting depth" in str(error.problem):  # the parser's own limit, in newer releases
            raise TemplateError(f"{path}:{line}: {_TOO_DEEP}") from None
        raise TemplateError(f"{path}:{line}: not valid YAML: {error.problem}") from None
    except yaml.YAMLError:
        raise TemplateError(f"{path} is not valid YAML: it contains control characters") from None
    if root is None:
        raise TemplateError(f"{path} is empty: an AWS SAM template is needed")
    return TemplateNode(path, root)


def _with_whole_characters(text: str) -> str:
    r"""Write JSON's surrogate pairs such as \ud83d\ude00 as YAML writes one character."""
    if not text.lstrip().startswith(("{", "[")):
        return text

    def whole(match: re.Match[str]) -> str:
        high, low = int(match[2], 16), int(match[3], 16)
        return f"{match[1]}\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"

    return _PAIR.sub(whole, text)


def shifted(text: str, offset: int) -> int:
    """Turn an offset of a node's mark into one of the file's text, which may have such pairs."""
    if _JSON.match(text) is None:
        return offset
    for match in _PAIR.finditer(text):
        if match.start() >= offset:
            break
        offset += len(match[0]) - len(match[1]) - 10
    return offset


def read_text(path: Path) -> str:
    """Return the file's text; TemplateError if it can't be a template."""
    return decoded(path, file_bytes(path))


def file_bytes(path: Path) -> bytes:
    """Return the file's bytes; TemplateError if it can't be a template."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_TEMPLATE_BYTES + 1)
    except FileNotFoundError:
        raise TemplateError(f"there is no template {path}: check the path") from None
    except OSError as error:
        raise TemplateError(f"template {path} can't be read: {error.strerror}") from None
    if len(data) > MAX_TEMPLATE_BYTES:
        raise TemplateError(f"template {path} is over 1 MB, CloudFormation's limit")
    return data


def repository_of(folder: Path) -> Path | None:
    """The root of the repository that a folder is in; None if it's in none."""
    return next((each for each in (folder, *folder.parents) if (each / ".git").exists()), None)


def decoded(path: Path, data: bytes) -> str:
    """Return a file's text, without a byte order mark. Raises TemplateError."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise TemplateError(f"{path}:{line}: not UTF-8") from None


@dataclass(slots=True)
class _Branch:
    """A collection as its events arrive: its values and levels, including aliases'."""

    anchor: str | None
    node_count: int = 1
    height: int = 1

    def add(self, node_count: int, height: int) -> None:
        self.node_count += node_count
        self.height = max(self.height, height + 1)


class _Shape:
    """Follows a file's events: how deep it is, and how much its aliases expand to."""

    def __init__(self) -> None:
        self._open = [_Branch(None)]
        self._anchored: dict[str, tuple[int, int]] = {}
        self._aliased_count = 0

    def fault(self, event: yaml.Event) -> str | None:
        """Take the next event; say what is wrong with the file from there on."""
        height = 0
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchored:
                return f"the alias *{event.anchor} has no anchor that ends before it"
            node_count, height = self._anchored[event.anchor]
            self._aliased_count += node_count
            self._open[-1].add(node_count, height)
        elif isinstance(event, yaml.CollectionStartEvent):
            if event.anchor is not None:
                self._anchored.pop(event.anchor, None)
            self._open.append(_Branch(event.anchor))
        elif isinstance(event, yaml.CollectionEndEvent):
            ended = self._open.pop()
            self._add(ended.anchor, ended.node_count, ended.height)
        elif isinstance(event, yaml.ScalarEvent):
            self._add(event.anchor, 1, 0)
        if self._aliased_count > MAX_NODES:
            return f"the file's aliases expand to over {MAX_NODES:,} values: write some out"
        return _TOO_DEEP if len(self._open) - 1 + height > _MAX_DEPTH else None

    def _add(self, anchor: str | None, node_count: int, height: int) -> None:
        self._open[-1].add(node_count, height)
        if anchor is not None:
            self._anchored[anchor] = (node_count, height)


def _check_shape(path: Path, text: str) -> None:
    """Refuse deep nesting, and aliases that expand too far or contain themselves.

    From the stream of events: no tree is built for it.
    """
    shape = _Shape()
    for event in yaml.parse(text, Loader=_Loader):
        why = shape.fault(event)
        if why is not None:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise TemplateError(f"{path}:{line}: {why}")
