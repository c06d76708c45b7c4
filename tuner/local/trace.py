"""The X-Amzn-Trace-Id header: parts by their names."""

from __future__ import annotations


def parse_trace(header: str | None) -> dict[str, str]:
    """Read `Root=…;Parent=…;Sampled=…`; parts without a value are left out."""
    pairs = (part.partition("=") for part in (header or "").split(";"))
    return {name.strip(): value.strip() for name, _, value in pairs if value}
