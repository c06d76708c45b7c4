"""When requests are due, and where their rates come from."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.errors import InputError, UsageError
from tuner.load.artillery import read_script
from tuner.load.phases import Phase, arrivals, parse_phases

if TYPE_CHECKING:
    from pathlib import Path

RATES = st.floats(0, 40)
PHASES = st.lists(st.builds(Phase, st.floats(0.1, 30), RATES, RATES), min_size=1, max_size=5)


@given(PHASES)
def test_arrivals_are_as_many_as_the_rate_adds_up_to(phases: list[Phase]) -> None:
    """Evenly spaced ones are the integral of the rate, rounded, at the end of every phase."""
    found = arrivals(phases)
    whole = 0.0
    for index, phase in enumerate(phases):
        whole += phase.arrival_count
        count = sum(each.phase <= index for each in found)
        assert abs(count - whole) <= 0.5 + 1e-6


@given(PHASES, st.sampled_from(["even", "poisson"]), st.integers(0, 9))
def test_arrivals_are_in_order_and_within_their_phase(
    phases: list[Phase], spacing: str, seed: int
) -> None:
    """Times never go back, and each is between its phase's beginning and end."""
    found = arrivals(phases, spacing, seed)  # type: ignore[arg-type]
    ends = list(itertools.accumulate((each.duration_s for each in phases), initial=0.0))
    assert all(a.due_s <= b.due_s + 1e-9 for a, b in itertools.pairwise(found))
    for each in found:
        assert ends[each.phase] - 1e-9 <= each.due_s <= ends[each.phase + 1] + 1e-9


@given(PHASES)
def test_an_arrival_is_due_where_the_integral_reaches_it(phases: list[Phase]) -> None:
    """The k-th is due when the rate has added up to k + ½, on a ramp too."""
    for number, each in enumerate(arrivals(phases)):
        before = sum(phase.arrival_count for phase in phases[: each.phase])
        phase = phases[each.phase]
        time_s = each.due_s - sum(p.duration_s for p in phases[: each.phase])
        slope = (phase.rate_to_per_s - phase.rate_from_per_s) / phase.duration_s
        reached = before + phase.rate_from_per_s * time_s + slope * time_s**2 / 2
        assert reached == pytest.approx(number + 0.5, abs=1e-4)


def test_a_constant_rate_is_evenly_spaced() -> None:
    """At 4/s they come every 250 ms."""
    found = arrivals(parse_phases(["2s:4/s"]))
    assert [each.due_s for each in found] == pytest.approx([0.125 + 0.25 * k for k in range(8)])


def test_poisson_arrivals_have_the_rate_and_the_spread_of_one_and_are_the_seeds() -> None:
    """Gaps of 10,000 have mean and deviation 1/rate, by 3%; a seed gives the same again."""
    phases = parse_phases(["200s:50/s"])
    found = arrivals(phases, "poisson", 7)
    gaps = [b.due_s - a.due_s for a, b in itertools.pairwise(found)]
    mean = sum(gaps) / len(gaps)
    deviation = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps))
    assert mean == pytest.approx(0.02, rel=0.03)
    assert deviation == pytest.approx(0.02, rel=0.03)
    assert found == arrivals(phases, "poisson", 7) != arrivals(phases, "poisson", 8)


def test_phases_are_read_as_they_are_written() -> None:
    """A rate, a ramp with other units, and a pause."""
    assert parse_phases(["60s:5/s..50/s", "2min:120/min", "30s:pause"]) == (
        Phase(60, 5, 50),
        Phase(120, 2, 2),
        Phase(30, 0, 0),
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("60s", "isn't a phase"),
        ("60s:fast", "isn't a phase"),
        ("60s:5/s..", "isn't a phase"),
        ("0s:5/s", "lasts no time"),
        ("25h:1/s", "24 hours"),
        ("1s:20000/s", "over the limit"),
        ("1h:9999/s", "arrivals, over"),
        ("10s:pause", "no arrival"),
        ("1s:0.1/s", "no arrival"),
    ],
)
def test_a_phase_that_makes_no_sense_is_named(text: str, words: str) -> None:
    """The message says what is wrong and how to write it."""
    with pytest.raises(UsageError, match=words):
        parse_phases([text])


SCRIPT = """\
config:
  target: https://example.test
  phases:
    - {duration: 1m, arrivalRate: 5, rampTo: 50, name: warm up}
    - {pause: 10}
    - {duration: 20, arrivalCount: 30, maxVusers: 7}
    - {duration: 5, arrivalRate: 2, thinkTime: 1}
scenarios: []
"""


def test_an_artillery_script_gives_its_phases_and_what_else_it_holds_is_named(
    tmp_path: Path,
) -> None:
    """Rates, ramps, counts, pauses and the limit of virtual users are taken, nothing else."""
    (tmp_path / "load.yml").write_text(SCRIPT)
    script = read_script(tmp_path / "load.yml")
    assert script.phases == (
        Phase(60, 5, 50),
        Phase(10, 0, 0),
        Phase(20, 1.5, 1.5, 7),
        Phase(5, 2, 2),
    )
    assert script.not_taken == ("scenarios", "config.target", "config.phases[4].thinkTime")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("config: {phases: [", "isn't YAML"),
        ("[]", "no phases"),
        ("config: {phases: []}", "no phases"),
        ("config: {phases: [5]}", "phase 1: isn't a mapping"),
        ("config: {phases: [{arrivalRate: 5}]}", "phase 1: its duration"),
        ("config: {phases: [{duration: 5}]}", "phase 1: has neither"),
        ("config: {phases: [{duration: 5, arrivalRate: '{{ rate }}'}]}", "phase 1: its arrivalR"),
        ("config: {phases: [{duration: 5, arrivalRate: 1, arrivalCount: 2}]}", "both"),
        ("config: {phases: [{duration: 5, arrivalRate: 1, maxVusers: 0}]}", "maxVusers"),
        ("config: {phases: [{duration: .nan, arrivalRate: 1}]}", "its duration"),
    ],
)
def test_a_bad_script_is_refused_by_what_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    """One line names the file, the phase and the key."""
    (tmp_path / "load.yml").write_text(text)
    with pytest.raises(InputError, match=words):
        read_script(tmp_path / "load.yml")


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [("90", 90), ("'90'", 90), ("500ms", 0.5), ("1 minute", 60), ("2 mins", 120),
     ("3 Hours", 10_800), ("1.5h", 5400)],
)  # fmt: skip
def test_a_scripts_times_are_in_any_of_its_units(
    tmp_path: Path, duration: str, seconds: float
) -> None:
    """As Artillery reads them, in words too."""
    (tmp_path / "load.yml").write_text(
        f"config: {{phases: [{{duration: {duration}, arrivalRate: 5}}]}}"
    )
    [phase] = read_script(tmp_path / "load.yml").phases
    assert phase.duration_s == pytest.approx(seconds)


def test_a_script_that_is_too_long_is_refused(tmp_path: Path) -> None:
    """Its beginning may be a script by itself, with fewer phases."""
    phases = "    - {duration: 1, arrivalRate: 5}\n"
    (tmp_path / "long.yml").write_text("config:\n  phases:\n" + phases * 30_000)
    with pytest.raises(InputError, match="over 1 MB"):
        read_script(tmp_path / "long.yml")


def test_a_script_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A missing file is one line too."""
    with pytest.raises(InputError, match=r"none\.yml.*can't be read"):
        read_script(tmp_path / "none.yml")
