"""An SSO session that ends in the middle is waited for: botocore's own provider, over the wire."""

from __future__ import annotations

import hashlib
import itertools
import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.credentials import SSOProvider
from botocore.tokens import SSOTokenProvider

from tests.aws.wire import Received, Reply, WireServer, refusal
from tuner.aws import CredentialsWait
from tuner.aws.gateway import LambdaGateway, connect
from tuner.errors import CredentialsError

if TYPE_CHECKING:
    from pathlib import Path

FUNCTION = {"Configuration": {"FunctionName": "resize", "MemorySize": 128, "Timeout": 3}}
START_URL = "https://example.awsapps.com/start"
ROLE = "sso_account_id = 123456789012\nsso_role_name = Tuner\n"
WHERE = f"sso_start_url = {START_URL}\nsso_region = eu-west-1\n"
PROFILES = {
    "session": f"[profile p]\nsso_session = corp\n{ROLE}[sso-session corp]\n{WHERE}",
    "legacy": f"[profile p]\n{WHERE}{ROLE}",
}


class EveryKey(set[str]):
    """All keys that there are."""

    def __contains__(self, key: object) -> bool:
        return True


@dataclass
class Portal:
    """The SSO portal, its token endpoint and Lambda behind one port, and the tokens on disk."""

    folder: Path
    kind: str
    valid: set[str] = field(default_factory=lambda: {"first"})
    """Access tokens that the portal takes."""
    role_lives_s: float = 60.0
    """Below botocore's window of ten minutes: it asks for new ones before every request."""
    refused_keys: set[str] = field(default_factory=set)

    def log_in(self, token: str, *, lives_s: float = 3600.0, **more: str) -> None:
        """Leave a token where `aws sso login` does."""
        until = datetime.now(UTC) + timedelta(seconds=lives_s)
        cached = {
            "startUrl": START_URL, "region": "eu-west-1", "accessToken": token,
            "expiresAt": until.strftime("%Y-%m-%dT%H:%M:%SZ"), **more,
        }  # fmt: skip
        name = "corp" if self.kind == "session" else START_URL
        file = self.folder / f"{hashlib.sha1(name.encode()).hexdigest()}.json"
        file.write_text(json.dumps(cached))

    def answer(self, request: Received) -> Reply:
        if request.path == "/token":
            return self._renewed(request.json)
        if request.path == "/federation/credentials":
            return self._role(request.headers["x-amz-sso_bearer_token"])
        key = request.headers["authorization"].partition("Credential=")[2].partition("/")[0]
        if key in self.refused_keys:
            return refusal(403, "ExpiredTokenException", "The security token has expired")
        return Reply(body=FUNCTION, headers={"x-amz-executed-version": "1"})

    def _role(self, token: str) -> Reply:
        if token not in self.valid:
            return refusal(401, "UnauthorizedException", "Session token not found or invalid")
        role = {
            "accessKeyId": f"key-{token}", "secretAccessKey": "secret", "sessionToken": "t",
            "expiration": int((time.time() + self.role_lives_s) * 1000),
        }  # fmt: skip
        return Reply(body={"roleCredentials": role})

    def _renewed(self, asked: dict[str, Any]) -> Reply:
        if asked["refreshToken"] not in self.valid:
            return refusal(400, "InvalidGrantException", "Invalid refresh token")
        self.valid.add("renewed")
        return Reply(body={"accessToken": "renewed", "expiresIn": 3600})


@pytest.fixture(params=["session", "legacy"])
def portal(
    request: pytest.FixtureRequest,
    wire: WireServer,
    aws_home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Portal:
    cache = aws_home / "cache"
    cache.mkdir()
    for provider in (SSOProvider, SSOTokenProvider):  # they look up the home folder on import
        monkeypatch.setattr(provider, "_SSO_TOKEN_CACHE_DIR", str(cache))
    for service in ("SSO", "SSO_OIDC"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", wire.url)
    monkeypatch.setattr("tuner.aws.credentials.LOOK_EVERY_S", 0.01)
    (aws_home / "config").write_text(PROFILES[request.param])
    made = Portal(cache, request.param)
    made.log_in("first")
    wire.answer = made.answer
    return made


def opened(wire: WireServer, credentials_wait: CredentialsWait | None = None) -> LambdaGateway:
    return connect(
        region="eu-west-1", profile="p", endpoint_url=wire.url, credentials_wait=credentials_wait
    )


def signers(wire: WireServer) -> list[str]:
    """Which keys the requests to Lambda were signed with."""
    return [
        received.headers["authorization"].partition("Credential=")[2].partition("/")[0]
        for received in wire.received
        if "authorization" in received.headers
    ]


def test_a_session_that_was_ended_is_waited_for(wire: WireServer, portal: Portal) -> None:
    """It says so once, and after `aws sso login` the same request goes on, sent once."""
    told: list[float] = []

    def tell(wait_s: float) -> None:
        told.append(wait_s)
        portal.valid = {"second"}
        portal.log_in("second")

    with opened(wire, CredentialsWait(60.0, tell)) as gateway:
        gateway.read_function("resize")
        portal.valid = set()
        assert gateway.invoke("resize", "1", b"{}", timeout_s=3).status_code == 200
        gateway.read_function("resize")
    assert told == [60.0]
    assert signers(wire) == ["key-first", "key-second", "key-second"]


def test_a_token_that_runs_out_is_waited_for(wire: WireServer, portal: Portal) -> None:
    """The token on disk has its own end, which botocore sees without asking the portal."""
    told: list[float] = []

    def tell(wait_s: float) -> None:
        told.append(wait_s)
        portal.log_in("first")

    with opened(wire, CredentialsWait(60.0, tell)) as gateway:
        gateway.read_function("resize")
        portal.log_in("first", lives_s=-1)
        assert gateway.read_function("resize").memory_mb == 128
    assert told == [60.0]


def test_nobody_there_ends_with_what_to_do(wire: WireServer, portal: Portal) -> None:
    """One line that names `aws sso login` with the profile, and no request to Lambda."""
    with opened(wire) as gateway:
        gateway.read_function("resize")
        portal.valid = set()
        with pytest.raises(CredentialsError, match=r"aws sso login --profile p") as refused:
            gateway.invoke("resize", "1", b"{}", timeout_s=3)
    assert "\n" not in str(refused.value)
    assert len(signers(wire)) == 1


def test_keys_that_lambda_refuses_early_are_fetched_anew(wire: WireServer, portal: Portal) -> None:
    """A revoked role is refused long before its end: the portal is asked, nobody waited for."""
    portal.role_lives_s = 3600.0
    told: list[float] = []
    with opened(wire, CredentialsWait(60.0, told.append)) as gateway:
        gateway.read_function("resize")
        portal.refused_keys, portal.valid = {"key-first"}, {"second"}
        portal.log_in("second")
        assert gateway.read_function("resize").memory_mb == 128
    assert told == []
    assert signers(wire) == ["key-first", "key-first", "key-second"]


@pytest.mark.parametrize("portal", ["session"], indirect=True)
def test_new_keys_that_are_refused_too_end_the_asking(wire: WireServer, portal: Portal) -> None:
    """Where every key is told to have expired (a clock that is off), it ends in a line."""
    numbers = itertools.count()
    portal.role_lives_s = 3600.0
    answer = portal.answer

    def refused(request: Received) -> Reply:
        if request.path == "/federation/credentials":
            portal.log_in(token := f"token-{next(numbers)}")
            portal.valid.add(token)
        return answer(request)

    wire.answer = refused
    portal.refused_keys = EveryKey()
    with opened(wire) as gateway, pytest.raises(CredentialsError, match="have expired"):
        gateway.read_function("resize")
    assert len(signers(wire)) == 4


@pytest.mark.parametrize("portal", ["session"], indirect=True)
def test_a_session_that_renews_itself_is_not_waited_for(wire: WireServer, portal: Portal) -> None:
    """With a refresh token botocore gets the next token on its own."""
    until = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    client = {"clientId": "c", "clientSecret": "s", "registrationExpiresAt": until}
    portal.valid.add("refresh")
    told: list[float] = []
    with opened(wire, CredentialsWait(60.0, told.append)) as gateway:
        portal.log_in("first", lives_s=1, refreshToken="refresh", **client)
        assert gateway.read_function("resize").memory_mb == 128
    assert told == []
    assert signers(wire) == ["key-renewed"]
