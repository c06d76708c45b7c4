"""Terraform: a folder's `aws_lambda_function` resources, and calls of the module of that purpose.

A folder that others call as a module is read once for each call, with the call's arguments: what is
written in it counts for all of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, NoReturn

from tuner.iac.hcl import Block, Value, read_blocks, unquoted
from tuner.iac.hcl_access import access_of, touches
from tuner.iac.parser import walk, written
from tuner.iac.setting import DeclaredFunction, Setting
from tuner.iac.terraform_functions import (
    MEMORY,
    address,
    is_function,
    is_made,
    made_names,
    memory_of,
    name_of,
)
from tuner.iac.terraform_modules import Folders, Read, Scope, is_automatic
from tuner.model import lambda_limits as limits

if TYPE_CHECKING:
    from pathlib import Path

    from tuner.iac.setting import Sources, Stage

_BELOW: Final = ("timeout", "runtime", "handler", "function_name", "source")
_ONE_OR_NONE: Final = re.compile(r"1|.+\?\s*1\s*:\s*0|.+\?\s*0\s*:\s*1", re.DOTALL)


def read_functions(folder: Path, sources: Sources, stage: Stage) -> list[DeclaredFunction]:
    """Return a folder's functions, each for each call of the folder and each element of `for_each`.

    Raises TemplateError.
    """
    folders = Folders(sources, stage)
    found = [
        (block, element)
        for scope in folders.scopes(folder)
        for block in scope.folder.blocks
        if is_function(block) and is_made(block, scope)
        for element in scope.elements(block)
    ]
    reader = _Reader(sources, folders, found)
    return [
        DeclaredFunction(
            f"{scope.prefix}{address(block)}{scope.element}",
            block.path,
            block.line,
            partial(reader.locate, block, scope),
            name=name_of(block, scope),
            made_names=tuple(made_names(block, scope)),
            memory=reader.memory(block, scope),
            root=scope.root,
        )
        for block, scope in found
    ]


@dataclass(slots=True)
class _Reader:
    sources: Sources
    folders: Folders
    functions: list[tuple[Block, Scope]]

    def memory(self, block: Block, scope: Scope) -> int | str:
        """MB, or the expression where only a deployment knows."""
        value = memory_of(block)
        if value is None:
            return limits.MIN_MEMORY_MB
        place, _ = scope.resolved(value)
        return place.number or f"{place.path}:{place.text}"

    def _value_files(self, scope: Scope, name: str) -> list[tuple[Path, Value]]:
        found = []
        for file in scope.folder.given:
            blocks = read_blocks(file, self.sources)
            found += [(file, each.values[name]) for each in blocks if name in each.values]
        return found

    def locate(self, block: Block, scope: Scope, _memory_mb: int) -> Setting:
        """Where the function's new size goes. Raises TemplateError."""
        _check_single(block, scope)
        value = memory_of(block)
        if value is None or value.number is not None:
            if scope.each is not None:
                block.values["for_each"].refuse(
                    "for_each makes several functions here, which all get the same memory: take "
                    f"{MEMORY} from its elements"
                )
            if scope.call_count > 1:
                block.refuse(
                    f"this folder is called as a module {scope.call_count} times, and its "
                    f"functions all get the same memory: make {MEMORY} a variable"
                )
            if value is None:
                return block.inserting(MEMORY, self.sources.data(block.path), _BELOW)
            return value.setting()
        if value.reference is None:
            return self._within(value, scope)
        return self._followed(value, scope)

    def _within(self, value: Value, scope: Scope) -> Setting:
        """The place within an object that an expression leads to. Raises TemplateError."""
        reads: list[Read] = []
        place, at = scope.leaf(value, (), reads) or (value, scope)
        for read in reads:
            if read.kind == "var" and read.scope.call is None:
                self._variable(value, read.name, read.scope)  # refuses one that several files give
        if place.number is None:
            value.refuse(
                f"{value.name} is {_short(value)}, which isn't one plain value: write a number "
                "here, or change it where it comes from"
            )
        if place.is_within(value):
            self._refuse_default(value, scope, place)
        for read in reads:
            others = self._touches(read)
            if len(others) > 1:
                places = ", ".join(f"{path}:{line}" for path, line in others[:4])
                place.refuse(
                    f"this is the memory, and it's read in {len(others)} places ({places}): give "
                    "this function its own value"
                )
        return self._in_folder(place, at)

    def _refuse_default(self, value: Value, scope: Scope, place: Value) -> NoReturn:
        """Say where a memory would be written that an expression gives a default for."""
        access = access_of(value.node)
        assert access is not None
        where = f"the value of {access.kind}.{access.name}"
        if access.kind == "each" and scope.each is not None:
            where = f'the element "{scope.each.key}" of {_short(scope.each.source)}'
        value.refuse(
            f"the memory is the default {place.number} here: write {access.path[-1]} in {where}"
        )

    def _touches(self, read: Read) -> list[tuple[Path, int]]:
        """Where a folder reads a value: file and line."""
        roots = {block.path: block.root for block in read.scope.folder.blocks}
        return [
            (path, int(node.start_point[0]) + 1)
            for path, root in roots.items()
            for node in touches(root, read.kind, read.name, read.path)
        ]

    def _followed(self, value: Value, scope: Scope) -> Setting:
        """The place behind `var` or `local`, where it's the function's alone; else the function's
        own value. Raises TemplateError.
        """
        kind, name = value.reference or ("", "")
        shared = self._sharing(value, scope)
        if kind == "var" and scope.call is not None and scope.parent is not None:
            if _is_passed_on(name, value, scope):
                return self._kept_apart(value, scope, shared)
            return self._argument(name, scope)
        if kind == "local":
            place = scope.folder.local(name)
            if place is None:
                value.refuse(f"there is no local {name} in this folder")
            if self._uses(kind, name, scope) == 1:
                if place.number is not None:
                    return self._in_folder(place, scope)
                if place.reference is not None:
                    return self._followed(place, scope)
            if place.number is None and place.reference is None:
                place.refuse(
                    f"the local {name}, which is the memory, is {_short(place)}: write a number, "
                    "or change it by hand"
                )
        elif (setting := self._of_variable(value, name, scope)) is not None:
            return setting
        return replace(self._in_folder(value, scope), shared_by=shared)

    def _kept_apart(self, value: Value, scope: Scope, shared: tuple[str, ...]) -> Setting:
        """A module's own value, where its variable is that of others too. Raises TemplateError."""
        if scope.call_count > 1:
            value.refuse(
                f"{_short(value)}, which is the memory, is that of other functions too, and this "
                f"folder is called as a module {scope.call_count} times: give this function its "
                "own variable"
            )
        return replace(value.setting(), shared_by=shared)

    def _of_variable(self, value: Value, name: str, scope: Scope) -> Setting | None:
        """The variable's own value; None if others use it too, and the function gets its own."""
        place = self._variable(value, name, scope)
        if place.number is None:
            place.refuse(f"the variable {name}, which is the memory, is {_short(place)}")
        if self._uses("var", name, scope) == 1:
            return place.setting()
        if self._value_files(scope, name):
            place.refuse(
                f"the variable {name} is used elsewhere too, and files of values give it: "
                "give this function its own variable"
            )
        return None

    def _in_folder(self, value: Value, scope: Scope) -> Setting:
        if scope.call_count > 1:
            value.refuse(
                f"this folder is called as a module {scope.call_count} times, and the memory is "
                "the same for all: make it a variable"
            )
        return value.setting()

    def _argument(self, name: str, scope: Scope) -> Setting:
        """Where the call of a module gives the variable, or would."""
        call, parent = scope.call, scope.parent
        assert call is not None
        assert parent is not None
        if "count" in call.values or "for_each" in call.values:
            _check_single(call, parent)
        given = call.values.get(name)
        if parent.each is not None and (given is None or given.number is not None):
            call.values["for_each"].refuse(
                "for_each calls this module several times, and all get the same memory: take "
                f"{name} from its elements"
            )
        if given is None:
            if parent.call_count > 1:
                call.refuse(
                    "this call is in a module that is called several times itself, and all get "
                    f"the same memory: make {name} a variable there"
                )
            return call.inserting(name, self.sources.data(call.path), ("source", *_BELOW))
        if given.number is not None:
            return self._in_folder(given, parent)
        if given.reference is None:
            return self._within(given, parent)
        return self._followed(given, parent)

    def _variable(self, value: Value, name: str, scope: Scope) -> Value:
        """Where a variable of the root gets its value. Raises TemplateError."""
        variable = scope.folder.variable(name)
        if variable is None:
            value.refuse(f"there is no variable {name} in this folder")
        given = self._value_files(scope, name)
        chosen = [found for file, found in given if is_automatic(file, scope.folder)]
        named = [found for file, found in given if self.folders.is_stage(file)]
        if len(named) == 1:
            chosen = named
        elif named or (given and not chosen) or len(chosen) > 1:
            places = ", ".join(f"{file}:{found.line}" for file, found in given[:6])
            given[0][1].refuse(
                f"the variable {name}, which is the memory, is given in {places}: say which "
                "(`stage`, the file's name)"
            )
        place = chosen[0] if chosen else variable.values.get("default")
        if place is None:
            variable.refuse(
                f"the variable {name}, which is the memory, has no default: change it where it is "
                "given"
            )
        return place

    def _uses(self, kind: str, name: str, scope: Scope) -> int:
        """How often `var.NAME` or `local.NAME` is written in a folder."""
        use = re.compile(rf"\b{kind}.{re.escape(name)}(?![\w-])".encode())
        return sum(len(use.findall(self.sources.data(file))) for file in scope.folder.files)

    def _sharing(self, value: Value, scope: Scope) -> tuple[str, ...]:
        """The labels of other functions in the folder with the same reference."""
        return tuple(
            ".".join(block.labels)
            for block, other in self.functions
            if other is scope
            and (memory := memory_of(block)) is not None
            and memory.text == value.text
            and memory.node.id != value.node.id
        )


def _is_passed_on(name: str, value: Value, scope: Scope) -> bool:
    """Whether a variable of a module goes to other functions too, or may through other modules."""
    memories = [memory_of(block) for block in scope.folder.blocks if is_function(block)]
    nodes = [memory.node for memory in memories if memory is not None]
    nodes += [b.node for b in scope.folder.blocks if b.kind in ("locals", "module")]
    own = {each.id for each in walk(value.node)}
    return any(read.id not in own for node in nodes for read in touches(node, "var", name, ()))


def _check_single(block: Block, scope: Scope) -> None:
    """Refuse a block that stands for several functions, or whose memory Terraform leaves alone."""
    if block.node.has_error:
        block.refuse("this block can't be read: change it by hand")
    if "for_each" in block.values and scope.each is None:
        block.values["for_each"].refuse(
            "for_each makes several functions here, and its elements aren't written in this "
            "repository: change it by hand"
        )
    count = block.values.get("count")
    if count is not None and _outcome(count, scope) == "0":
        count.refuse("count is 0 here, so there is no such function")
    if count is not None and not _ONE_OR_NONE.fullmatch(_outcome(count, scope)):
        count.refuse(
            "count makes several functions here, which get the same memory: write them out"
        )
    for lifecycle in block.blocks("lifecycle"):
        ignored = lifecycle.values.get("ignore_changes")
        if ignored is not None and re.search(rf"\b({MEMORY}|all)\b", ignored.text):
            ignored.refuse(
                f"Terraform ignores changes of {MEMORY} here (ignore_changes): take it out, or "
                "change the function itself"
            )
    if scope.call is not None and scope.parent is not None:
        _check_single(scope.call, scope.parent)


def _outcome(count: Value, scope: Scope) -> str:
    """What `count` comes to, its locals followed."""
    place, _ = scope.resolved(count)
    outcome = written(unquoted(place.node)).strip().strip('"')
    return outcome.removeprefix("(").removesuffix(")").strip()


def _short(value: Value) -> str:
    text = " ".join(value.text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."
