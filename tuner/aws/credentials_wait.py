"""What to do while somebody renews expired credentials. Needs no boto3."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CredentialsWait:
    """How long to wait for somebody to renew credentials.

    For `wait_s` (0: look for new ones once), unless `is_over`; `tell` is told about it.
    """

    wait_s: float = 0.0
    tell: Callable[[float], None] = lambda _wait_s: None
    is_over: Callable[[], bool] = lambda: False
