"""The user's own commands run before and after, once or for each invocation."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.sweep.running import ServedFunction, serve
from tuner.errors import HookError, InputError
from tuner.sweep.hooks import Hooks, parse_hooks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOTE = """
import os, sys
names = ("TUNER_HOOK", "TUNER_HOOK_MEMORY_MB", "TUNER_HOOK_PAYLOAD", "TUNER_HOOK_OUTCOME")
event = sys.stdin.read()
with open(sys.argv[1], "a") as file:
    print(*(os.environ.get(name, "-") for name in names), event or "-", file=file)
sys.exit(int(sys.argv[2]))
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServedFunction]:
    with serve(tmp_path) as served:
        yield served


def noting(served: ServedFunction, status: int = 0) -> tuple[str, ...]:
    """A command that writes down what it was told."""
    return (sys.executable, "-c", NOTE, str(served.folder / "noted"), str(status))


def noted(served: ServedFunction) -> list[str]:
    file = served.folder / "noted"
    return file.read_text().splitlines() if file.exists() else []


def small(served: ServedFunction, **options: Any) -> Any:
    plan = served.plan(
        memory_sizes_mb=(128, 512), repetition_count=1, warmup_count=0, concurrency=1
    )
    return served.run(plan, **options)


def test_each_invocation_has_its_commands(served: ServedFunction) -> None:
    """They are told size, class and outcome, and get the event on their standard input."""
    command = noting(served)
    sweep = small(served, hooks=Hooks(command, command, "invocation"))
    assert sweep.end == "complete"
    sizes = [str(each.memory_mb) for each in sweep.invocations]
    assert noted(served) == [
        line
        for size in sizes
        for line in (f"before {size} empty - {{}}", f"after {size} empty success {{}}")
    ]


def test_a_failing_before_sends_nothing(served: ServedFunction) -> None:
    """The invocation that it was to prepare is not made, and the function is given back."""
    before = served.snapshot()
    with pytest.raises(HookError, match=r"`before` command .* status 3"):
        small(served, hooks=Hooks(noting(served, 3), None, "invocation"))
    assert len(noted(served)) == 1
    assert served.server._executor.invocations == []
    assert served.snapshot() == before


def test_a_failing_after_loses_no_measurement(served: ServedFunction) -> None:
    """The invocation was made and paid for: it is recorded, and the sweep stops."""
    before = served.snapshot()
    plan = served.plan(
        memory_sizes_mb=(128, 512), repetition_count=1, warmup_count=0, concurrency=1
    )
    with pytest.raises(HookError, match="`after`"):
        served.run(plan, hooks=Hooks(None, noting(served, 1), "invocation"))
    assert served.file(plan).read_text().count('{"record":"invocation"') == 1
    assert served.snapshot() == before


def test_around_a_run_after_comes_in_any_case(served: ServedFunction) -> None:
    """Whatever `before` has prepared is cleaned, also when it failed itself or the sweep did."""
    facts = {"function": "swept", "sweep": "s"}
    with Hooks(noting(served), noting(served)).around_run(facts):
        pass
    with pytest.raises(ZeroDivisionError), Hooks(None, noting(served)).around_run(facts):
        raise ZeroDivisionError
    with pytest.raises(HookError), Hooks(noting(served, 1), noting(served)).around_run(facts):
        pytest.fail("before had failed")
    assert [line.split()[0] for line in noted(served)] == [
        "before", "after", "after", "before", "after",
    ]  # fmt: skip


def test_commands_are_words_and_no_shell_text() -> None:
    """Quotes are as in a shell; nothing is expanded, and what cannot be split is refused."""
    hooks = parse_hooks("reset 'two words' $HOME;x", None, "run", {})
    assert hooks.before == ("reset", "two words", "$HOME;x")
    for before, after, scope in (("'", None, "run"), ("", None, "run"), (None, None, "invocation")):
        with pytest.raises(InputError):
            parse_hooks(before, after, scope, {})


def test_a_command_that_is_not_there_is_told() -> None:
    """One line that names it."""
    with pytest.raises(HookError, match=r"'/no/such/command' failed \(it can't be run: No such"):
        Hooks(("/no/such/command",)).run("before", {})
