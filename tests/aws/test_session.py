"""Where requests go and who signs them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.aws.wire import Reply, WireServer
from tuner.aws import connect
from tuner.aws.session import is_loopback_url, open_session
from tuner.errors import CredentialsError, InputError

if TYPE_CHECKING:
    from pathlib import Path

LOOPBACK = "http://127.0.0.1:9"
ARN = "arn:aws:lambda:eu-north-1:123456789012:function:resize"


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")


def test_importing_the_package_loads_no_boto3() -> None:
    """The package and the policy can be imported without paying for boto3."""
    code = (
        "import sys; import tuner.aws.iam_policy; import tuner.cli.sweeping; "
        "sys.exit('botocore' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.usefixtures("keys")
def test_region_by_precedence(monkeypatch: pytest.MonkeyPatch, aws_home: Path) -> None:
    """The flag goes before the ARN, the ARN before the environment, that before the profile."""
    (aws_home / "config").write_text("[default]\nregion = ca-central-1\n")

    def region(flag: str | None = None, function: str | None = None) -> str:
        with connect(region=flag, profile=None, endpoint_url=None, function=function) as gateway:
            return gateway.region

    assert region() == "ca-central-1"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "sa-east-1")
    assert region() == "sa-east-1"
    assert region(function="resize") == "sa-east-1"
    assert region(function=ARN) == "eu-north-1"
    assert region("eu-north-1", ARN) == "eu-north-1"
    assert region("us-west-2", "resize") == "us-west-2"


@pytest.mark.usefixtures("keys")
def test_region_flag_against_arn_is_refused() -> None:
    """A region that contradicts the ARN is an input error that names the right one."""
    with pytest.raises(InputError, match="give `region=eu-north-1`"):
        connect(region="eu-west-1", profile=None, endpoint_url=None, function=ARN)
    with (
        connect(region="eu-west-1", profile=None, endpoint_url=None) as gateway,
        pytest.raises(InputError, match="give `region=eu-north-1`"),
    ):
        gateway.resolve(ARN)


@pytest.mark.usefixtures("keys")
def test_arn_of_another_account_is_kept_on_aws() -> None:
    """On AWS the ARN goes out whole, by its name too: it is not the caller's own function."""
    with connect(region=None, profile=None, endpoint_url=None, function=f"{ARN}:live") as gateway:
        assert gateway.resolve(f"{ARN}:live").target == ARN
        assert gateway.resolve("resize").target == ARN
        assert gateway.resolve("resize").qualifier is None
        assert gateway.resolve("other").target == "other"


@pytest.mark.usefixtures("keys")
def test_no_region_names_the_flag() -> None:
    """Without any region the error names `region`."""
    with pytest.raises(InputError, match="`region`"):
        open_session(region=None, profile=None, endpoint_url=None)
    with pytest.raises(InputError, match="`region`"):
        open_session(region=None, profile=None, endpoint_url="https://lambda.example.com")


def test_loopback_needs_neither_region_nor_credentials(wire: WireServer) -> None:
    """An endpoint on this machine is signed for with dummy keys in us-east-1."""
    wire.say(Reply(200, {"AccountLimit": {"ConcurrentExecutions": 10}}))
    with connect(region=None, profile=None, endpoint_url=wire.url) as gateway:
        assert (gateway.region, gateway.is_loopback) == ("us-east-1", True)
        assert gateway.account_settings().concurrent_executions == 10
    assert "Credential=local/" in wire.received[0].headers["authorization"]


@pytest.mark.usefixtures("keys")
def test_loopback_uses_the_keys_that_are_there(wire: WireServer) -> None:
    """Keys of the environment sign for an endpoint on this machine too."""
    with connect(region=None, profile=None, endpoint_url=wire.url) as gateway:
        gateway.account_settings()
    assert "Credential=AKIAEXAMPLE/" in wire.received[0].headers["authorization"]


def test_loopback_fetches_no_credentials(
    wire: WireServer, monkeypatch: pytest.MonkeyPatch, aws_home: Path
) -> None:
    """A role or an SSO profile in the environment is not reached for to talk to this machine."""
    (aws_home / "config").write_text(
        "[profile work]\nregion = eu-west-3\n"
        "role_arn = arn:aws:iam::123456789012:role/dev\nsource_profile = missing\n"
        "[profile process]\ncredential_process = /bin/false\n"
    )
    for profile in ("work", "process"):
        monkeypatch.setenv("AWS_PROFILE", profile)
        with connect(region=None, profile=None, endpoint_url=wire.url) as gateway:
            gateway.account_settings()
    assert all("Credential=local/" in each.headers["authorization"] for each in wire.received)


def test_loopback_asks_no_proxy(wire: WireServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the environment stands not between the tuner and this machine."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with connect(region=None, profile=None, endpoint_url=wire.url) as gateway:
        gateway.account_settings()
    assert len(wire.received) == 1


def test_endpoint_of_the_environment_is_seen(
    wire: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS_ENDPOINT_URL counts as --endpoint-url does, loopback rules included."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", wire.url)
    with connect(region=None, profile=None, endpoint_url=None) as gateway:
        assert (gateway.endpoint_url, gateway.is_loopback) == (wire.url, True)
        gateway.account_settings()
    assert len(wire.received) == 1


@pytest.mark.usefixtures("keys")
def test_aws_itself_has_no_endpoint() -> None:
    """Without an endpoint of one's own there is none to tell, and it is not this machine."""
    with connect(region="eu-west-1", profile=None, endpoint_url=None) as gateway:
        assert (gateway.endpoint_url, gateway.is_loopback) == (None, False)


@pytest.mark.parametrize("endpoint_url", [None, "https://lambda.example.com"])
def test_no_credentials_elsewhere_is_an_error(endpoint_url: str | None) -> None:
    """Dummy keys are never used beyond this machine: the line says how to get real ones."""
    with pytest.raises(CredentialsError, match="no AWS credentials: give `profile`"):
        open_session(region="eu-west-1", profile=None, endpoint_url=endpoint_url)


@pytest.mark.parametrize("by_flag", [True, False])
def test_unknown_profile_is_one_line(by_flag: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that is not configured is named, whether a flag or AWS_PROFILE gave it."""
    if not by_flag:
        monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(InputError, match="no profile nobody") as caught:
        open_session(
            region="eu-west-1", profile="nobody" if by_flag else None, endpoint_url=LOOPBACK
        )
    assert "\n" not in str(caught.value)


def test_half_credentials_say_which_half(monkeypatch: pytest.MonkeyPatch) -> None:
    """An access key without its secret is told as that, and the key is not."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE00")
    with pytest.raises(CredentialsError, match="AWS_SECRET_ACCESS_KEY is missing") as caught:
        open_session(region="eu-west-1", profile=None, endpoint_url=None)
    assert "AKIA" not in str(caught.value)


def test_sso_without_a_session_says_how_to_log_in(aws_home: Path) -> None:
    """An SSO profile without a cached token asks for `aws sso login` with its name."""
    (aws_home / "config").write_text(
        "[profile work]\nregion = eu-west-1\nsso_session = corp\nsso_account_id = 123456789012\n"
        "sso_role_name = dev\n[sso-session corp]\nsso_region = eu-west-1\n"
        "sso_start_url = https://corp.example.com/start\n"
    )
    with (
        connect(region=None, profile="work", endpoint_url=None) as gateway,
        pytest.raises(CredentialsError, match="aws sso login --profile work"),
    ):
        gateway.read_function("resize")


def test_broken_configuration_file_is_one_line(aws_home: Path) -> None:
    """An AWS configuration file that cannot be parsed is named."""
    (aws_home / "config").write_text("no section\n= here")
    with pytest.raises(InputError, match="config can't be read as an AWS configuration"):
        open_session(region="eu-west-1", profile=None, endpoint_url=LOOPBACK)


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:9001",
        "ftp://127.0.0.1",
        "http://",
        "http://[::1",
        "http://a:b@127.0.0.1:9001",
        "http://127.0.0.1:99999",
    ],
)
def test_endpoint_must_be_a_server(url: str) -> None:
    """An endpoint that is no server's URL, or holds a password, is refused and not repeated."""
    with pytest.raises(InputError, match="`endpoint_url`") as caught:
        open_session(region="eu-west-1", profile=None, endpoint_url=url)
    assert "a:b" not in str(caught.value)


@pytest.mark.parametrize("url", [None, LOOPBACK])
def test_region_that_is_no_region(url: str | None) -> None:
    """A region that cannot be part of a host's name is refused with the flag's name."""
    with pytest.raises(InputError, match="is not a region: check `region`"):
        open_session(region="not a region!", profile=None, endpoint_url=url)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:3001", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:3001", True),
        ("http://localhost:4566", True),
        ("http://lambda.localhost:4566", True),
        ("http://10.0.0.1:3001", False),
        ("http://localhost.example.com", False),
        ("https://lambda.eu-west-1.amazonaws.com", False),
        ("http://0.0.0.0:3001", False),
    ],
)
def test_loopback_is_this_machine_only(url: str, expected: bool) -> None:
    """Loopback is what cannot leave this machine, by address or by reserved name."""
    assert is_loopback_url(url) is expected
