"""Python code as its own parser reads it: plain values, constants, and what a place is in."""

from __future__ import annotations

import ast
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import TemplateError
from tuner.iac.cdk import Around, project_of
from tuner.iac.setting import BOM

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tuner.iac.setting import Sources

_LOOPS: Final = (ast.For, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class Offsets:
    """Where in a file's bytes its nodes are; a byte order mark counts for no column."""

    def __init__(self, data: bytes) -> None:
        self._first = len(BOM) if data.startswith(BOM) else 0
        self._lines = [0, *accumulate(map(len, data.splitlines(keepends=True)))]

    def at(self, line: int, column: int) -> int:
        """The offset of a line, from 1, and a column in bytes."""
        return self._lines[line - 1] + column + self._first * (line == 1)

    def span(self, node: Any) -> tuple[int, int]:
        """Where a statement or an expression begins and ends."""
        begin = self.at(node.lineno, node.col_offset)
        return begin, self.at(node.end_lineno, node.end_col_offset)


def around_of_nodes(nodes: Sequence[ast.AST]) -> Around:
    """What nested nodes say of a place."""
    return Around(
        tuple(
            (node.name, isinstance(node, ast.ClassDef))
            for node in nodes
            if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
            and node.name != "__init__"
        ),
        any(isinstance(node, _LOOPS) for node in nodes),
    )


def covers(node: ast.AST, place: tuple[int, int]) -> bool:
    """Whether a line and column are within a node."""
    if not isinstance(node, (ast.stmt, ast.expr)):
        return False
    end = (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
    return (node.lineno, node.col_offset) <= place < end


def number_of(node: ast.expr) -> int | None:
    """A plain whole number."""
    if isinstance(node, ast.Constant) and type(node.value) is int and node.value > 0:
        return node.value
    return None


def text_of(node: ast.expr) -> str | None:
    """A plain text."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def dotted(node: ast.expr) -> str | None:
    """`a.b.c` of names and attributes."""
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return None if inner is None else f"{inner}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else None


def imported_number(path: Path, name: str, sources: Sources) -> int | None:
    """The number that a name of another module of the app stands for: `shop.constants.MEMORY_MB`.

    None if that isn't written once, at the module's top.
    """
    module, _, own = name.rpartition(".")
    inside = f"{module.replace('.', '/')}.py"
    project = project_of(path)
    for folder in (path.parent, *(path.parent / up for up in ("..", "../..")), project):
        file = folder / inside
        if module and file.is_file():
            try:
                tree = sources.parsed(file, ast.parse)
            except (SyntaxError, ValueError, TemplateError):
                return None
            found = assigned(tree, own)
            is_top = len(found) == 1 and any(
                isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is found[0]
                for node in tree.body
            )
            return number_of(found[0]) if is_top else None
    return None


def assigned(tree: ast.Module, name: str) -> list[ast.expr]:
    """What code assigns to a name, anywhere."""
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and target.id == name
    ]
