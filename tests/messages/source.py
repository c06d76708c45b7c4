"""What the source's own texts say: string constants below the command line, docstrings apart."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tuner"
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class Text(NamedTuple):
    """A string constant, and where it stands."""

    path: str
    line: int
    value: str


@cache
def modules() -> dict[str, ast.Module]:
    """Every module below the command line, by its path in the repository."""
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
        if "cli" not in path.relative_to(PACKAGE).parts[:1]
    }


@cache
def texts() -> tuple[Text, ...]:
    """Every string constant; of an f-string whole, with `{}` where a value stands."""
    return tuple(_texts())


def _texts() -> Iterator[Text]:
    for path, tree in modules().items():
        skipped = _docstrings(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                skipped.update(map(id, node.values))
                parts = (
                    str(each.value) if isinstance(each, ast.Constant) else "{}"
                    for each in node.values
                )
                yield Text(path, node.lineno, "".join(parts))
        for node in ast.walk(tree):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
            if is_text and id(node) not in skipped:
                yield Text(path, node.lineno, node.value)


def _docstrings(tree: ast.Module) -> set[int]:
    """The constants that document: of modules, classes and functions, and below attributes."""
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, _DOCUMENTED)]
    return {id(each.value) for body in bodies for each in body if isinstance(each, ast.Expr)}
