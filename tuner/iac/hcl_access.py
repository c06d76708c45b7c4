"""What an expression of Terraform's reads: a name, and the keys within its value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tuner.iac.hcl import Value, inner_node, unquoted
from tuner.iac.parser import child, walk, written

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOTS: Final = ("var", "local", "each")
KEY_OF_EACH: Final = "\0each.key"
"""In a path: the key of the element."""
ANY_KEY: Final = "\0"
"""In a path: begins a key that only a deployment knows, as it's written."""


@dataclass(frozen=True, slots=True)
class Access:
    """`var.functions["a"].memory_size`, or `lookup(…)` and `try(…)` of such."""

    kind: str
    """`var`, `local` or `each`."""
    name: str
    path: tuple[str, ...] = ()
    default: Any = None
    """Expression for a value that isn't there."""
    after_default: tuple[str, ...] = ()
    """What is read of the default."""


def access_of(node: Any) -> Access | None:
    """What an expression reads; None where it's anything else."""
    node = unquoted(node)
    while True:
        parts = list(node.children)
        if node.type == "expression" and len(parts) == 3 and parts[0].type == "(":
            node = parts[1]
        elif node.type == "expression" and len(parts) == 1 and parts[0].type == "expression":
            node = parts[0]
        else:
            break
    if node.type != "expression" or not parts:
        return None
    if parts[0].type == "function_call":
        return _of_call(parts[0], parts[1:])
    if parts[0].type != "variable_expr" or len(parts) < 2 or parts[1].type != "get_attr":
        return None
    kind, name = written(parts[0]), written(parts[1]).lstrip(".")
    keys = _keys(parts[2:])
    return Access(kind, name, keys) if kind in _ROOTS and keys is not None else None


def _of_call(call: Any, behind: list[Any]) -> Access | None:
    name = written(call.children[0])
    listed = child(call, "function_arguments")
    given = [] if listed is None else [e for e in listed.children if e.type == "expression"]
    keys = _keys(behind)
    inner = access_of(given[0]) if given and keys is not None else None
    if inner is None or keys is None or inner.default is not None:
        return None
    if name == "lookup" and len(given) in (2, 3):
        path = (*inner.path, _key(given[1]), *keys)
        return Access(inner.kind, inner.name, path, given[2] if len(given) > 2 else None, keys)
    if name == "try" and len(given) == 2:
        return Access(inner.kind, inner.name, (*inner.path, *keys), given[1], keys)
    return None


def _keys(nodes: list[Any]) -> tuple[str, ...] | None:
    """The keys that follow a name; None for a splat or the like."""
    found = []
    for node in nodes:
        if node.type == "get_attr":
            found.append(written(node).lstrip("."))
        elif node.type == "index" and node.children[0].type == "new_index":
            found.append(_key(node.children[0].children[1]))
        else:
            return None
    return tuple(found)


def _key(node: Any) -> str:
    text = Value.text_of(node)
    if text is not None:
        return text
    key = written(node).strip()
    return KEY_OF_EACH if key == "each.key" else f"{ANY_KEY}{key}"


def pairs_of(node: Any) -> dict[str, Any] | None:
    """The elements of a literal object by key; None if it's none, or its keys are computed."""
    literal = _collection(node, "object")
    if literal is None:
        return None
    found = {}
    for each in literal.children:
        if each.type == "object_elem":
            key, value = (part for part in each.children if part.type == "expression")
            name = Value.text_of(key) or written(key)
            if not name.replace("-", "_").isidentifier() and Value.text_of(key) is None:
                return None
            found[name] = value
    return found


def strings_of(node: Any) -> list[str] | None:
    """The texts of a literal list or `toset([…])`; None if it's none."""
    inner = inner_node(node)
    if inner.type == "function_call" and written(inner.children[0]) in ("toset", "tolist"):
        listed = child(inner, "function_arguments")
        return None if listed is None else strings_of(listed.children[0])
    literal = _collection(node, "tuple")
    if literal is None:
        return None
    texts = [Value.text_of(each) for each in literal.children if each.type == "expression"]
    return None if None in texts else [each for each in texts if each is not None]


def _collection(node: Any, kind: str) -> Any:
    inner = inner_node(node)
    if inner.type == "collection_value" and inner.children[0].type == kind:
        return inner.children[0]
    return None


def touches(root: Any, kind: str, name: str, path: tuple[str, ...]) -> Iterator[Any]:
    """Where code reads a value, or what it's in: nodes of the expressions."""
    for node in walk(root):
        parts = node.children
        if node.type != "expression" or len(parts) < 2 or parts[0].type != "variable_expr":
            continue
        if (written(parts[0]), written(parts[1]).lstrip(".")) != (kind, name):
            continue
        whole = _widest(node)
        read = access_of(whole)
        if read is None or not _apart(read.path, path):
            inner = path[len(read.path) :] if read is not None else ()
            if read is None or not inner or not _each_apart(whole, inner):
                yield node


def _apart(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether neither of two paths leads into the other."""
    return any(a != b and ANY_KEY not in a + b for a, b in zip(one, other, strict=False))


def _each_apart(node: Any, path: tuple[str, ...]) -> bool:
    """Whether what goes through all elements reads something else of each.

    `path` begins with the element's key.
    """
    around = node.parent
    if around is not None and around.type == "attribute":
        if written(around.children[0]) != "for_each" or len(path) < 2:
            return False
        block = around.parent
        return not any(touches(block, "each", "value", path[1:]))
    while around is not None and around.type in ("expression", "for_intro"):
        around = around.parent
    if around is None or around.type not in ("for_object_expr", "for_tuple_expr"):
        return False
    names = [
        written(part)
        for intro in around.children
        if intro.type == "for_intro"
        for part in intro.children
        if part.type == "identifier"
    ]
    if len(names) != 2 or len(path) < 2:
        return False
    return not _reads(around, names[1], path[1])


def _reads(root: Any, name: str, attribute: str) -> bool:
    """Whether code reads an attribute of a name, or the whole of it."""
    for node in walk(root):
        parts = node.children
        if node.type == "expression" and parts and parts[0].type == "variable_expr":
            is_other = len(parts) > 1 and parts[1].type == "get_attr"
            if written(parts[0]) == name and not (
                is_other and written(parts[1]).lstrip(".") != attribute
            ):
                return True
    return False


def _widest(node: Any) -> Any:
    """The `lookup` or `try` that an expression is the first argument of, with what follows."""
    listed = node.parent
    call = None if listed is None else listed.parent
    if (
        call is not None
        and call.type == "function_call"
        and written(call.children[0]) in ("lookup", "try")
        and listed.children[0].id == node.id
        and access_of(call.parent) is not None
    ):
        return call.parent
    return node
