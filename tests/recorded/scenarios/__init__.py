"""The calls of each recorded scenario, and what differs from AWS on purpose."""

from __future__ import annotations

from tests.recorded.scenarios import (
    aliases,
    behavior,
    concurrency,
    functions,
    invocations,
    layers,
    names,
    not_here,
    other_runtimes,
    packages,
    permissions,
    refusals,
    runtimes,
    tags,
    urls,
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
        packages,
        urls,
        not_here,
        other_runtimes,
        runtimes,
        behavior,
    )
    for name, play in module.SCENARIOS.items()
}

REAL = frozenset({**invocations.SCENARIOS, **runtimes.SCENARIOS, **behavior.SCENARIOS})
"""Those whose handlers run."""

FROM_S3 = frozenset(packages.FROM_S3)
"""Those whose packages are in S3."""

__all__ = ["FROM_S3", "ON_PURPOSE", "REAL", "SCENARIOS"]
