"""Credentials that expire in the middle are taken anew, and waited for where somebody is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.aws.wire import Received, Reply, WireServer, refusal
from tuner.aws import CredentialsWait
from tuner.aws.gateway import LambdaGateway, connect
from tuner.errors import CredentialsError

if TYPE_CHECKING:
    from pathlib import Path

FUNCTION = {"Configuration": {"FunctionName": "resize", "MemorySize": 128, "Timeout": 3}}


def write_keys(home: Path, key: str) -> None:
    (home / "credentials").write_text(
        f"[default]\naws_access_key_id = {key}\naws_secret_access_key = secret\n"
        f"aws_session_token = token-{key}\n"
    )


def only_new_ones(received: Received) -> Reply:
    """Refuse whatever is not signed with the key NEW."""
    if "Credential=NEW/" in received.headers.get("authorization", ""):
        return Reply(body=FUNCTION)
    return refusal(403, "ExpiredTokenException", "The security token has expired")


def opened(wire: WireServer, credentials_wait: CredentialsWait | None = None) -> LambdaGateway:
    return connect(
        region="eu-west-1", profile=None, endpoint_url=wire.url, credentials_wait=credentials_wait
    )


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tuner.aws.credentials.LOOK_EVERY_S", 0.01)


def test_new_keys_in_the_file_are_taken(wire: WireServer, aws_home: Path) -> None:
    """Whoever renews them (a helper, another terminal) need not start the sweep again."""
    write_keys(aws_home, "OLD")
    with opened(wire) as gateway:
        wire.answer = lambda _: Reply(body=FUNCTION)
        gateway.read_function("resize")
        wire.answer = only_new_ones
        write_keys(aws_home, "NEW")
        assert gateway.read_function("resize").memory_mb == 128
        assert gateway.invoke("resize", "1", b"{}", timeout_s=3).status_code == 200


def test_an_invocation_is_refused_once_and_made_once(wire: WireServer, aws_home: Path) -> None:
    """The refused request ran nothing: it is sent again, and only then."""
    write_keys(aws_home, "OLD")
    with opened(wire) as gateway:
        wire.answer = lambda _: Reply(body=FUNCTION)
        gateway.read_function("resize")
        wire.received.clear()
        wire.answer = only_new_ones
        write_keys(aws_home, "NEW")
        gateway.invoke("resize", "1", b"{}", timeout_s=3)
        assert len(wire.received) == 2


def test_where_somebody_is_there_they_are_waited_for(wire: WireServer, aws_home: Path) -> None:
    """It says so once, and goes on as soon as the new ones are there."""
    write_keys(aws_home, "OLD")
    told: list[float] = []

    def tell(wait_s: float) -> None:
        told.append(wait_s)
        write_keys(aws_home, "NEW")

    wire.answer = only_new_ones
    with opened(wire, CredentialsWait(60.0, tell)) as gateway:
        assert gateway.read_function("resize").memory_mb == 128
        gateway.read_function("resize")
    assert told == [60.0]


@pytest.mark.parametrize("wait_s", [0.0, 0.05])
def test_without_new_ones_it_is_told(wire: WireServer, aws_home: Path, wait_s: float) -> None:
    """Nobody renews them, or nobody is there: the message says what to do."""
    write_keys(aws_home, "OLD")
    wire.answer = only_new_ones
    told: list[float] = []
    with (
        opened(wire, CredentialsWait(wait_s, told.append)) as gateway,
        pytest.raises(CredentialsError, match=r"have expired .*aws sso login"),
    ):
        gateway.read_function("resize")
    assert bool(told) == (wait_s > 0)


def test_a_second_interruption_ends_the_waiting(wire: WireServer, aws_home: Path) -> None:
    """Who has lost patience is not made to wait."""
    write_keys(aws_home, "OLD")
    wire.answer = only_new_ones
    credentials_wait = CredentialsWait(3600.0, is_over=lambda: True)
    with opened(wire, credentials_wait) as gateway, pytest.raises(CredentialsError):
        gateway.read_function("resize")


def test_keys_of_the_environment_are_not_waited_for(
    wire: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can change those of a process that runs."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "OLD")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    wire.answer = only_new_ones
    told: list[float] = []
    with (
        opened(wire, CredentialsWait(3600.0, told.append)) as gateway,
        pytest.raises(CredentialsError),
    ):
        gateway.read_function("resize")
    assert told == []
