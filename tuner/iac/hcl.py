"""Terraform's language, as far as memory and names need it: blocks, attributes, plain values."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn

from tuner.errors import TemplateError
from tuner.iac.parser import child, syntax_tree, written
from tuner.iac.setting import Setting, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tuner.iac.setting import Sources

_REFERENCE: Final = re.compile(r"(var|local)\.([A-Za-z_][\w-]*)")
CODE: Final = (".tf", ".tofu")
VALUES: Final = (".tfvars", ".tfvars.json")
"""How names of files end: code, and variables' values."""
_JSON_TOKEN: Final = re.compile(rb'"(?:\\.|[^"\\])*"|[{}\[\],:]')
_WORD: Final = re.compile(rb"[A-Za-z_][\w-]*")


@dataclass(frozen=True, slots=True)
class _Placed:
    """What stands somewhere in a file."""

    path: Path
    node: Any = field(repr=False)

    @property
    def line(self) -> int:
        """From 1."""
        return int(self.node.start_point[0]) + 1

    def refuse(self, why: str) -> NoReturn:
        """Raise TemplateError with file and line."""
        raise TemplateError(f"{self.path}:{self.line}: {why}")


@dataclass(frozen=True, slots=True)
class Value(_Placed):
    """An attribute of a block: where it is, and its expression, which is the node."""

    name: str
    start: int
    """Byte offset of the attribute."""

    @property
    def text(self) -> str:
        """The expression as it is written."""
        return written(self.node)

    @property
    def number(self) -> int | None:
        """A plain whole number, quoted or not."""
        text = self.text.strip('"')
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else None

    @property
    def string(self) -> str | None:
        """A plain string."""
        return self.text_of(self.node)

    @staticmethod
    def text_of(node: Any) -> str | None:
        """An expression's text, where it's a plain string."""
        node = inner_node(node)
        if node.type != "literal_value" or node.children[0].type != "string_lit":
            return None
        return "".join(
            each.text.decode()
            for each in node.children[0].children
            if each.type == "template_literal"
        )

    def is_within(self, other: Value) -> bool:
        """Whether it's written within another."""
        same = self.path == other.path
        return same and bool(other.node.start_byte <= self.node.start_byte < other.node.end_byte)

    def inner(self, node: Any) -> Value:
        """An expression within this one."""
        return Value(self.path, node, self.name, self.start)

    def pattern(self, known: Callable[[Value], str | None]) -> str | None:
        """A string with gaps where it depends on what isn't known; None if it's no string."""
        if self.string is not None:
            return self.string
        node = inner_node(self.node)
        if node.type != "template_expr" or node.children[0].type != "quoted_template":
            return None
        parts = []
        for each in node.children[0].children:
            text = each.text.decode()
            if each.type == "template_literal":
                parts.append(text)
            elif each.type in ("template_interpolation", "template_directive"):
                inner = child(each, "expression")
                parts.append((inner and known(self.inner(inner))) or unknown(text[2:-1].strip()))
        return "".join(parts)

    @property
    def reference(self) -> tuple[str, str] | None:
        """`var` or `local` and a name, where it's just that."""
        found = _REFERENCE.fullmatch(written(unquoted(self.node)))
        return (found[1], found[2]) if found else None

    def setting(self) -> Setting:
        """Another number in its place; quotes stay where there is a plain number."""
        start, end = int(self.node.start_byte), int(self.node.end_byte)
        if self.number is not None and self.text.startswith('"'):
            start, end = start + 1, end - 1
        return Setting(self.path, (start, end))


def inner_node(node: Any) -> Any:
    """An expression's only child, as often as that holds."""
    while node.type == "expression" and node.child_count == 1:
        node = node.children[0]
    return node


def unquoted(node: Any) -> Any:
    """What stands alone in `"${…}"`, as Terraform 0.11 wants references; else the node."""
    quoted = inner_node(node)
    if quoted.type != "template_expr" or quoted.children[0].type != "quoted_template":
        return node
    parts = [e for e in quoted.children[0].children if not e.type.startswith("quoted_template_")]
    alone = len(parts) == 1 and parts[0].type == "template_interpolation"
    return (child(parts[0], "expression") or node) if alone else node


@dataclass(frozen=True, slots=True)
class Block(_Placed):
    """A block: `resource "aws_lambda_function" "f" { … }`."""

    kind: str
    labels: tuple[str, ...]
    values: dict[str, Value] = field(repr=False)

    @property
    def root(self) -> Any:
        """The file's tree."""
        node = self.node
        while node.parent is not None:
            node = node.parent
        return node

    def is_same(self, other: Block) -> bool:
        """Whether both declare the same."""
        return (self.kind, self.labels) == (other.kind, other.labels)

    def blocks(self, kind: str) -> list[Block]:
        """Blocks within it."""
        body = child(self.node, "body")
        return [] if body is None else [b for b in _blocks(self.path, body) if b.kind == kind]

    def inserting(self, name: str, data: bytes, below: tuple[str, ...]) -> Setting:
        """Add an attribute, below the first of these that fits on its line, else on top."""
        for other in below:
            value = self.values.get(other)
            if value is None or value.node.start_point[0] != value.node.end_point[0]:
                continue
            line = data.rfind(b"\n", 0, value.start) + 1
            indent = data[line : value.start]
            end = data.find(b"\n", value.node.end_byte)
            if indent.strip() or end < 0:
                continue
            at = end - (data[end - 1 : end] == b"\r")
            new_line = "\r\n" if at < end else "\n"
            equals = data[value.start + len(other) : value.node.start_byte]
            column = len(other) + len(equals) - len(equals.lstrip())
            gap = " " * max(column - len(name), 1)
            before = f"{new_line}{indent.decode()}{name}{gap}= "
            return Setting(self.path, (at, at), before=before)
        at = int(child(self.node, "block_start").end_byte)
        end = data.find(b"\n", at)
        if end < 0 or data[at:end].strip(b"\r "):
            self.refuse(f"{name} can't be added to a block on one line: write it out")
        new_line = "\r\n" if data[end - 1 : end] == b"\r" else "\n"
        margin = " " * int(self.node.start_point[1])
        before = f"{new_line}{margin}  {name} = "
        return Setting(self.path, (at, at), before=before)


def read_blocks(path: Path, sources: Sources) -> list[Block]:
    """Return a file's blocks; one of values is one block. Raises TemplateError."""
    return sources.parsed(path, partial(_parsed, path))


def _parsed(path: Path, data: bytes) -> list[Block]:
    root = syntax_tree("hcl", _as_hcl(data) if path.suffix == ".json" else data)
    body = child(root, "body")
    if body is None:
        return []
    if path.name.endswith(VALUES):
        return [Block(path, root, "tfvars", (), _values(path, body))]
    return list(_blocks(path, body))


def _as_hcl(data: bytes) -> bytes:
    """An object of JSON as attributes, with each byte where it was."""
    found, depth = bytearray(data), 0
    key = (0, 0)
    for match in _JSON_TOKEN.finditer(data):
        token, start, end = match[0], *match.span()
        depth -= token in (b"}", b"]")
        if depth == 0 and token in (b"{", b"}"):
            found[start:end] = b" "
        elif depth == 1 and token == b",":
            found[start:end] = b"\n"
        elif depth == 1 and token == b":":
            found[start:end] = b"="
            found[key[0]] = found[key[1] - 1] = ord(" ")
        depth += token in (b"{", b"[")
        key = (start, end)
    return bytes(found)


def _blocks(path: Path, body: Any) -> Iterator[Block]:
    for node in body.children:
        if node.type != "block":
            continue
        words = [each for each in node.children if each.type in ("identifier", "string_lit")]
        labels = tuple(each.text.decode().strip('"') for each in words[1:])
        inner = child(node, "body")
        values = {} if inner is None else _values(path, inner)
        yield Block(path, node, words[0].text.decode() if words else "", labels, values)


def _values(path: Path, body: Any) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for node in body.children:
        if node.type == "attribute" and len(node.children) >= 3:
            name = node.children[0].text.decode()
            expression = child(node, "expression")
            if expression is not None:
                found[name] = Value(path, expression, name, int(node.start_byte))
    return found
