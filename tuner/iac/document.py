"""A YAML (or JSON) file as a tree that knows where everything stands. Safe against hostile files.

Only plain nodes are read, no objects are made. Size, nesting and aliases are limited before a tree
is built, because a few aliases of aliases can stand for a file of any size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn

import yaml

from tuner.errors import TemplateError

if TYPE_CHECKING:
    from pathlib import Path

MAX_TEMPLATE_BYTES: Final = 1_000_000  # CloudFormation takes no larger template from S3
_MAX_DEPTH: Final = 60
_TOO_DEEP: Final = f"nested deeper than {_MAX_DEPTH} levels"
_MAX_MESSAGE: Final = 400
_YAML_TAG: Final = "tag:yaml.org,2002:"
_PLAIN_TAGS: Final = frozenset({"str", "int", "float", "timestamp", "merge", "value"})

# The C parser where PyYAML has one: the other takes ten seconds for a megabyte.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Place:
    """A node of the document and where it stands."""

    path: Path
    node: yaml.Node

    @property
    def line(self) -> int:
        """Line in the file, from 1."""
        return int(self.node.start_mark.line) + 1

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return isinstance(self.node, yaml.SequenceNode)

    def refuse(self, what: str) -> NoReturn:
        """Raise TemplateError with the file and the line before `what`."""
        raise TemplateError(self.said(what))

    def said(self, what: str) -> str:
        """Return file, line and `what` as one line of moderate length, whatever names it holds."""
        printable = "".join(char if char.isprintable() else "?" for char in what[:_MAX_MESSAGE])
        return f"{self.path}:{self.line}: {printable}"

    def entries(self, what: str) -> dict[str, tuple[Place, Place]]:
        """Return a mapping's (key, value) places by key; each key once and plain."""
        self._refuse_function(what)
        if not isinstance(self.node, yaml.MappingNode):
            self.refuse(f"{what} must be a mapping of names to values")
        found: dict[str, tuple[Place, Place]] = {}
        for key_node, value_node in self.node.value:
            key, value = Place(self.path, key_node), Place(self.path, value_node)
            name = key.text(f"a name in {what}")
            if name in found:
                key.refuse(f"{name} is given twice in {what}: keep one")
            if key_node.tag == f"{_YAML_TAG}merge":
                key.refuse("the merge key << is not supported: write the properties out")
            found[name] = (key, value)
        return found

    def items(self, what: str) -> list[Place]:
        """Return a list's places."""
        self._refuse_function(what)
        if not isinstance(self.node, yaml.SequenceNode):
            self.refuse(f"{what} must be a list")
        return [Place(self.path, node) for node in self.node.value]

    def text(self, what: str) -> str:
        """Return a scalar as it is written; booleans as CloudFormation writes them."""
        self._refuse_function(what)
        if not isinstance(self.node, yaml.ScalarNode):
            self.refuse(f"{what} must be a single value")
        written, tag = str(self.node.value), self.node.tag.removeprefix(_YAML_TAG)
        if tag == "null":
            self.refuse(f"{what} has no value")
        if tag == "bool":
            return "true" if written.lower() in {"true", "yes", "on"} else "false"
        if tag not in _PLAIN_TAGS:
            self.refuse(f"{what} has the tag !!{tag}, which is not supported here")
        return written

    def whole_number(self, what: str, unit: str, *, least: int, most: int) -> int:
        """Return a number in decimal digits between `least` and `most`."""
        written = self.text(what)
        if not (written.isascii() and written.isdecimal() and len(written) <= 9):
            self.refuse(f"{what} must be a whole number, {least} to {most} {unit}")
        if not least <= int(written) <= most:
            self.refuse(f"{what} is {int(written)}: it must be {least} to {most} {unit}")
        return int(written)

    def _refuse_function(self, what: str) -> None:
        """Refuse CloudFormation's own functions, in their short and their long form."""
        node = self.node
        if not node.tag.startswith(_YAML_TAG):
            self.refuse(
                f"{what} uses {node.tag}, which cannot be resolved here: write the value out"
            )
        if isinstance(node, yaml.MappingNode) and len(node.value) == 1:
            key = str(node.value[0][0].value)
            if key in {"Ref", "Condition"} or key.startswith("Fn::"):
                self.refuse(
                    f"{what} uses {key}, which cannot be resolved here: write the value out"
                )


def read_document(path: Path) -> Place:
    """Return the root of the file's only document; TemplateError for what is not one."""
    text = _text(path)
    try:
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
        raise TemplateError(f"{path} is not valid YAML: it holds control characters") from None
    if root is None:
        raise TemplateError(f"{path} is empty: an AWS SAM template is needed")
    return Place(path, root)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_TEMPLATE_BYTES + 1)
    except FileNotFoundError:
        raise TemplateError(f"there is no template {path}: check the path") from None
    except OSError as error:
        raise TemplateError(f"template {path} cannot be read: {error.strerror}") from None
    if len(data) > MAX_TEMPLATE_BYTES:
        raise TemplateError(f"template {path} is over 1 MB, CloudFormation's limit")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise TemplateError(f"{path}:{line}: not UTF-8") from None


def _check_shape(path: Path, text: str) -> None:
    """Refuse aliases and deep nesting, from the stream of events: no tree is built for it."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            raise TemplateError(
                f"{path}:{line}: the alias *{event.anchor} is not supported: write the values out"
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MAX_DEPTH:
            raise TemplateError(f"{path}:{line}: {_TOO_DEEP}")
