"""How CloudWatch evaluates an alarm: the guide's own examples, and a plain reading of its rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tuner.watch.metric_history import ALARM, INSUFFICIENT, OK, rings_of, states

RETAINS = "retains"
THREE_OF_THREE = [
    ("0 - X - X", (OK, OK, OK, OK)),
    ("0 - - - -", (OK, OK, OK, OK)),
    ("- - - - -", (INSUFFICIENT, RETAINS, ALARM, OK)),
    ("0 X X - X", (ALARM, ALARM, ALARM, ALARM)),
    ("- - - - X", (INSUFFICIENT, RETAINS, ALARM, OK)),
    ("X - - - -", (ALARM, RETAINS, ALARM, OK)),
]
TWO_OF_THREE = [
    ("0 - X - X", (ALARM, ALARM, ALARM, ALARM)),
    ("0 0 X 0 X", (ALARM, ALARM, ALARM, ALARM)),
    ("0 - X - -", (OK, OK, ALARM, OK)),
    ("- - - - 0", (OK, OK, ALARM, OK)),
    ("- - - - X", (INSUFFICIENT, RETAINS, ALARM, OK)),
]
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


def last_state(points: str, to_alarm: int, missing: str, *, before: str = "") -> int:
    """The state after these points, the oldest first; `before` are older ones."""
    marks = [*before, *points.split()]
    exists = np.array([each != "-" for each in marks])
    breaches = np.array([each == "X" for each in marks])
    found = states(exists, breaches, periods=3, to_alarm=to_alarm, missing=missing)  # type: ignore[arg-type] # one of TREATMENTS
    return int(found[-1])


@pytest.mark.parametrize(
    ("points", "wanted", "to_alarm"),
    [
        *((points, wanted, 3) for points, wanted in THREE_OF_THREE),
        *((points, wanted, 2) for points, wanted in TWO_OF_THREE),
    ],
)
def test_the_examples_of_the_guide(
    points: str, wanted: tuple[int | str, ...], to_alarm: int
) -> None:
    """Both tables of the user guide, each way to treat missing data; what's retained is either."""
    for missing, state in zip(TREATMENTS, wanted, strict=True):
        if state != RETAINS:
            assert last_state(points, to_alarm, missing) == state
            continue
        assert last_state(points, to_alarm, missing, before="00000") == OK
        assert last_state("- " * 5 + points, to_alarm, missing, before="XXXXX") == ALARM


def plain(marks: list[str], periods: int, to_alarm: int, missing: str) -> list[int]:
    """The rules read word by word, one period after the other."""
    found: list[int] = []
    for at in range(len(marks)):
        looked_at = marks[max(at + 1 - periods - 2, 0) : at + 1]
        real = [each for each in looked_at if each != "-"]
        rest = max(periods - len(real), 0)
        counted = real[-periods:]
        bad = counted.count("X") + (rest if missing == "breaching" else 0)
        only_bad = rest > 0 and "0" not in counted
        if bad >= to_alarm:
            state = ALARM
        elif missing == "ignore" and only_bad:
            state = found[-1] if found else OK
        elif missing == "missing" and only_bad:
            oldest = len(looked_at) - looked_at.index("X") if "X" in looked_at else 0
            state = ALARM if oldest >= to_alarm else INSUFFICIENT
        else:
            state = OK
        found.append(state)
    return found


@settings(max_examples=50)
@given(
    st.lists(st.sampled_from("0X-"), min_size=1, max_size=40),
    st.integers(1, 6),
    st.integers(1, 6),
    st.sampled_from(TREATMENTS),
)
@example(["X", "-", "-", "-", "-", "-", "-"], 3, 3, "missing")
def test_all_periods_at_once_are_as_one_after_the_other(
    marks: list[str], periods: int, fewer: int, missing: str
) -> None:
    """For any points, M of N, and treatment of what is missing."""
    to_alarm = min(fewer, periods)
    exists = np.array([each != "-" for each in marks])
    breaches = np.array([each == "X" for each in marks])
    found = states(exists, breaches, periods=periods, to_alarm=to_alarm, missing=missing)  # type: ignore[arg-type] # as above
    assert found.tolist() == plain(marks, periods, to_alarm, missing)


def test_rings_are_from_the_end_of_the_minute_that_made_them() -> None:
    """Two stretches, the last until the history's end; days and minutes by hand."""
    start = datetime(2026, 3, 1, 23, 57, tzinfo=UTC)
    found = rings_of(np.array([False, True, True, False, False, True]), start, 60)
    minute = timedelta(minutes=1)
    assert found.rings == (
        (start + 2 * minute, start + 4 * minute),
        (start + 6 * minute, start + 6 * minute),
    )
    assert found.days == ("2026-03-01", "2026-03-02")
    assert found.alarm_minutes == 2
    assert found.end == start + 6 * minute
