"""The calls of each recorded scenario, and what differs from AWS on purpose."""

from __future__ import annotations

from tests.recorded.scenarios import (
    aliases,
    concurrency,
    functions,
    invocations,
    layers,
    names,
    permissions,
    refusals,
    tags,
    versions,
)
from tests.recorded.scenarios.on_purpose import ON_PURPOSE

SCENARIOS = {
    name: play
    for module in (
        functions,
        versions,
        aliases,
        permissions,
        tags,
        concurrency,
        invocations,
        layers,
        names,
        refusals,
    )
    for name, play in module.SCENARIOS.items()
}

REAL = frozenset(invocations.SCENARIOS)
"""Those whose handlers run."""

__all__ = ["ON_PURPOSE", "REAL", "SCENARIOS"]
