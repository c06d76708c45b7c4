"""Waits for rate limits, within a bound for the whole run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tuner.errors import ForgeError
from tuner.forge.protocol import MAX_WAIT_S

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True)
class Patience:
    """What is left of the time to wait."""

    sleep: Callable[[float], None]
    waited_s: float = 0.0

    def wait(self, wait_s: float, *, forge: str, status: int | None) -> None:
        """Sleep. Raises ForgeError, at once, for what would be longer than the bound in all."""
        if self.waited_s + wait_s > MAX_WAIT_S:
            raise ForgeError(
                f"{forge} asks to wait for {wait_s:.0f} s (rate limit), longer than "
                f"{MAX_WAIT_S:.0f} s in all: run it again later",
                status=status,
            )
        self.waited_s += wait_s
        self.sleep(wait_s)
