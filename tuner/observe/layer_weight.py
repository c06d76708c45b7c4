"""What layers weigh on INIT, by versions with and without them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class VersionInit:
    """INIT of one version, with its layers (name, bytes) where the account tells them."""

    version: str | None
    cold_start_count: int
    mean_init_ms: float
    max_memory_used_mb: int | None
    layers: tuple[tuple[str, int], ...] | None = None


@dataclass(frozen=True, slots=True)
class LayerWeight:
    """Mean INIT of versions with a layer and of those without; whatever else differs counts too."""

    name: str
    size_bytes: int
    with_ms: float
    without_ms: float
    with_count: int
    """Cold starts."""
    without_count: int

    @property
    def init_ms(self) -> float:
        """What it seems to add."""
        return self.with_ms - self.without_ms


def layer_weights(versions: tuple[VersionInit, ...]) -> Iterator[LayerWeight]:
    """Each layer that some versions have and others don't, whatever its own version."""
    known = [each for each in versions if each.layers is not None]
    sizes = {_unversioned(name): size for each in known for name, size in each.layers or ()}
    for layer, size in sorted(sizes.items()):
        having = [
            each for each in known if layer in (_unversioned(name) for name, _ in each.layers or ())
        ]
        others = [each for each in known if each not in having]
        if having and others:
            yield LayerWeight(
                layer,
                size,
                _mean_init_ms(having),
                _mean_init_ms(others),
                sum(each.cold_start_count for each in having),
                sum(each.cold_start_count for each in others),
            )


def _unversioned(name: str) -> str:
    return name.rpartition(":")[0] or name


def _mean_init_ms(versions: list[VersionInit]) -> float:
    count = sum(each.cold_start_count for each in versions)
    return sum(each.cold_start_count * each.mean_init_ms for each in versions) / count
