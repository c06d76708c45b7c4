"""Shares as they are written, everywhere alike: in findings, reports and pages."""

from __future__ import annotations


def percent(ratio: float, decimals: int | None = None) -> str:
    """A share: whole percent from 1 % on, one digit below, or as many as asked: `40 %`, `0.7 %`."""
    return f"{percent_digits(ratio, decimals)} %"


def percent_digits(ratio: float, decimals: int | None = None) -> str:
    """The same without its sign, for the ends of an interval."""
    value = ratio * 100
    if decimals is None:
        decimals = 0 if abs(value) >= 0.95 else 1
    return f"{value:.{decimals}f}"
