"""Memory that speeds a function up where CPU can't: told apart from more cores by the curve."""

from __future__ import annotations

import csv
import math
import random
from typing import TYPE_CHECKING

import pytest

from tests.bench.decide_world import CURVES, generated_functions
from tests.sweeps import made_sweep, only_finding
from tuner.decision.analysis import analyse
from tuner.decision.bandwidth import bandwidth_findings
from tuner.decision.recommendation import recommend
from tuner.model.goal import Goal
from tuner.pricing import load_price_book

if TYPE_CHECKING:
    from collections.abc import Callable

SIZES_MB = (256, 512, 1024, 1769, 2048, 3008, 4096, 7168, 10240)


def transfer_ms(memory_mb: int) -> float:
    """A download whose bandwidth grows from 2,048 MB on."""
    return 50 + 1500 * 2048 / max(memory_mb, 2048)


def fired(
    duration_ms: Callable[[int], float], *, noise_ratio: float = 0.03, seed: int = 1
) -> list[str]:
    sweep = made_sweep(duration_ms, sizes_mb=SIZES_MB, noise_ratio=noise_ratio, seed=seed)
    problem = analyse(sweep, Goal(), price_book=load_price_book(), draw_count=20).problem
    assert problem is not None
    return [each.message for each in bandwidth_findings(problem)]


def test_bandwidth_that_grows_is_found_and_worded_as_a_guess() -> None:
    """The finding names three durations, and two possible reasons; it's in the answer."""
    sweep = made_sweep(transfer_ms, sizes_mb=SIZES_MB, noise_ratio=0.03)
    answer = recommend(analyse(sweep, Goal(), price_book=load_price_book(), draw_count=20))
    found = only_finding(answer.findings, "faster_than_cpu_explains")
    assert "may" in found.message
    assert "10240 MB" in found.message
    assert "uses_more_cores" not in {each.code for each in answer.findings}
    assert sum(bool(fired(transfer_ms, seed=seed)) for seed in range(2, 6)) == 4


@pytest.mark.parametrize(
    "duration_ms",
    [
        lambda mb: 20 + 3000 * 1769 / mb,
        lambda mb: 50 + 600 * 1769 / min(mb, 1769) + 600 * 1769 / mb,
        lambda mb: 2000 * (mb / 1769) ** -0.85,
        lambda mb: 400 + 300 * (512 / mb) ** 3 + 300 * 1769 / min(mb, 5307),
        lambda _mb: 700.0,
    ],
    ids=["all cores", "half on all cores", "sublinear", "pressure, three cores", "waiting"],
)
def test_more_cores_are_not_taken_for_bandwidth(duration_ms: Callable[[int], float]) -> None:
    """Whatever CPU does gains less with each doubling: no alarm, whatever the noise."""
    assert not any(
        fired(duration_ms, noise_ratio=noise, seed=seed) for noise in (0.02, 0.1) for seed in (1, 2)
    )


def test_runs_as_short_as_the_quotas_windows_say_nothing() -> None:
    """Below ten windows of the quota the duration goes in steps, which bend either way."""
    assert fired(lambda mb: transfer_ms(mb) / 20) == []


@pytest.mark.slow
def test_it_never_fires_on_generated_and_recorded_functions() -> None:
    """86 sweeps of generated functions and every recorded one above 2,048 MB: no false alarm."""
    for function in generated_functions():
        for seed in range(2):
            rng = random.Random(f"{function.name}/{seed}")
            draw = function.draw_ms
            assert not fired(lambda mb, d=draw, r=rng: d(mb, r), noise_ratio=0.0), function.name


@pytest.mark.slow
@pytest.mark.skipif(not CURVES.exists(), reason="the recorded curves aren't here")
def test_how_often_it_fires_on_recorded_curves() -> None:
    """All were recorded before bandwidth could grow: none may fire."""
    checked = 0
    for file in sorted(CURVES.glob("*.csv")):
        curves: dict[str, dict[int, list[float]]] = {}
        with file.open(encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                sizes = curves.setdefault(row["function"], {})
                sizes.setdefault(int(row["memory_mb"]), []).append(float(row["duration_ms"]))
        for name, sizes in curves.items():
            if max(sizes) <= 2048 or len(sizes) < 3:
                continue
            means = {mb: math.fsum(values) / len(values) for mb, values in sizes.items()}
            sweep = made_sweep(
                means.__getitem__, sizes_mb=sorted(means), warm_count=8, noise_ratio=0.03
            )
            problem = analyse(sweep, Goal(), price_book=load_price_book(), draw_count=20).problem
            assert problem is not None
            assert not list(bandwidth_findings(problem)), name
            checked += 1
    assert checked > 5


def test_calls_of_no_time_have_no_bend() -> None:
    """A duration of 0.00 ms counts as a hundredth, as everywhere else, and is no traceback."""
    assert fired(lambda _: 0.0) == []
