"""An AWS configuration of the tests' own: nothing of the machine's is read or reached."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from botocore.stub import Stubber

from tests.aws.wire import WireServer
from tuner.aws.gateway import LambdaGateway
from tuner.aws.session import Session, open_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tuner.aws.services import Services


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


@pytest.fixture(scope="session")
def wire_for_all() -> Iterator[WireServer]:
    with WireServer() as server:
        yield server


@pytest.fixture
def wire(wire_for_all: WireServer) -> WireServer:
    """The scripted server, with nothing said or heard yet."""
    wire_for_all.forget()
    return wire_for_all


@pytest.fixture(scope="session")
def opened() -> dict[str, Session]:
    """Sessions by endpoint: botocore reads its models once for each."""
    return {}


@pytest.fixture
def open_gateway(opened: dict[str, Session]) -> Iterator[Callable[[str], LambdaGateway]]:
    """Open a gateway to an endpoint in eu-west-1; closed at the end."""
    with ExitStack() as stack:

        def open_at(url: str) -> LambdaGateway:
            if url not in opened:
                opened[url] = open_session(region="eu-west-1", profile=None, endpoint_url=url)
            return stack.enter_context(LambdaGateway(opened[url]))

        yield open_at


@pytest.fixture
def gateway(wire: WireServer, open_gateway: Callable[[str], LambdaGateway]) -> LambdaGateway:
    return open_gateway(wire.url)


@pytest.fixture
def stub(services: Services) -> Iterator[Callable[[str], Stubber]]:
    """Makes stubbers of the services' clients, all of whose answers must have been asked for."""
    made = []

    def stubbed(service: str) -> Stubber:
        stubber = Stubber(services.client(service))
        stubber.activate()
        made.append(stubber)
        return stubber

    yield stubbed
    for each in made:
        each.assert_no_pending_responses()
        each.deactivate()
