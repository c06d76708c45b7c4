"""What the README and the documentation show is what the tool prints."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from typing import TYPE_CHECKING, Final

import pytest

from tests.cli.running import run_here
from tests.end_to_end.running import ROOT, tuner
from tuner.cli.app import COMMANDS, FLEET, LOCAL, PAYLOAD, PRICES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

README: Final = (ROOT / "README.md").read_text()
PAGES: Final = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
PROSE: Final = "".join(page.read_text() for page in PAGES)
BLOCK: Final = re.compile(
    r"<!-- (?P<how>exact|shape): tuner (?P<arguments>[^\n]*?) -->\n```console\n(?P<shown>.*?)```",
    re.DOTALL,
)
BLOCKS: Final = [match.groupdict() for match in BLOCK.finditer(PROSE)]
VERDICTS: Final = {"RESIZE", "KEEP", "INCONCLUSIVE:"}
ALWAYS: Final = {
    "mixed", "Sizes:", "$LATEST's", "Every", "Plan:", "Runs", "Assumes"
}  # fmt: skip


@pytest.mark.parametrize(
    "block", [b for b in BLOCKS if b["how"] == "exact"], ids=lambda b: b["arguments"]
)
def test_a_block_is_what_its_command_prints(block: dict[str, str], tmp_path: Path) -> None:
    """Commands that measure nothing print the README's very characters."""
    ran = tuner(*shlex.split(block["arguments"]), state_dir=tmp_path)
    assert ran.returncode == 0, ran.stderr
    shown = f"$ tuner {block['arguments']}\n{ran.stdout}"
    assert shown == block["shown"], (
        "if that is meant: python -m tests.end_to_end.renew_readme --saved"
    )


@pytest.mark.slow
@pytest.mark.xdist_group("cores")
@pytest.mark.parametrize(
    "block", [b for b in BLOCKS if b["how"] == "shape"], ids=lambda b: b["arguments"]
)
def test_a_measured_block_has_the_shape_of_a_real_one(
    block: dict[str, str], tmp_path: Path
) -> None:
    """Figures differ from machine to machine; what kinds of lines there are does not."""
    ran = tuner(*shlex.split(block["arguments"]), state_dir=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert kinds(ran.stderr + ran.stdout) == kinds(block["shown"])


def kinds(text: str) -> set[str]:
    """First words of the lines at the margin that every run has; any verdict is a verdict."""
    words = {line.split()[0] for line in text.splitlines() if line[:1].strip()}
    assert {*words} & VERDICTS, text
    return words & ALWAYS


def test_the_library_example_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The README's Python is not made up."""
    [code] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    monkeypatch.chdir(ROOT)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    assert re.fullmatch(r"(keep|resize) \d+\n|inconclusive None\n", printed.getvalue())


def test_every_command_stands_in_the_readme() -> None:
    """A command that the README does not know is one that nobody finds."""
    for name in COMMANDS:
        assert f"`tuner {name}" in README


def test_every_option_that_is_named_exists() -> None:
    """No option is promised that help does not show."""
    groups = {"fleet": FLEET, "local": LOCAL, "payload": PAYLOAD, "prices": PRICES}
    commands = [(name, *below) for name in COMMANDS for below in _paths(groups.get(name))]
    helps = "".join(_whole_help(command) for command in commands)
    prose = re.sub(r"```console.*?```", "", PROSE, flags=re.DOTALL)
    for option in set(re.findall(r"`(--[a-z-]+)", prose)):
        assert option in helps, option


def _whole_help(command: tuple[str, ...]) -> str:
    whole = run_here(*command, "--help-all", COLUMNS="100")  # which not every command has
    return (
        whole.stdout
        if whole.returncode == 0
        else run_here(*command, "--help", COLUMNS="100").stdout
    )


def _paths(group: Mapping[str, object] | None) -> list[tuple[str, ...]]:
    return [()] if group is None else [(name,) for name in group]


def test_every_link_within_the_repository_leads_somewhere() -> None:
    """Relative links and pictures name files that are there."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
