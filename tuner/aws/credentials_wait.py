"""What to do while somebody renews credentials that expired. Needs no boto3."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CredentialsWait:
    """How long somebody is waited for who has to renew credentials.

    For `wait_s` (0: new ones are looked for once), unless `is_over`; `tell` hears of it.
    """

    wait_s: float = 0.0
    tell: Callable[[float], None] = lambda _wait_s: None
    is_over: Callable[[], bool] = lambda: False
