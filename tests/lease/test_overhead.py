"""The benchmark of a lease's overhead still measures what it says."""

from __future__ import annotations

from tests.bench.lease_overhead import measure


def test_a_sweep_runs_leased_and_bare() -> None:
    """Both kinds of sweep run to their end through the very loop that sweeps have."""
    assert len(measure(run_count=1, update_s=0.0, per_size=1)) == 1  # each sweep counts its calls
