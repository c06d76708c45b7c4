"""The benchmark of a lease's overhead still measures what it says."""

from __future__ import annotations

from tests.bench.lease_overhead import measure


def test_a_sweep_runs_leased_and_bare() -> None:
    """Both kinds of sweep run to their end through the very loop that sweeps have."""
    [(leased_s, bare_s)] = measure(run_count=1, update_s=0.0, per_size=1)
    assert leased_s > 0
    assert bare_s > 0
