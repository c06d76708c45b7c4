"""How long somebody is waited for who has to renew credentials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class CredentialsPatience:
    """Wait for `wait_s` (0: look for new ones once), unless `is_over`; `tell` hears of it."""

    wait_s: float = 0.0
    tell: Callable[[float], None] = lambda _wait_s: None
    is_over: Callable[[], bool] = lambda: False
