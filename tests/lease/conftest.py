"""One local Lambda for all tests here, a function and a state folder for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lease.account import Account, open_account

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="package")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    yield from open_account(tmp_path_factory.mktemp("state"))


@pytest.fixture
def account(served: Account, tmp_path: Path) -> Iterator[Account]:
    """An account whose function has 512 MB, one version and one alias."""
    served.state_dir = tmp_path / "state"
    served.make_function()
    yield served
    for name in served.functions():
        served.client.delete_function(FunctionName=name)
