"""One local Lambda for all tests here, a function with an alias and a state folder for each."""

from __future__ import annotations

from tests.lease.conftest import account, served

__all__ = ["account", "served"]
