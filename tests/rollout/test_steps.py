"""Steps as they are given."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuner.errors import InputError
from tuner.rollout.steps import DEFAULT, Step, parse_duration_s, parse_steps

WEIGHTS = st.lists(st.integers(1, 99), min_size=1, max_size=20, unique=True).map(sorted)


@given(WEIGHTS, st.sampled_from([("s", 1), ("m", 60), ("h", 3600)]), st.integers(0, 160))
def test_what_is_written_is_read(weights: list[int], unit: tuple[str, int], time: int) -> None:
    """Rising shares with any unit are read as given, and are written so that they read the same."""
    steps = parse_steps(",".join(f"{weight}%:{time}{unit[0]}" for weight in weights))
    assert steps == tuple(Step(weight / 100, time * unit[1]) for weight in weights)
    assert parse_steps(",".join(map(str, steps))) == steps


@settings(max_examples=50)
@given(st.text(max_size=30))
def test_anything_else_is_one_line(text: str) -> None:
    """Whatever is given, it's steps or an InputError that says how to write them."""
    said = ""
    steps: tuple[Step, ...] = ()
    try:
        steps = parse_steps(text)
    except InputError as error:
        said = str(error)
    assert steps or "give `steps` as 10%:10m,50%:10m" in said
    assert "\n" not in said
    assert all(0 < step.weight < 1 for step in steps)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "isn't SHARE%:TIME"),
        ("100%:10m", "isn't SHARE%:TIME below 100%"),
        ("0%:10m", "no share"),
        ("50%:10m,10%:10m", "isn't more than the step before"),
        ("10%:10m,10%:5m", "isn't more than the step before"),
        ("10%", "isn't SHARE%:TIME"),
        ("10%:10", "isn't SHARE%:TIME"),
        ("10%:800h", "longer than seven days"),
    ],
)
def test_steps_that_make_no_sense_say_why(text: str, said: str) -> None:
    """The line names the step and what is wrong with it."""
    with pytest.raises(InputError, match=said):
        parse_steps(text)


def test_times() -> None:
    """A time has a unit, and is neither none nor endless."""
    assert parse_duration_s("1.5h", "step_timeout") == 5400
    assert [step.least_s for step in parse_steps(DEFAULT)] == [600, 600]
    for wrong in ("", "10", "0m", "-1m", "9999h", "inf"):
        with pytest.raises(InputError, match="`step_timeout`"):
            parse_duration_s(wrong, "step_timeout")
