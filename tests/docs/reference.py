"""Pages that are made from the code when mkdocs builds the site: commands, public names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
from mkdocs.structure.files import File
from typer.cli import get_docs_for_click

import tuner
from tuner.cli.app import build

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages (an event of mkdocs)."""
    for name, content in (("commands.md", commands_page()), ("python.md", python_page())):
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
