"""Pages that are made from the code when mkdocs builds the site: commands, public names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer
from mkdocs.structure.files import File
from typer.cli import get_docs_for_click

import tuner
from tests.docs.json_schema import schema
from tuner.cli.app import build

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages (an event of mkdocs)."""
    pages = {
        "commands.md": commands_page(),
        "python.md": python_page(),
        "json.md": json_page(),
        "json-schema.json": json.dumps(schema(), indent=2),
    }
    for name, content in pages.items():
        files.append(File.generated(config, name, content=content))
    return files


def commands_page() -> str:
    """Every command with its options, as their help says it."""
    root = build()
    return "# Commands\n\n" + "\n".join(_pages(root, typer.Context(root, info_name="tuner")))


def _pages(group: Any, context: typer.Context) -> Iterator[str]:
    for name in group.list_commands(context):
        _, command, _ = group.resolve_command(context, [name])
        full_name = f"{context.command_path} {name}"
        below = typer.Context(command, info_name=name, parent=context)
        if hasattr(command, "list_commands"):
            yield from _pages(command, below)
        else:
            yield "#" + get_docs_for_click(obj=command, ctx=below, name=full_name, title=full_name)


def python_page() -> str:
    """Every public name with its docstring."""
    introduction = (
        "# Python\n\n`import tuner` loads nothing until a name is used. Errors that a user can do "
        "something about are `tuner.TunerError`.\n"
    )
    names = [name for name in tuner.__all__ if name != "__version__"]
    modules = (f"\n::: {getattr(tuner, name).__module__}.{name}\n" for name in sorted(names))
    return introduction + "".join(modules)


def json_page() -> str:
    """Every kind of object that `--json` prints, a row for each key."""
    introduction = (
        "# JSON\n\nWhat `--json` prints is one object of one of these kinds, held against "
        "[json-schema.json](json-schema.json) in the tests. Keys that are listed are always there; "
        "null says that a thing is not known. New keys may be added.\n"
    )
    parts = [introduction]
    for name, kind in schema()["$defs"].items():
        if "title" not in kind:
            continue
        rows = "\n".join(_rows(kind, ""))
        table = f"| key | type | meaning |\n|---|---|---|\n{rows}\n" if rows else ""
        parts.append(f"## {name}\n\n{kind['description']}\n\n{table}")
    return "\n".join(parts)


def _rows(kind: dict[str, Any], above: str) -> Iterator[str]:
    for name, value in kind.get("properties", {}).items():
        if name in {"schema_version", "kind"} and not above:
            continue
        told = value.get("description") or _definition(value).get("description", "")
        yield f"| `{above}{name}` | {_type(value)} | {told} |"
        items = value.get("items", {})
        inner, mark = (items, "[].") if "properties" in items else (value, ".")
        yield from _rows(inner, f"{above}{name}{mark}")


def _definition(value: dict[str, Any]) -> dict[str, Any]:
    name = value.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = schema()["$defs"].get(name, {})
    return found


def _type(value: dict[str, Any]) -> str:
    if "anyOf" in value:
        return " or ".join(_type(each) for each in value["anyOf"])
    if "enum" in value:
        return ", ".join(f"`{each}`" for each in value["enum"])
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        return name if name in {"interval", "quantity"} else str(_definition(value)["type"])
    kinds = value.get("type", "any")
    return " or ".join(kinds) if isinstance(kinds, list) else str(kinds)
