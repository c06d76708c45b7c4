"""Help as plain text: whole option names with their descriptions, grouped under titles.

A command with many options shows the common ones; `--help-all` shows the rest.
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any, Final

import typer
from typer.core import TyperCommand, TyperOption

if TYPE_CHECKING:
    from collections.abc import Iterator

_ALL: Final = "tuner.help_all"
SETTINGS: Final = "Settings"
"""Title of options that are listed by their names alone."""
_NAMES_WIDTH: Final = 28
_SETTINGS: Final = (
    "Defaults come from TUNER_* variables (TUNER_BUDGET_USD=0.05), then tuner.toml or [tool.tuner] "
    "in pyproject.toml (budget-usd = 0.05)."
)
_METAVAR: Final = re.compile(r"<(.+)>")
_PLAIN: Final = {"str": "TEXT", "int": "N", "int range": "N", "float": "NUMBER", "path": "PATH"}
_SENTENCE: Final = re.compile(r"(?<=[^.…][.])\s.*", re.DOTALL)


class PlainHelp(TyperCommand):
    """A command with plain-text help. `common` names the parameters in the short help; if it's
    empty, every option is shown.
    """

    common: tuple[str, ...] = ()

    def get_params(self, ctx: Any) -> list[Any]:
        """The command's own parameters, `--help`, and `--help-all` if help is shortened."""
        own = super().get_params(ctx)
        return [*own, _help_all()] if self.common else own

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Usage, description, options by title, examples, and where defaults come from."""
        write_help(self, ctx, formatter, short=bool(self.common) and not ctx.meta.get(_ALL))
        if any(each.param_type_name == "option" for each in self.params):
            formatter.write_paragraph()
            formatter.write_text(_SETTINGS)


def write_help(command: Any, ctx: Any, formatter: Any, *, short: bool = False) -> None:
    """Write the help for a command, or for a group and its commands."""
    command.format_usage(ctx, formatter)
    text = command.help or ""
    formatter.write_paragraph()
    formatter.write_text(text.partition("\n\n")[0] if short else text)
    for title, rows in (_commands(command, ctx) | _options(command, ctx, short=short)).items():
        with formatter.section(title):
            formatter.write_dl(rows, col_max=_NAMES_WIDTH)
    if settings := _settings(command, short=short):
        text = (
            f"{', '.join(settings)}. Best set in tuner.toml; the documentation's Settings "
            "page explains each."
        )
        with formatter.section("Rarely needed"):
            formatter.write("".join(_wrapped(text, formatter.width)))
    if command.epilog:
        with formatter.section("Examples"):
            formatter.write("".join(_indented(command.epilog, formatter.width)))


def _commands(command: Any, ctx: Any) -> dict[str, list[tuple[str, str]]]:
    if not hasattr(command, "list_commands"):
        return {}
    names = command.list_commands(ctx)
    return {"Commands": [(name, command.get_command(ctx, name).help) for name in names]}


def _options(command: Any, ctx: Any, *, short: bool) -> dict[str, list[tuple[str, str]]]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record is None or getattr(parameter, "hidden", False):
            continue
        name, text = _METAVAR.sub(_plain_metavar, record[0]), record[1]
        if parameter.param_type_name == "argument":
            name, title = parameter.metavar or parameter.name.upper(), "Arguments"
        elif not parameter.expose_value:
            title = "Help"
        elif short and parameter.name not in command.common:
            continue
        else:
            title = parameter.rich_help_panel or "Options"
        groups.setdefault(title, []).append((name, _SENTENCE.sub("", text) if short else text))
    if "Help" in groups:
        groups["Help"] = groups.pop("Help")  # last
    return groups


def _plain_metavar(found: re.Match[str]) -> str:
    """What to write there, not its type: `cost|speed`, `N`."""
    return _PLAIN.get(found[1], found[1])


def _settings(command: Any, *, short: bool) -> list[str]:
    """The names of those that are described elsewhere."""
    return [
        parameter.opts[0]
        for parameter in getattr(command, "params", ())
        if not short and getattr(parameter, "rich_help_panel", None) == SETTINGS
    ]


def _indented(epilog: str, width: int) -> Iterator[str]:
    """Paragraphs: commands verbatim, prose wrapped."""
    for paragraph in epilog.split("\n\n"):
        if paragraph.startswith("tuner "):
            yield f"  {paragraph}\n"
        else:
            yield "\n"
            yield from _wrapped(paragraph, width)


def _wrapped(text: str, width: int) -> Iterator[str]:
    """Lines that cut no option's name."""
    for line in textwrap.wrap(text, width - 2, break_on_hyphens=False):
        yield f"  {line}\n"


def _help_all() -> Any:
    return TyperOption(
        param_decls=["--help-all"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_show_all,
        help="Show every option and exit.",
    )


def _show_all(ctx: typer.Context, _option: object, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        ctx.meta[_ALL] = True
        typer.echo(ctx.get_help())
        raise typer.Exit
