"""Which blocks of Terraform's make a function: resources, and calls of modules for that."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tuner.iac.setting import ANY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuner.iac.hcl import Block, Value
    from tuner.iac.terraform_modules import Scope

MEMORY: Final = "memory_size"
_MODULE: Final = re.compile(r"(terraform-aws-modules/(terraform-aws-)?lambda|lambda/aws)\b")
_ELSEWHERE: Final = re.compile(r"(?!\.)\S*lambda[^/]*$")
"""The source of a module for functions that isn't in this repository."""
_FUNCTION: Final = re.compile(r'"aws_lambda_function"|source\s*=\s*"[^."][^"]*lambda')
_MEMORIES: Final = (MEMORY, "memory")
_NAMES: Final = ("function_name", "lambda_name", "name")


def has_functions(text: str) -> bool:
    """Whether a `.tf` file may declare functions."""
    return _FUNCTION.search(text) is not None


def address(block: Block) -> str:
    """As Terraform calls it in its folder."""
    labels = block.labels if block.kind == "resource" else ("module", *block.labels)
    return ".".join(labels)


def is_function(block: Block) -> bool:
    """Whether it makes a function."""
    if block.kind == "resource":
        return block.labels[:1] == ("aws_lambda_function",)
    source = block.values["source"].string if "source" in block.values else None
    if block.kind != "module" or source is None:
        return False
    made = block.values.get("create_function")
    is_layer = "create_layer" in block.values and block.values["create_layer"].text == "true"
    if made is not None and made.text == "false":
        return False
    if _is_registrys(source):
        return not (is_layer and made is None)
    is_named = _ELSEWHERE.fullmatch(source.partition("?")[0]) is not None
    return is_named and memory_of(block) is not None


def _is_registrys(source: str) -> bool:
    """Whether it's the registry's module, and not one within it."""
    within = "//" in re.sub(r"^(git::)?https://", "", source)
    return _MODULE.search(source) is not None and not within


def memory_of(block: Block) -> Value | None:
    """Its memory; a module from elsewhere may call it otherwise."""
    names = (MEMORY,) if block.kind == "resource" else _MEMORIES
    return next((block.values[name] for name in names if name in block.values), None)


def is_made(block: Block, scope: Scope) -> bool:
    """Whether a module makes its function for this call: it may be asked for a layer only."""
    count = block.values.get("count")
    if scope.call is None or count is None:
        return True
    given = scope.call.values
    asked = {name: value.text for name, value in given.items() if f"var.{name}" in count.text}
    if asked.get("create") == "false" or asked.get("create_function") == "false":
        return False
    return not (asked.get("create_layer") == "true" and "create_function" not in given)


def _name_value(block: Block) -> Value | None:
    names = _NAMES[:1] if block.kind == "resource" else _NAMES
    return next((block.values[name] for name in names if name in block.values), None)


def name_of(block: Block, scope: Scope) -> str | None:
    """The function's name, where it's surely known."""
    value = _name_value(block)
    return None if value is None else scope.known(value)


def made_names(block: Block, scope: Scope) -> Iterator[str]:
    """What is known of its name."""
    value = _name_value(block)
    if value is None:
        return
    place, at = scope.resolved(value)
    pattern = scope.known(value) or place.pattern(at.known)
    if pattern is not None and pattern.strip(ANY):
        yield pattern
