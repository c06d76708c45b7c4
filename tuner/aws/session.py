"""Profile, region, credentials and endpoint: everything decided before the first call."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Unpack
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from botocore.configprovider import ConfiguredEndpointProvider
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    Credentials,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import BotoCoreError
from botocore.utils import validate_region_name

from tuner.aws.connection_errors import Connection, Request
from tuner.aws.service_errors import REFUSALS, check_shapes, refused
from tuner.errors import CredentialsError, InputError, UsageError

if TYPE_CHECKING:
    from tuner.model.request import Where

_LOOPBACK_REGION = "us-east-1"
_LOOPBACK_KEYS = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
# Credentials that must first be fetched belong to an account; a server on this machine does not
# ask for one, and looking for them would reach out to the network.
_FETCHED_CREDENTIALS = (
    "assume-role", "assume-role-with-web-identity", "sso", "login", "custom-process",
    "container-role", "iam-role",
)  # fmt: skip
_SESSION_NAME: Final = "lambda-tuner"
"""What CloudTrail shows of who assumed a role."""


@dataclass(frozen=True, slots=True)
class Session:
    """Where requests go and who signs them."""

    region: str
    profile: str | None
    endpoint_url: str | None
    """The endpoint that was given, or from AWS's own settings; None for AWS's default."""
    is_loopback: bool
    boto: boto3.Session = field(repr=False)
    keys: dict[str, str] = field(repr=False)
    """Dummy keys for a loopback endpoint without credentials; otherwise empty."""
    on_client: list[Callable[[Any], None]] = field(default_factory=list, repr=False)
    """Told of every client that is made."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def connection(self) -> Connection:
        """Where requests go, for messages."""
        return Connection(self.region, self.profile, self.endpoint_url)

    @contextmanager
    def translating(self, request: Request) -> Iterator[None]:
        """Translate any refusal of a request."""
        try:
            yield
        except REFUSALS as error:
            raise refused(error, self.connection, request) from error

    def client(self, service: str, **options: Any) -> Any:
        """Make a client; `options` are those of botocore's Config.

        A local endpoint is never reached through a proxy. At a custom endpoint elsewhere (such as a
        VPC endpoint) there is only Lambda; on loopback, its related services are there too.
        """
        if self.is_loopback:
            options["proxies"] = {}
        endpoint_url = self.endpoint_url if self.is_loopback or service == "lambda" else None
        make: Any = self.boto.client
        config = Config(user_agent_extra="lambda-tuner", tcp_keepalive=True, **options)
        with self._lock:  # a session must not make two clients at once; clients may be shared
            client = make(
                service,
                region_name=self.region,
                endpoint_url=endpoint_url,
                config=config,
                **self.keys,
            )
        check_shapes(client)
        for told in self.on_client:
            told(client)
        return client


def open_session(**where: Unpack[Where]) -> Session:
    """Settle profile, region, endpoint and credentials, without a request to Lambda.

    Raises InputError (an unknown profile, no region, a bad endpoint URL or AWS configuration file)
    and CredentialsError.
    """
    region, profile, endpoint_url = where["region"], where["profile"], where["endpoint_url"]
    access_key_id, role_arn = where.get("access_key_id"), where.get("role_arn")
    if endpoint_url is not None:
        _check_endpoint(endpoint_url, "`endpoint_url`")
    try:
        core = botocore.session.Session(profile=profile)
        region = region or core.get_config_variable("region")
        if endpoint_url is None:
            endpoint_url = _configured_endpoint(core)
        is_loopback = endpoint_url is not None and is_loopback_url(endpoint_url)
        if region is None and not is_loopback:
            raise InputError(
                "no region: give `region`, or set AWS_REGION or a region in the AWS profile"
            )
        region = region or _LOOPBACK_REGION
        validate_region_name(region)
        if access_key_id is not None:
            keys = {**_LOOPBACK_KEYS, "aws_access_key_id": access_key_id}
        else:
            keys = _keys(core, is_loopback=is_loopback, profile=profile)
        if role_arn is not None:
            loopback_url = endpoint_url if is_loopback else None
            external_id = where.get("external_id")
            core = _with_role(
                core, role_arn, external_id=external_id, region=region, loopback_url=loopback_url
            )
            keys = {}
    except BotoCoreError as error:
        connection = Connection(region=region, profile=profile, endpoint_url=endpoint_url)
        raise refused(error, connection) from error
    return Session(
        region=region,
        profile=core.profile,
        endpoint_url=endpoint_url,
        is_loopback=is_loopback,
        boto=boto3.Session(botocore_session=core),
        keys=keys,
    )


def is_loopback_url(url: str) -> bool:
    """Whether a URL points to this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _check_endpoint(endpoint_url: str, source: str) -> None:
    """Raise UsageError if this isn't a server's URL (without showing credentials in it)."""
    try:
        parts = urlsplit(endpoint_url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or "@" in parts.netloc:
        raise UsageError(
            f"{source} is not the URL of a server: give one such as http://127.0.0.1:9001"
        )


def _configured_endpoint(core: botocore.session.Session) -> str | None:
    """Return the endpoint that AWS_ENDPOINT_URL or the profile sets, None for AWS's own."""
    if core.get_config_variable("ignore_configured_endpoint_urls"):
        return None
    provider = ConfiguredEndpointProvider(
        full_config=core.full_config, scoped_config=core.get_scoped_config(), client_name="lambda"
    )
    configured: str | None = provider.provide()
    if configured is not None:
        _check_endpoint(configured, "the endpoint of AWS_ENDPOINT_URL or the AWS profile")
    return configured


def _keys(
    core: botocore.session.Session, *, is_loopback: bool, profile: str | None
) -> dict[str, str]:
    """Find credentials; on loopback none are needed, and dummies replace missing ones."""
    if is_loopback and profile is None:
        resolver = core.get_component("credential_provider")
        for method in _FETCHED_CREDENTIALS:
            resolver.remove(method)
    if core.get_credentials() is not None:
        return {}
    if is_loopback:
        return dict(_LOOPBACK_KEYS)
    raise CredentialsError(
        "no AWS credentials: give `profile`, run `aws configure` (or `aws sso login`), or set "
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    )


def _with_role(
    core: botocore.session.Session,
    role_arn: str,
    *,
    external_id: str | None,
    region: str,
    loopback_url: str | None,
) -> botocore.session.Session:
    """Return a session like this one with a role's credentials, fetched when they're needed first.

    At an endpoint on this machine its own STS is asked, with dummies for missing credentials.
    """
    source = core.get_credentials()
    if source is None and loopback_url is not None:
        source = Credentials("local", "local")

    def client(service: str, **options: Any) -> Any:
        options.setdefault("region_name", region)
        return core.create_client(service, endpoint_url=loopback_url, **options)

    extra = {"RoleSessionName": _SESSION_NAME}
    if external_id is not None:
        extra["ExternalId"] = external_id
    fetcher = AssumeRoleCredentialFetcher(client, source, role_arn, extra_args=extra)
    assumed = botocore.session.Session(profile=core.profile)
    assumed.get_component("credential_provider").providers.insert(0, _AssumedRole(fetcher))
    return assumed


class _AssumedRole(CredentialProvider):
    METHOD = "assumed-role-of-fleet"

    def __init__(self, fetcher: AssumeRoleCredentialFetcher) -> None:
        super().__init__()
        self._fetcher = fetcher

    def load(self) -> DeferredRefreshableCredentials:
        """Botocore's own interface: credentials that are fetched at the first request."""
        return DeferredRefreshableCredentials(
            method=self.METHOD, refresh_using=self._fetcher.fetch_credentials
        )
