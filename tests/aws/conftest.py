"""An AWS configuration of the tests' own: nothing of the machine's is read or reached."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.aws.wire import WireServer
from tuner.aws import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tuner.aws.gateway import LambdaGateway


@pytest.fixture(autouse=True)
def aws_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder for `config` and `credentials`, and no AWS_ or proxy variable."""
    for name in os.environ:
        if name.upper().startswith("AWS_") or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return tmp_path


@pytest.fixture
def wire() -> Iterator[WireServer]:
    with WireServer() as server:
        yield server


@pytest.fixture
def open_gateway() -> Iterator[Callable[[str], LambdaGateway]]:
    """Connect to an endpoint in eu-west-1; closed at the end."""
    with ExitStack() as stack:
        yield lambda url: stack.enter_context(
            connect(region="eu-west-1", profile=None, endpoint_url=url)
        )


@pytest.fixture
def gateway(wire: WireServer, open_gateway: Callable[[str], LambdaGateway]) -> LambdaGateway:
    return open_gateway(wire.url)
