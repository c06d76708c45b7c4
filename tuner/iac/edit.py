"""Changes a function's memory where it is declared: exactly that, checked by reading it back."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tuner.errors import NotInTemplateError, TemplateError
from tuner.iac.dialects import read_unit
from tuner.iac.setting import BOM, Refusal, same_but
from tuner.iac.tree import changed_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tuner.iac.dialects import Stage, Unit
    from tuner.iac.setting import DeclaredFunction, How, Setting, Sources


Match = tuple["Unit", "tuple[DeclaredFunction, ...]", int]


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
    setting = function.locate(wanted.memory_mb)
    data = sources.data(setting.path)
    if now == wanted.memory_mb:
        return _edit(wanted, setting, data, data), sources
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
    return _edit(wanted, setting, data, after), changed


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
        places = ", ".join(map(_place, found[:8]))
        more = f" and {len(found) - 8} more" if len(found) > 8 else ""
        raise TemplateError(
            f"{found[0].path}:{found[0].line}: several declarations may be {name}: {places}{more}: "
            "say which (`template`, `stage`, `template_parameters=NAME=VALUE`)"
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
    places = ", ".join(map(_place, unnamed[:4]))
    more = f" and {len(unnamed) - 4} more" if len(unnamed) > 4 else ""
    return (
        f", but only a deployment knows the names of {places}{more}: name its file or folder "
        "(`template`), or the function as it's called there"
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


def _edit(wanted: Wanted, setting: Setting, data: bytes, after: bytes) -> Edit:
    start, end = setting.span
    first = data.rfind(b"\n", 0, start) + 1
    text_start = first + len(BOM) if first == 0 and data.startswith(BOM) else first
    last = _line_end(data, end)
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
        setting.memory_mb,
        setting.how,
        setting.shared_by,
    )


def _line_end(data: bytes, at: int) -> int:
    found = data.find(b"\n", at)
    return len(data) if found < 0 else found


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
