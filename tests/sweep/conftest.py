"""A function that tests sweep, one for each module."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sweep.running import ServedFunction, serve

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedFunction]:
    """A function that answers at once and says that it took 20 ms."""
    with serve(tmp_path_factory.mktemp("sweeps")) as served:
        yield served
