"""Changes a function's memory where it is declared: exactly that, checked by reading it back.

Apart from what the dialects' readers make of a file, its syntax tree must stay as it was but for
what was written, so that an edit which they take for right and which turns other code into
something else is found: a comment that swallows a line, a value that joins its neighbor.
"""

from __future__ import annotations

import ast
import difflib
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

from tuner.errors import NotInTemplateError, TemplateError
from tuner.iac.dialects import read_unit
from tuner.iac.hcl import CODE
from tuner.iac.parser import syntax_tree
from tuner.iac.python_code import Offsets
from tuner.iac.setting import BOM, Refusal, not_too_deep, same_but
from tuner.iac.typescript_code import SUFFIXES
from tuner.model.interval import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tuner.iac.dialects import Unit
    from tuner.iac.setting import DeclaredFunction, How, Setting, Sources, Stage


Match = tuple["Unit", "tuple[DeclaredFunction, ...]", int]
Part = tuple[int, str, object, int]
"""Of a syntax tree: depth, kind, the text of a leaf, and the line."""
_HCL: Final = (*CODE, ".tfvars")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The memory that a function should have."""

    function: str
    """Its deployed name, logical id, resource label or function key."""
    memory_mb: int
    was_mb: int | None = None
    """Its deployed size, to compare with the file; None if unknown."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of one value; `before` equals `after` if the file already has the memory."""

    function: str
    path: Path
    line: int
    """Of the first changed line, from 1."""
    column: int
    before: str
    """The whole lines as they are, and as they would be, without the last line break."""
    after: str
    memory_mb: int
    was_mb: int | None
    how: How
    shared_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Declarations:
    """The functions of all units, and the units that can't be read."""

    functions: tuple[tuple[Unit, tuple[DeclaredFunction, ...]], ...]
    unreadable: tuple[Refusal, ...]


def read_declarations(units: Sequence[Unit], sources: Sources, stage: Stage) -> Declarations:
    """Read all units."""
    found, unreadable = [], []
    for unit in units:
        try:
            found.append((unit, tuple(read_unit(unit, sources, stage))))
        except TemplateError as error:
            unreadable.append(Refusal.of(error, unit.path))
    return Declarations(tuple(found), tuple(unreadable))


def edit_memory(
    wanted: Wanted, declared: Declarations, sources: Sources, stage: Stage
) -> tuple[Edit, Sources]:
    """Return the edit and the files after it.

    Raises TemplateError if the function can't be changed, NotInTemplateError if nothing declares
    it. The message begins with file and line if there are any.
    """
    unit, functions, index, stage = _chosen(wanted.function, declared, sources, stage)
    function = functions[index]
    now = function.memory
    if now != wanted.memory_mb:
        _check_was(wanted, function)
    with not_too_deep(function.path):
        setting = function.locate(wanted.memory_mb)
    data = sources.data(setting.path)
    if now == wanted.memory_mb:
        return _edit(wanted, function, setting, data, data), sources
    start, end = setting.span
    written = setting.written(wanted.memory_mb)
    after = data[:start] + written + data[end:]
    changed = sources.with_file(setting.path, after)
    again = read_unit(unit, changed, stage)
    if why := same_but(functions, again, index, wanted.memory_mb):
        line = data.count(b"\n", 0, start) + 1
        raise TemplateError(f"{setting.path}:{line}: {why}: change it by hand")
    elsewhere = changed_line(setting.path, data, after, setting.span, written)
    if elsewhere is not None:
        raise TemplateError(
            f"{setting.path}:{elsewhere}: the edit would change other code too: change it by hand"
        )
    return _edit(wanted, function, setting, data, after), changed


def find_declaration(
    name: str, declared: Declarations, sources: Sources, stage: Stage
) -> DeclaredFunction | None:
    """The one function that a name means; None if there is none or more than one."""
    try:
        _, functions, index, _ = _chosen(name, declared, sources, stage)
    except TemplateError:
        return None
    return functions[index]


def _chosen(
    name: str, declared: Declarations, sources: Sources, stage: Stage
) -> tuple[Unit, Sequence[DeclaredFunction], int, Stage]:
    """The one function that a name means, read as the name tells of its deployment, and that.

    Raises TemplateError.
    """
    unit, functions, index = _meant(name, declared)
    told = stage.with_told(functions[index].told_by(name))
    if told == stage:
        return unit, functions, index, stage
    again = read_unit(unit, sources, told)
    key = functions[index].key
    same = [at for at, each in enumerate(again) if each.key == key and each.rank(name) is not None]
    if len(same) != 1:
        return unit, functions, index, stage
    return unit, again, same[0], told


def _meant(name: str, declared: Declarations) -> Match:
    """The one function that a name means. Raises TemplateError."""
    ranked: dict[int, list[Match]] = {}
    for unit, functions in declared.functions:
        for index, each in enumerate(functions):
            rank = each.rank(name) if unit.has(each) else None
            if rank is not None:
                ranked.setdefault(rank, []).append((unit, functions, index))
    if not ranked:
        why = _why_none(declared)
        raise NotInTemplateError(f"nothing here declares a function called {name}{why}")
    matches = _closest(name, ranked[min(ranked)])
    if len(matches) > 1:
        found = [functions[index] for _, functions, index in matches]
        raise TemplateError(
            f"{found[0].path}:{found[0].line}: several declarations may be {name}: "
            f"{listed([*map(_place, found)], 8)}: say which (`template`, `stage`, "
            "`template_parameters=NAME=VALUE`)"
        )
    return matches[0]


def _closest(name: str, matches: list[Match]) -> list[Match]:
    """Of a file's functions the one with the most of a name: the stage is what is left of it.

    `shop-dev-retry-send` is `retry-send` of the stage `dev`, if there is `send` too.
    """
    if len({unit for unit, _, _ in matches}) > 1:
        return matches
    left = [sum(map(len, functions[at].told_by(name).values())) for _, functions, at in matches]
    closest = [match for match, size in zip(matches, left, strict=True) if size == min(left)]
    return closest if min(left) > 0 else matches


def _why_none(declared: Declarations) -> str:
    """What to do if no function has a name, and which have one that isn't known."""
    if declared.unreadable:
        return f"; {declared.unreadable[0]}"
    unnamed = [f for _, functions in declared.functions for f in functions if f.is_unnamed]
    if not unnamed:
        return ": name its file or folder (`template`)"
    return (
        f", but only a deployment knows the names of {listed([*map(_place, unnamed)], 4)}: name "
        "its file or folder (`template`), or the function as it's called there"
    )


def _place(function: DeclaredFunction) -> str:
    root = function.root
    elsewhere = "" if root in (None, function.path.parent) else f" of {root}"
    return f"{function.path}:{function.line} ({function.key}{elsewhere})"


def _check_was(wanted: Wanted, function: DeclaredFunction) -> None:
    """Refuse if the file's memory isn't what the function is deployed with."""
    if wanted.was_mb is None or function.memory == wanted.was_mb:
        return
    if isinstance(function.memory, int):
        raise TemplateError(
            f"{function.path}:{function.line}: {function.key} has {function.memory} MB here, and "
            f"the function is deployed with {wanted.was_mb} MB: use the file that it was deployed "
            "from, or give what chooses its size there (`stage`, `template_parameters=NAME=VALUE`)"
        )


def _edit(
    wanted: Wanted, function: DeclaredFunction, setting: Setting, data: bytes, after: bytes
) -> Edit:
    start, end = setting.span
    first = data.rfind(b"\n", 0, start) + 1
    text_start = first + len(BOM) if first == 0 and data.startswith(BOM) else first
    last = data.find(b"\n", end)
    last = len(data) if last < 0 else last
    behind = last + len(after) - len(data)
    old, new = (_text(data[text_start:last]), _text(after[text_start:behind]))
    return Edit(
        wanted.function,
        setting.path,
        data.count(b"\n", 0, start) + 1,
        len(_text(data[text_start:start])) + 1,
        old,
        new,
        wanted.memory_mb,
        function.memory if isinstance(function.memory, int) else None,
        setting.how,
        setting.shared_by,
    )


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace").removesuffix("\r")


def diff(before: Mapping[Path, bytes], after: Mapping[Path, bytes]) -> str:
    """Return the change to files as a unified diff."""
    lines: list[str] = []
    for path, new in after.items():
        old, shown = before[path], path.as_posix().lstrip("/")
        lines += difflib.unified_diff(
            _text(old).splitlines(keepends=True),
            _text(new).splitlines(keepends=True),
            f"a/{shown}",
            f"b/{shown}",
        )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


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
    offsets = Offsets(data)
    waiting: list[tuple[Any, int, int]] = [(ast.parse(data), 0, 1)]
    while waiting:
        node, depth, line = waiting.pop()
        if not isinstance(node, ast.AST):
            yield depth, "", node, line
            continue
        line = int(getattr(node, "lineno", line))
        if getattr(node, "end_lineno", None) is not None:
            start, end = offsets.span(node)
            if span[0] <= start < end <= span[1]:
                continue
        yield depth, type(node).__name__, None, line
        for _, value in reversed(list(ast.iter_fields(node))):
            inner = reversed(value) if isinstance(value, list) else (value,)
            waiting.extend((each, depth + 1, line) for each in inner)
