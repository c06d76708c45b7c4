"""Functions are judged alike in one process and in several, in their order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.observe.test_scanning import EVIDENCE, FUNCTION
from tuner.api import judging
from tuner.observe.scanning import advise_function
from tuner.pricing import load_price_book

if TYPE_CHECKING:
    from tuner.model.finding import Finding
    from tuner.model.scan import ScannedFunction


def judged() -> list[ScannedFunction]:
    findings: list[Finding] = []
    evidence = [
        replace(EVIDENCE, function=replace(FUNCTION, name=f"f{number}", memory_mb=size))
        for number, size in enumerate((128, 1024, 3008))
    ]
    return judging.judged(
        evidence, 14 * 86_400.0, load_price_book(), findings, advise_function, asked_optimizer=True
    )


@pytest.mark.slow
def test_processes_give_the_same_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it's worth processes or not changes nothing of what is said."""
    alone = judged()
    monkeypatch.setattr(judging, "WORTH_PROCESSES", 1)
    assert judged() == alone


def test_without_more_processes_it_goes_on_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that refuses them makes it slower, and nothing else."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no semaphores here")

    alone = judged()
    monkeypatch.setattr(judging, "WORTH_PROCESSES", 1)
    monkeypatch.setattr(judging, "ProcessPoolExecutor", refuse)
    assert judged() == alone
    assert [each.function.name for each in alone] == ["f0", "f1", "f2"]
    assert all(each.advice is not None for each in alone)
