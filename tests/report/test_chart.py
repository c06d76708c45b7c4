"""The chart shows what was measured where it was measured."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from tuner.report import chart
from tuner.report.chart import Point
from tuner.report.console import ASCII, UNICODE

POINTS = (
    Point(128, 2800, measured=True),
    Point(512, 700, measured=True, recommended=True),
    Point(2048, 200, measured=True, current=True),
)


def drawn(
    points: tuple[Point, ...] = POINTS, *, width: int = 60, glyphs: object = ASCII
) -> list[str]:
    return chart.draw(
        points,
        label=chart.duration_label,
        width=width,
        height=7,
        glyphs=glyphs,
    )


def test_a_falling_curve_falls() -> None:
    """The slowest size stands top left, the fastest bottom right, with their marks."""
    lines = drawn()
    assert len(lines) == 7
    assert lines[0].endswith("|o" + lines[0].split("|o")[1])
    assert lines[-1].rstrip().endswith("N")
    assert any("R" in line for line in lines[1:-1])


def test_the_axis_is_labelled_with_its_ends() -> None:
    """Top and bottom labels are the greatest and the least value."""
    lines = drawn()
    assert lines[0].strip().startswith("2800 ms")
    assert lines[-1].strip().startswith("200 ms")


def test_powers_of_two_are_equally_far_apart() -> None:
    """The memory axis is logarithmic."""
    axis, labels = chart.draw_memory_axis(POINTS, width=60, glyphs=ASCII)
    ticks = [at for at, char in enumerate(axis) if char == "+"][1:]
    steps = {right - left for left, right in itertools.pairwise(ticks)}
    assert max(steps) - min(steps) <= 1
    assert labels.split() == ["128", "256", "512", "1024", "2048"]


def test_one_size_makes_no_picture() -> None:
    """A single point has no curve."""
    assert drawn(POINTS[:1]) == []


def test_a_nearly_flat_curve_is_drawn_flat() -> None:
    """Differences of a percent do not fill the plot."""
    flat = tuple(Point(memory_mb, 100 + memory_mb / 1000) for memory_mb in (128, 512, 1024))
    assert sum("*" in line for line in drawn(flat)) <= 2


@given(
    st.dictionaries(st.integers(128, 10_240), st.floats(0.1, 1e6), min_size=2, max_size=30),
    st.integers(10, 200),
)
def test_any_curve_fits_its_frame(values: dict[int, float], width: int) -> None:
    """Whatever the sizes and values, every line has the same width and nothing raises."""
    points = tuple(Point(memory_mb, value) for memory_mb, value in values.items())
    for glyphs in (ASCII, UNICODE):
        lines = drawn(points, width=width, glyphs=glyphs)
        assert len({len(line) for line in lines}) == 1
        assert len(chart.draw_memory_axis(points, width=width, glyphs=glyphs)) == 2
