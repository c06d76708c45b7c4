"""Values of options are read as people write them, or refused with what to write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from tuner.cli import values

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (values.ratio, "2%", 0.02),
        (values.ratio, "0.02", 0.02),
        (values.ratio, "0", 0.0),
        (values.ratio, "100 %", 1.0),
        (values.duration_ms, "500ms", 500.0),
        (values.duration_ms, "2s", 2000.0),
        (values.duration_ms, "1.5 s", 1500.0),
        (values.duration_ms, ".5s", 500.0),
        (values.duration_ms, "1m", 60_000.0),
        (values.days, "14", 14.0),
        (values.days, "0.5", 0.5),
        (values.percentile, "95", 95.0),
        (values.percentile, "p99.9", 99.9),
        (values.amount_usd, "$0.50", 0.5),
        (values.memory_mb, "1024", 1024),
        (values.memory_mb, "1024 MB", 1024),
        (values.memory_sizes_mb, "128, 256,512", (128, 256, 512)),
    ],
)
def test_a_value_is_read_as_written(
    read: Callable[[str], object], text: str, value: object
) -> None:
    """Shares, durations, percentiles, amounts and sizes in the forms that help shows."""
    assert read(text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("read", "text", "hint"),
    [
        (values.ratio, "two", "write 2%"),
        (values.ratio, "nan", "write 2%"),
        (values.ratio, "120%", "out of range"),
        (values.ratio, "-1%", "out of range"),
        (values.duration_ms, "500", "write 500ms"),
        (values.duration_ms, "0ms", "above 0"),
        (values.duration_ms, "-1s", "write 500ms"),
        (values.days, "0", "0.5 for half a day"),
        (values.days, "-2", "0.5 for half a day"),
        (values.days, "nan", "write 14"),
        (values.days, "a week", "write 14"),
        (values.percentile, "100", "out of range"),
        (values.percentile, "x", "write 95"),
        (values.amount_usd, "0", "above 0"),
        (values.amount_usd, "inf", "write 0.50"),
        (values.memory_mb, "64", "128 to 10240"),
        (values.memory_mb, "10241", "128 to 10240"),
        (values.memory_mb, "1GB", "write 1024"),
        (values.memory_mb, "²", "write 1024"),
        (values.memory_sizes_mb, "512,256", "ascending"),
        (values.memory_sizes_mb, "512,512", "each once"),
        (values.memory_sizes_mb, "", "write 1024"),
    ],
)
def test_a_bad_value_says_what_to_write(
    read: Callable[[str], object], text: str, hint: str
) -> None:
    """Every refusal quotes what was given and names a right form or range."""
    with pytest.raises(typer.BadParameter, match=hint):
        read(text)


@given(st.text())
def test_no_text_breaks_a_reader(text: str) -> None:
    """Whatever is typed is read or refused, never an unexpected exception."""
    for read in (
        values.ratio,
        values.duration_ms,
        values.percentile,
        values.amount_usd,
        values.memory_mb,
        values.memory_sizes_mb,
    ):
        try:
            read(text)
        except typer.BadParameter as refusal:
            assert str(refusal)  # noqa: PT017 - any reading that succeeds is fine too
