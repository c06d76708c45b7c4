"""Options in messages: parameters below the command line, flags on it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import pytest
from typer.core import TyperGroup

from tests.cli.running import run_here
from tests.messages.registry import finding_codes
from tests.messages.source import texts
from tuner.api.tuning import TuneOptions
from tuner.cli import app
from tuner.cli.flags import FLAGS, shown, with_flags
from tuner.errors import InputError, LostReplyError
from tuner.model.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLAG = re.compile(r"(?<![\w-])--(?:[a-z][a-z-]+|\{\})")
PARAMETER = re.compile(r"`([a-z_]+)(?:=[^`]*)?`")
STARTS_OTHERS = {
    "tuner/local/build.py",  # pip, npm, esbuild, go, cargo
    "tuner/local/__main__.py",  # a program of its own
    "tuner/local/child_process.py",  # starts that one
    "tuner/local/execution/cpu/choose.py",  # systemd-run
    "tuner/local/execution/runtime/node_js.py",  # node
    "tuner/observe/deployments.py",  # git
}
OTHER_COMMAND = re.compile(r"\b(?:aws|npm|pip|esbuild|cargo|node) [^`;:(]*")
AWS_OPTIONS = {" --profile {}", " --endpoint-url {}"}
"""With a space before them: they end a command of the AWS CLI."""
WORDS = {"bootstrap", "fake", "node", "tuner"}
"""Single words in backticks that are no options."""


def ours(text: str) -> list[str]:
    """The flags in a text that are no other program's."""
    return FLAG.findall(OTHER_COMMAND.sub("", text))


def every_flag() -> set[str]:
    """Every flag of every command."""
    return set(_flags_of(app.build()))


def _flags_of(command: object) -> Iterator[str]:
    if isinstance(command, TyperGroup):
        entries = getattr(command, "table", {})
        for name, entry in entries.items():
            yield from _flags_of(app._load(name, entry, with_defaults=False))
    for parameter in getattr(command, "params", ()):
        yield from (*parameter.opts, *parameter.secondary_opts)


@pytest.mark.xdist_group("sources")
def test_no_flag_is_named_below_the_command_line() -> None:
    """A text below the command line names an option by its parameter, never by its flag."""
    named = [
        f"{each.path}:{each.line}: {each.value}"
        for each in texts()
        if each.value not in AWS_OPTIONS
        and not (each.path in STARTS_OTHERS and each.value.startswith("--"))
        and ours(each.value)
    ]
    assert not named, f"give its parameter in backticks instead: {named}"


@pytest.mark.xdist_group("sources")
def test_every_parameter_that_is_named_has_a_flag() -> None:
    """What a message names in backticks is in the table of flags."""
    unknown = [
        f"{each.path}:{each.line}: {name}"
        for each in texts()
        for name in PARAMETER.findall(each.value)
        if name not in FLAGS and name not in WORDS
    ]
    assert not unknown, f"misspelled, or without its flag in tuner/cli/flags.py: {unknown}"


def test_every_flag_of_the_table_is_one_of_a_command() -> None:
    """The table holds flags that there are, and a flag for each option of `tuner.tune`."""
    assert set(FLAGS.values()) <= every_flag()
    assert set(TuneOptions.__annotations__) - FLAGS.keys() == {"hook_environment"}


def test_remedies_name_parameters_that_have_a_flag() -> None:
    """The table of findings names options as messages do."""
    for code, entry in finding_codes().items():
        for text in (entry.meaning, entry.evidence, entry.remedy):
            assert not FLAG.search(text), f"[{code}]: give the parameter in backticks: {text}"
            unknown = set(PARAMETER.findall(text)) - FLAGS.keys() - WORDS
            assert not unknown, f"[{code}]: not in tuner/cli/flags.py: {sorted(unknown)}"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (
            "allow more invocations (`max_invocations`)",
            "allow more invocations (--max-invocations)",
        ),
        ("give `isolation=clone` to copy", "give --isolation clone to copy"),
        ("`provisioned=False`: on demand", "--no-provisioned: on demand"),
        ("start with `build=True`", "start with --build"),
        ("`template_parameters=NAME=VALUE`", "--parameter NAME=VALUE"),
        ("`tuner recover` and `aws lambda list-functions`", None),
        ("raise --budget-usd, as an earlier version wrote", None),
    ],
)
def test_parameters_become_flags(told: str, expected: str | None) -> None:
    """A known parameter becomes its flag, with its value; everything else stays."""
    assert with_flags(told) == (told if expected is None else expected)


class Named(NamedTuple):
    """A value with a name."""

    text: str
    count: int


@dataclass(frozen=True)
class Answer:
    """A value with texts at several depths."""

    findings: tuple[Finding, ...]
    named: Named
    word: str | None = None


def test_a_value_is_shown_with_flags_at_every_depth() -> None:
    """Texts in tuples and dataclasses are replaced, and what has none is the same object."""
    finding = Finding("noisy", "warning", "more (`max_invocations`)")
    found = shown(Answer((finding,), Named("`seed`", 2)))
    assert found.findings[0].message == "more (--max-invocations)"
    assert found.named == Named("--seed", 2)
    plain = Answer((Finding("noisy", "warning", "more"),), Named("x", 2))
    assert shown(plain) is plain


def test_errors_and_findings_carry_what_they_name() -> None:
    """An error has a code, and errors and findings the parameters that their texts name."""
    error = InputError("`arm_speed=20` is out of range: see `arm_speed` and `aws help`")
    assert (error.code, error.parameters) == ("input_error", ("arm_speed",))
    assert LostReplyError("no reply").code == "lost_reply_error"
    assert Finding("modelled", "warning", "(`memory_sizes_mb`)").parameters == ("memory_sizes_mb",)


def test_an_error_is_shown_with_flags(tmp_path: Path) -> None:
    """On the command line an error names the flag, in its line and in its JSON object."""
    sweep = tmp_path / "absent.csv"
    ran = run_here(
        *("break-even", "examples/sweeps/mixed.jsonl", "--traffic", str(sweep), "--json")
    )
    assert ran.returncode == 1
    assert "check --traffic" in ran.stderr
    assert json.loads(ran.stdout)["message"].endswith("check --traffic")
