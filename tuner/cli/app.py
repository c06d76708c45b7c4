"""The tree of commands. A command's module is imported only when the command runs."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from tuner.cli import exit_status
from tuner.cli.config import KEY_OF, defaults_for
from tuner.cli.help import PlainHelp, write_help

if TYPE_CHECKING:
    from collections.abc import Mapping

USAGE_ERROR: Final = 2
_HELP_OPTIONS: Final = ("-h", "--help")
_CONTEXT_SETTINGS: Final = {"help_option_names": list(_HELP_OPTIONS)}


class Entry(NamedTuple):
    """A command as it is listed: where it lives and what it does."""

    target: str
    """`module:function` of a command in this package, `module` if both have one name, or
    `module:table` of the commands of a group.
    """
    help: str


COMMANDS: Final[dict[str, Entry]] = {
    "tune": Entry("tune", "Measure a function and say how much memory it needs."),
    "demo": Entry("demo", "Tune a real handler on this machine: no account needed."),
    "report": Entry("report", "Show the answer of saved sweeps again."),
    "sweeps": Entry("sweeps", "List saved sweeps, or remove old ones."),
    "compare": Entry("compare", "Say whether two sweeps really differ, and by how much."),
    "comment": Entry("comment", "Post the answer on a pull request, or update it."),
    "apply": Entry("apply", "Write the answer where the memory is set."),
    "break-even": Entry("break_even", "Compare Lambda with containers and EC2 at your traffic."),
    "observe": Entry("observe", "Say what a function does and costs, from its logs."),
    "load": Entry("load", "Measure latency under load, at given request rates."),
    "cold": Entry("cold", "Measure cold starts, who meets them, and what would help."),
    "spend": Entry("spend", "Say where the money goes, and which deployment changed it."),
    "verify": Entry("verify", "Say what a change saved, against its sweep's forecast."),
    "watch": Entry("watch", "Say which functions run away, and what that costs."),
    "scan": Entry("scan", "Rank an account's functions by what tuning would save."),
    "workflow": Entry("workflow", "Size several functions for one end-to-end target."),
    "fleet": Entry("app:FLEET", "Tune many functions under one budget."),
    "recover": Entry("recover", "Undo what an interrupted sweep left changed."),
    "live-check": Entry("live_check", "Compare what the tool assumes of Lambda with an account."),
    "prices": Entry("app:PRICES", "Show or refresh the prices that answers use."),
    "iam-policy": Entry("iam_policy", "Print the least IAM policy for a command."),
    "payload": Entry("app:PAYLOAD", "Make, show and check synthetic payloads."),
    "local": Entry("app:LOCAL", "Run real functions on this machine, as Lambda would."),
}
FLEET: Final[dict[str, Entry]] = {
    "plan": Entry("fleet_plan:plan", "Choose which functions to sweep, and in which order."),
    "run": Entry("fleet:run", "Sweep them, or go on where it was stopped or killed."),
    "deploy": Entry("fleet_deploy:deploy", "Write the template of workers on Step Functions."),
    "status": Entry("fleet:status", "Show how far it has come."),
    "stop": Entry("fleet:stop", "Stop it; every function is given back."),
    "report": Entry("fleet:report", "Show every function, as a page, CSV or JSON."),
}
PRICES: Final[dict[str, Entry]] = {
    "show": Entry("prices:show", "Show the prices of a region, or of all regions."),
    "refresh": Entry("prices:refresh", "Fetch today's prices from AWS or saved lists."),
}
PAYLOAD: Final[dict[str, Entry]] = {
    "sources": Entry("payload:sources", "List the services whose events can be made."),
    "make": Entry("payload:make", "Write events to a folder, with seed and digest."),
    "show": Entry("payload:show", "Print one event of each class."),
    "events": Entry("payload:events", "List a function's shareable test events."),
    "check": Entry("payload:check", "Show the weights and sizes of payloads."),
}
LOCAL: Final[dict[str, Entry]] = {
    "serve": Entry("local:serve", "Serve a template's functions from a local Lambda endpoint."),
    "check": Entry("local:check", "Measure how closely this machine matches Lambda."),
}
_EPILOG: Final = """\
tuner tune resize-images --payload event.json

tuner tune cpu-bound --local demo

Exit codes: 0 an answer was given, 1 error, 2 usage, 4 something is left changed: run tuner recover,
130 interrupted."""


class LazyGroup(TyperGroup):
    """A group whose commands are listed from a table and loaded when they run."""

    table: Mapping[str, Entry] = COMMANDS

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """As plain text."""
        write_help(self, ctx, formatter)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the parent's signature
        """The names, in the table's order."""
        return list(self.table)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - as above
        """Enough to list a command: its name and help."""
        entry = self.table.get(cmd_name)
        return None if entry is None else TyperCommand(cmd_name, help=entry.help)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Load the command to run (or complete)."""
        self.commands = {name: self.get_command(ctx, name) for name in self.table}
        name, _, rest = super().resolve_command(ctx, args)
        asks_help = ctx.resilient_parsing or any(word in _HELP_OPTIONS for word in rest)
        return name, _load(str(name), self.table[str(name)], with_defaults=not asks_help), rest


def run(arguments: list[str]) -> int:
    """Run the command line; return its exit code. Raises TunerError and what commands raise."""
    try:
        code = build().main(args=arguments or ["--help"], prog_name="tuner", standalone_mode=False)
    except typer.Abort:
        return 130
    except Exception as error:
        if (line := _usage_line(error)) is None:
            raise
        exit_status.tell(None, line, USAGE_ERROR, arguments)
        return USAGE_ERROR
    if not arguments:
        return USAGE_ERROR
    return code if isinstance(code, int) else 0


def build() -> Any:
    """The root command, with shell completion."""
    app = typer.Typer(cls=LazyGroup, context_settings=_CONTEXT_SETTINGS, epilog=_EPILOG)

    @app.callback()
    def tuner(
        *,
        version: bool = typer.Option(
            False, "--version", is_eager=True, callback=_show_version, help="Show the version."
        ),
    ) -> None:
        """How much memory should an AWS Lambda function have? Measured, not guessed."""

    return typer.main.get_command(app)


def _load(name: str, entry: Entry, *, with_defaults: bool) -> Any:
    module_name, _, attribute = entry.target.partition(":")
    module = import_module(f"tuner.cli.{module_name}")
    target = getattr(module, attribute or module_name)
    if isinstance(target, dict):
        return _group(name, entry, target)
    app = typer.Typer(add_completion=False, context_settings=_CONTEXT_SETTINGS)
    epilog = getattr(module, "EPILOG", None)
    app.command(name, cls=PlainHelp, help=_reflowed(target.__doc__), epilog=epilog)(target)
    command: Any = typer.main.get_command(app)
    command.common = getattr(module, "COMMON", ())
    if with_defaults:
        parameters = {param.name for param in command.params if param.name is not None}
        command.context_settings["default_map"] = defaults_for(parameters)
    return command


def _reflowed(docstring: str) -> str:
    """Join each paragraph's lines: help would keep the breaks."""
    return "\n\n".join(" ".join(part.split()) for part in docstring.split("\n\n"))


def _group(name: str, entry: Entry, table: Mapping[str, Entry]) -> LazyGroup:
    group = LazyGroup(name=name, help=entry.help)
    group.context_settings = dict(_CONTEXT_SETTINGS)
    group.table = table
    return group


def _show_version(wanted: bool) -> None:
    if wanted:
        from tuner import __version__

        typer.echo(f"tuner {__version__}")
        raise typer.Exit


def _blamed_on_setting(message: str, parameter: Any, context: Any) -> str:
    """Blame a wrong value on the variable or file that set it, not on an option nobody gave."""
    if context is None or getattr(parameter, "name", None) is None:
        return message
    source = context.get_parameter_source(parameter.name)
    if source is None or source.name != "DEFAULT_MAP":
        return message
    name = KEY_OF.get(parameter.name, parameter.name)
    variable = f"TUNER_{name.upper()}"
    where = variable if os.environ.get(variable) else f"{name.replace('_', '-')} in the settings"
    for option in parameter.opts:
        message = message.replace(f"'{option}'", where, 1)
    return message


def _usage_line(error: Exception) -> str | None:
    """A usage error in one line; None for every other exception."""
    exit_code, write = getattr(error, "exit_code", None), getattr(error, "format_message", None)
    if exit_code is None or write is None:
        return None
    message = " ".join(write().split()).rstrip(".").replace("Value error, ", "")
    context = getattr(error, "ctx", None)
    message = _blamed_on_setting(message, getattr(error, "param", None), context)
    path = context.command_path if context is not None else "tuner"
    return f"{message} (see {path} --help)"
