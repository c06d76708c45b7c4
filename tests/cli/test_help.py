"""Help that is read: in 80 columns, with whole names."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

import pytest
import typer

from tests.cli.running import ROOT as ROOT_DIR
from tests.cli.running import run_here, take_command
from tuner.cli.app import build
from tuner.cli.config import KEYS, examples_dir
from tuner.cli.help import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator


def commands(group: Any, context: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command below a group with the words that lead to it."""
    for name in group.list_commands(context):
        _, command, _ = group.resolve_command(context, [name])
        if hasattr(command, "list_commands"):
            below = typer.Context(command, info_name=name, parent=context)
            yield from (((name, *words), each) for words, each in commands(command, below))
        else:
            yield (name,), command


ROOT = build()
COMMANDS = dict(commands(ROOT, typer.Context(ROOT, info_name="tuner")))


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_option_name_is_cut(words: tuple[str, ...]) -> None:
    """Every option that is not hidden is in the whole help by its whole name, within 80 columns."""
    command = COMMANDS[words]
    ran = run_here(*words, "--help-all" if command.common else "--help", COLUMNS="80")
    assert ran.returncode == 0
    names = set(re.findall(r"^  (?:-\w, )?(--[a-z-]+)", ran.stdout, flags=re.MULTILINE))
    for parameter in command.params:
        if parameter.param_type_name == "option" and not parameter.hidden:
            assert parameter.opts[0] in names
    examples = ran.stdout.partition("\nExamples:")[0]
    assert max(map(len, examples.splitlines())) <= 80


def test_the_short_help_fits_on_a_screen() -> None:
    """What most use of `tune`, with examples, in 60 lines; each is there in the whole help too."""
    short = run_here("tune", "--help", COLUMNS="80").stdout
    assert len(short.splitlines()) <= 60
    assert "Examples:" in short
    assert "--help-all" in short
    shown = set(re.findall(r"^  (--[a-z-]+)", short, flags=re.MULTILINE))
    assert {"--payload", "--goal", "--max-duration", "--budget-usd", "--local"} <= shown
    assert "--keep-payloads" not in shown
    whole = run_here("tune", "--help-all", COLUMNS="80").stdout
    assert shown < set(re.findall(r"^  (--[a-z-]+)", whole, flags=re.MULTILINE))
    assert "TUNER_" in short
    assert "tuner.toml" in short


def test_the_short_help_misses_nothing_it_means_to_show() -> None:
    """A name in a command's list that is no parameter of it would show nothing."""
    for words, command in COMMANDS.items():
        names = {each.name for each in command.params}
        assert set(command.common) <= names, " ".join(words)


def test_what_is_rarely_needed_is_a_setting() -> None:
    """Each such option is named in the whole help, may stand in a file, and is told of on the page
    of settings; the file that the page shows is taken.
    """
    page = (ROOT_DIR / "docs" / "settings.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `([a-z-]+)` \|", page, flags=re.MULTILINE))
    found = set()
    for words, command in COMMANDS.items():
        names = [p.opts[0] for p in command.params if p.rich_help_panel == SETTINGS]
        if names:
            whole = run_here(*words, "--help-all" if command.common else "--help").stdout
            assert all(name in whole for name in names)
        found |= {name.removeprefix("--") for name in names}
    assert found == told
    assert {name.replace("-", "_") for name in found} <= KEYS
    [example] = re.findall(r"```toml\n(.*?)```", page, flags=re.DOTALL)
    assert {key.replace("-", "_") for key in tomllib.loads(example)} <= KEYS


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_example_is_taken(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader who copies an example of the help gets no usage error."""
    monkeypatch.chdir(examples_dir().parent)
    shown = [each for each in COMMANDS[words].epilog.split("\n\n") if each.startswith("tuner ")]
    assert shown
    for line in shown:
        take_command(line)
