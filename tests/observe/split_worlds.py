"""A made-up split alias: two versions with the same traffic, and a known saving."""

from __future__ import annotations

import numpy as np

from tests.observe.saving_worlds import NEW_MB, OLD_MB
from tuner.observe.use_hours import UseRows


def split_rows(ratio: float, *, seed: int, environments: int = 20, weight: float = 0.3) -> UseRows:
    """Two hours of a split alias, by slots of five minutes, while the level doubles; a tenth of the
    new version's invocations are cold, and few of the old one's.
    """
    rng = np.random.default_rng(seed)
    columns = []
    for new in (False, True):
        levels = np.exp(rng.normal(0, 0.03, environments))
        for slot in range(24):
            for environment in range(environments):
                for cold in (False, True):
                    share = weight if new else 1 - weight
                    chance = (0.1 if new else 0.01) if cold else 1.0
                    count = rng.poisson(600 / environments * share * chance)
                    if not count:
                        continue
                    mean = (1 + slot / 24) * levels[environment] * (ratio if new else 1.0)
                    costs = mean * (5 if cold else 1) * rng.lognormal(-0.125, 0.5, count)
                    columns.append(
                        (slot, "8" if new else "7", f"{new}{environment}",
                         NEW_MB if new else OLD_MB, cold, count, costs.sum(), (costs**2).sum())
                    )  # fmt: skip
    slot, version, environment, memory, cold, count, cost, squares = map(
        np.array, zip(*columns, strict=True)
    )
    nothing = np.zeros(len(slot))
    return UseRows(
        slot, version.astype(object), environment.astype(object), memory, cold,
        count.astype(float), cost, squares, nothing, nothing, slot * 300_000_000, nothing, nothing,
        nothing,
    )  # fmt: skip
