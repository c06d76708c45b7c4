"""The table of findings against the code, and the page that is made from it."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.messages.registry import finding_codes
from tests.messages.renew import PAGE, page
from tests.messages.source import modules
from tests.sweeps import made_sweep, save_sweep
from tuner import load_sweep
from tuner.model.finding import Finding
from tuner.sweep.findings import lasting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Reading all modules is what takes time: once, by one process.
pytestmark = pytest.mark.xdist_group("sources")

OF_ONE_RUN = {
    "architecture_fails", "budget_reached", "concurrency_lowered", "corpus_spent",
    "downstream_errors", "function_fails", "import_fails", "left_changed",
    "no_lock_between_machines", "no_optimistic_locking", "not_saved", "nothing_succeeded",
    "only_error_replies", "recursion", "repeated_event_fails", "runaway", "throttled",
    "throttled_out", "unmeasurable", "unreachable",
}  # fmt: skip
"""A resumed sweep finds these again if they still hold, or they are why the earlier run ended."""


@cache
def made_findings() -> tuple[tuple[str, str, str], ...]:
    """Where the code makes a finding: the place, its code and its severity."""
    return tuple(_made_findings())


def _made_findings() -> Iterator[tuple[str, str, str]]:
    for path, tree in modules().items():
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", None) == "Finding"):
                continue
            where = f"{path}:{node.lineno}"
            if node.args:
                code, severity, _message = node.args
                codes, severities = _choices(code, where), _choices(severity, where)
                if len(codes) == 1:  # of several severities
                    codes *= len(severities)
                for each in zip(codes, severities, strict=True):
                    yield (where, *each)
            else:  # from the record that another process wrote
                assert path == "tuner/local/child_process.py", f"{where}: give them by position"


def _choices(node: ast.expr, where: str) -> list[str]:
    """The constants that an argument can be: `"a" if random else "b"` is one of two."""
    if isinstance(node, ast.IfExp):
        return [*_choices(node.body, where), *_choices(node.orelse, where)]
    assert isinstance(node, ast.Constant), f"{where}: a code and a severity are constants"
    return [str(node.value)]


def test_every_finding_is_in_the_table_with_its_severity() -> None:
    """A finding's code and severity are constants, and the table has both."""
    made = made_findings()
    assert made
    for where, code, severity in made:
        assert code in finding_codes(), f"{where}: {code} is not in findings.toml"
        severities = finding_codes()[code].severities
        assert severity in severities, (
            f"{where}: {code} is {severity}, in findings.toml {severities}"
        )


def test_every_entry_of_the_table_is_used() -> None:
    """No code and no severity stands in the table that the code does not make."""
    made = {(code, severity) for _where, code, severity in made_findings()}
    listed = {(code, each) for code, entry in finding_codes().items() for each in entry.severities}
    unused = sorted(listed - made)
    assert not unused, f"in findings.toml, and no module of tuner/ makes it: {unused}"


def test_entries_are_whole_sentences_under_a_snake_case_code() -> None:
    """Codes are snake_case; meaning, evidence and remedy each end as a sentence does."""
    for code, entry in finding_codes().items():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", code), f"[{code}]: only a-z and single _"
        for text in (entry.meaning, entry.evidence, entry.remedy):
            assert re.fullmatch(r"[A-Z].*\.", text), f"[{code}]: no sentence, A… to .: {text}"


def test_the_page_is_made_from_the_table() -> None:
    """`docs/findings.md` says what the table says: `make findings` writes it."""
    assert PAGE.read_text(encoding="utf-8") == page(), "write it again: make findings"


def test_a_finding_of_a_sweep_lasts_or_is_of_one_run() -> None:
    """When a sweep is resumed, what still holds of its earlier run is told again."""
    made = {
        code
        for where, code, _severity in made_findings()
        if where.startswith(("tuner/sweep/", "tuner/lease/"))
    }
    last = {each.code for each in lasting(Finding(code, "info", "") for code in made)}
    assert made - last == OF_ONE_RUN, (
        "does it still hold when the sweep is resumed? Then it is in _LASTING of "
        "tuner/sweep/findings.py, otherwise in OF_ONE_RUN here"
    )


def test_a_sweep_with_a_code_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    """A saved sweep keeps findings whose codes are no longer made, and their text as it was."""
    old = Finding("goals-differ", "info", "raise --budget-usd")
    sweep = replace(made_sweep(), findings=(old,))
    assert load_sweep(save_sweep(tmp_path / "old.jsonl", sweep)).findings == (old,)
