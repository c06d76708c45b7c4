"""TypeScript and JavaScript: literal objects, constants, and what a piece of code is in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from tuner.iac.parser import child, walk, written

SUFFIXES: Final = (".ts", ".js", ".mts", ".mjs", ".cts", ".cjs")
LOOPS: Final = ("for_statement", "for_in_statement", "while_statement", "do_statement")
_TYPED: Final = (
    *("as_expression", "satisfies_expression", "type_assertion", "parenthesized_expression"),
)
_EACH: Final = ("map", "forEach", "flatMap", "reduce", "filter")


@dataclass(frozen=True, slots=True)
class LiteralObject:
    """A literal object: its pairs by name, and what is spread into it."""

    node: Any
    pairs: dict[str, Any]
    """Values; for `memorySize,` the name itself."""
    spreads: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """A file's syntax tree."""

    root: Any

    def object(self, node: Any) -> LiteralObject | None:
        """A literal object, or the one that a constant is."""
        if node is None:
            return None
        if node.type == "identifier":
            node = self.constant(written(node))
        while node is not None and node.type in _TYPED:
            node = node.named_children[-1 if node.type == "type_assertion" else 0]
        if node is None or node.type != "object":
            return None
        pairs, spreads = {}, []
        for each in node.named_children:
            if each.type == "spread_element":
                spreads.append(each.named_children[0])
            elif each.type == "pair":
                key = each.child_by_field_name("key")
                if key.type == "computed_property_name":
                    return None
                pairs[string_of(key) or written(key)] = each.child_by_field_name("value")
            elif each.type == "shorthand_property_identifier":
                pairs[written(each)] = each
        return LiteralObject(node, pairs, tuple(spreads))

    def constant(self, name: str) -> Any:
        """What a `const` of the file is, if there is one of that name and nothing changes it."""
        found = []
        for node in walk(self.root):
            if node.type == "variable_declarator":
                left = node.child_by_field_name("name")
                if left is not None and written(left) == name:
                    kind = written(node.parent.children[0])
                    found.append(node.child_by_field_name("value") if kind == "const" else None)
            elif node.type in ("required_parameter", "optional_parameter"):
                left = node.child_by_field_name("pattern")
                if left is not None and written(left) == name:
                    return None
            elif node.type == "assignment_expression":
                left = node.child_by_field_name("left")
                if left is not None and re.match(rf"{re.escape(name)}\b", written(left)):
                    return None
        return found[0] if len(found) == 1 else None

    def uses(self, name: str) -> int:
        """How often a name is written in the file, its declaration included."""
        kinds = ("identifier", "shorthand_property_identifier")
        return sum(n.type in kinds and written(n) == name for n in walk(self.root))

    def is_exported(self, value: Any) -> bool:
        """Whether other files may use a constant."""
        node = value
        while node is not None and node.type != "export_statement":
            node = node.parent
        return node is not None and not any(
            each.type.startswith("class") for each in node.named_children
        )


def shortened(node: Any) -> str:
    """The beginning of its text, on one line."""
    return " ".join(written(node).split())[:60]


def string_of(node: Any) -> str | None:
    """A plain string's text."""
    is_plain = node.type == "string" or (
        node.type == "template_string" and child(node, "template_substitution") is None
    )
    return written(node)[1:-1] if is_plain else None


def number_of(node: Any) -> int | None:
    """A plain whole number."""
    text = written(node).replace("_", "")
    is_number = node.type == "number" and text.isdecimal() and len(text) <= 9
    return int(text) or None if is_number else None


def is_for_each(node: Any) -> bool:
    """Whether it's what `map` or `forEach` calls for each of several."""
    if node.type not in ("arrow_function", "function_expression") or node.parent is None:
        return False
    call = node.parent.parent
    if call is None or call.type != "call_expression":
        return False
    called = call.child_by_field_name("function")
    return called is not None and written(called).rpartition(".")[2] in _EACH


def name_of(node: Any) -> str | None:
    """A class's, method's or function's name."""
    if node.type in (
        *("class_declaration", "abstract_class_declaration", "class", "method_definition"),
        *("function_declaration", "generator_function_declaration"),
    ):
        name = node.child_by_field_name("name")
        return None if name is None else written(name)
    if node.type not in ("arrow_function", "function_expression") or node.parent is None:
        return None
    is_named = node.parent.type == "variable_declarator"
    return written(node.parent.child_by_field_name("name")) if is_named else None
