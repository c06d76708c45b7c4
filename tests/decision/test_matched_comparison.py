"""Sweeps that vary a batch size are compared value by value, by the record."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.sweeps import made_function, made_sweep, only_finding
from tests.varied_sweeps import BatchWorld, batch_ms, batch_sweep, batches
from tuner.api.comparing import compare
from tuner.decision.strata import sweep_at
from tuner.errors import InputError
from tuner.report import comparison
from tuner.report.json import comparison_json

if TYPE_CHECKING:
    from tuner.model.sweep import Sweep


def slower_imports(class_name: str, count: int, memory_mb: int) -> float:
    """Batches of ten take twice as long, others as long as before."""
    return batch_ms(class_name, count, memory_mb) * (2 if count == 10 else 1)


@pytest.fixture(scope="module")
def before() -> Sweep:
    return batch_sweep()


@pytest.fixture(scope="module")
def after() -> Sweep:
    changed = batch_sweep(BatchWorld(batches(), slower_imports, seed=4))
    return replace(changed, function=made_function(512, code_sha256="zz99yy"))


def test_every_value_is_set_against_itself(before: Sweep, after: Sweep) -> None:
    """What became slower with ten records is slower there, and the value in use is unchanged."""
    found = compare(before, after)
    assert found.parameters == (("batch_size", "5"),)
    changes = {each.value: each for each in found.by_value}
    assert changes.keys() == {"1", "5", "10"}
    assert changes["10"].duration.verdict == "higher"
    assert changes["10"].duration.ratio.low < 1 < changes["10"].duration.ratio.high + 0.1
    assert changes["5"].duration.verdict != "higher"
    now = found.pairs[0]
    assert now.cost_usd_per_million_records is not None
    assert now.cost_usd_per_million_records.a.estimate == pytest.approx(
        now.cost_usd_per_million.a.estimate / 5
    )
    text = comparison.render(found, width=200)
    assert "as configured, $/million records" in text
    assert ", with batch_size 5." in text
    assert "batch_size 10, mean" in text
    told = comparison_json(found)
    assert told["parameters"] == {"batch_size": 5}
    assert [each["value"] for each in told["by_value"]] == ["1", "5", "10"]


def test_a_sweep_with_one_batch_size_meets_the_same_in_another(before: Sweep) -> None:
    """The values that only one has are named."""
    alone = sweep_at(before, "10")
    payloads = tuple(replace(each, variant=None) for each in alone.plan.payloads)
    found = compare(before, replace(alone, plan=replace(alone.plan, payloads=payloads)))
    assert found.parameters == (("batch_size", "10"),)
    finding = only_finding(found.findings, "values_differ")
    assert "batch_size 1, 5 was measured in only one sweep" in finding.message
    assert "different_payloads" not in {each.code for each in found.findings}


def test_what_has_no_value_in_common_is_refused_in_a_line(before: Sweep) -> None:
    """The line says what each has, and what to do."""
    with pytest.raises(InputError, match=r"^old with batch_size 1, 5, 10 and new with .* `vary`$"):
        compare(before, batch_sweep(BatchWorld(batches((2, 4), current=2))), sources=("old", "new"))
    with pytest.raises(InputError, match="have no payloads in common"):
        compare(before, made_sweep_of_many())


def made_sweep_of_many() -> Sweep:
    sweep = made_sweep()
    payloads = tuple(replace(each, record_count=7) for each in sweep.plan.payloads)
    return replace(sweep, plan=replace(sweep.plan, payloads=payloads))
