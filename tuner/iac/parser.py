"""Syntax trees of Terraform and TypeScript by tree-sitter, which an extra brings."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Literal

from tuner.errors import TemplateError
from tuner.model.optional_import import optional_import

if TYPE_CHECKING:
    from collections.abc import Iterator

Language = Literal["hcl", "typescript"]
_NEEDS: Final = {
    "hcl": "Terraform files need tree-sitter-hcl",
    "typescript": "TypeScript and JavaScript need tree-sitter-typescript",
}
_GRAMMARS: Final = {"hcl": "language", "typescript": "language_typescript"}


def syntax_tree(language: Language, data: bytes) -> Any:
    """The root of a file's tree; errors are marked in it. Raises TemplateError without a parser."""
    return _parser(language).parse(data).root_node


@cache
def _parser(language: Language) -> Any:
    name = f"tree_sitter_{language}"
    with optional_import(_NEEDS[language], "tree_sitter", name, extra="apply", error=TemplateError):
        import tree_sitter  # noqa: PLC0415 - of an extra

        grammar = getattr(import_module(name), _GRAMMARS[language])()
    return tree_sitter.Parser(tree_sitter.Language(grammar))


def walk(node: Any) -> Iterator[Any]:
    """A node and all within it, in the file's order."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(node.children))


def child(node: Any, kind: str) -> Any:
    """The first of its children that is of a kind; None without one."""
    return next((each for each in node.children if each.type == kind), None)


def written(node: Any) -> str:
    """Its text."""
    return str(node.text.decode("utf-8", "replace"))
