"""Whether an edit left a file's syntax tree as it was, but for what was written.

Apart from what the dialects' readers make of a file, so that an edit which they take for right and
which turns other code into something else is found: a comment that swallows a line, a value that
joins its neighbor.
"""

from __future__ import annotations

import ast
from itertools import accumulate, zip_longest
from typing import TYPE_CHECKING, Any, Final

from tuner.iac.parser import syntax_tree
from tuner.iac.setting import BOM
from tuner.iac.typescript_code import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HCL: Final = (".tf", ".tfvars")
Part = tuple[int, str, object, int]
"""Depth, kind, the text of a leaf, and the line."""


def changed_line(
    path: Path, before: bytes, after: bytes, span: tuple[int, int], written: bytes
) -> int | None:
    """The line of the new file from which its tree differs outside the edit; None if nowhere.

    `span` is what `written` replaces. Files without a syntax tree of code are never different.
    """
    now = (span[0], span[0] + len(written))
    pairs = zip_longest(_parts(path, before, span), _parts(path, after, now))
    for old, new in pairs:
        if old is None or new is None or old[:3] != new[:3]:
            return (new or old or (0, "", "", 1))[3]
    return None


def _parts(path: Path, data: bytes, span: tuple[int, int]) -> Iterator[Part]:
    if path.suffix in _HCL:
        return _of_tree_sitter(syntax_tree("hcl", data), span)
    if path.suffix in SUFFIXES:
        return _of_tree_sitter(syntax_tree("typescript", data), span)
    return _of_python(data, span) if path.suffix == ".py" else iter(())


def _of_tree_sitter(root: Any, span: tuple[int, int]) -> Iterator[Part]:
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        if span[0] <= node.start_byte < node.end_byte <= span[1] and not node.has_error:
            continue
        if node.type == "comment":  # belongs to what is before or after it, as it happens
            continue
        leaf = node.text if node.child_count == 0 else None
        yield depth, node.type, leaf, int(node.start_point[0]) + 1
        waiting.extend((each, depth + 1) for each in reversed(node.children))


def _of_python(data: bytes, span: tuple[int, int]) -> Iterator[Part]:
    first = len(BOM) if data.startswith(BOM) else 0
    lines = [0, *accumulate(map(len, data.splitlines(keepends=True)))]
    waiting: list[tuple[Any, int, int]] = [(ast.parse(data), 0, 1)]
    while waiting:
        node, depth, line = waiting.pop()
        if not isinstance(node, ast.AST):
            yield depth, "", node, line
            continue
        if getattr(node, "end_lineno", None) is not None:
            place: Any = node
            line = int(place.lineno)
            start = lines[place.lineno - 1] + place.col_offset
            end = lines[place.end_lineno - 1] + place.end_col_offset
            start += first * (place.lineno == 1)
            end += first * (place.end_lineno == 1)
            if span[0] <= start < end <= span[1]:
                continue
        yield depth, type(node).__name__, None, line
        for _, value in reversed(list(ast.iter_fields(node))):
            inner = reversed(value) if isinstance(value, list) else (value,)
            waiting.extend((each, depth + 1, line) for each in inner)
