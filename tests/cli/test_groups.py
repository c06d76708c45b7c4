"""Options that belong together stand where their group does."""

from dataclasses import dataclass
from typing import Annotated

import typer
from typer.testing import CliRunner

from tuner.cli.groups import spread


@dataclass(frozen=True, slots=True)
class Colours:
    red: Annotated[int, typer.Option(help="Of it.")] = 1
    light_blue: Annotated[bool, typer.Option("--blue")] = False


def test_a_groups_fields_are_options_in_its_place() -> None:
    """Names, order and defaults are the fields'; the command gets the group."""
    seen: list[object] = []

    @spread
    def command(name: str, *, first: int = 0, colours: Colours, last: int = 9) -> int:
        """Say it."""
        seen.append((name, first, colours, last))
        return 0

    app = typer.Typer(add_completion=False)
    app.command()(command)
    names = [each.name for each in typer.main.get_command(app).params]
    assert names == ["name", "first", "red", "light_blue", "last"]
    for arguments in (["x"], ["x", "--red", "3", "--blue"]):
        assert CliRunner().invoke(app, arguments).exit_code == 0
    assert seen == [("x", 0, Colours(), 9), ("x", 0, Colours(3, light_blue=True), 9)]
