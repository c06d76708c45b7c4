"""What goes wrong before the service answers (settings, credentials, the connection).

Also the parts of every message: where a request went, what was asked, foreign text cut to fit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore import exceptions as boto

from tuner.errors import AwsError, CredentialsError, EndpointError, InputError, TunerError

if TYPE_CHECKING:
    from tuner.aws.function_ref import FunctionRef

_QUOTED_CHARACTERS = 300
_UNTOLD = re.compile(r"\b(?:[0-9]{12}|(?:AKIA|ASIA)[0-9A-Z]{12,})\b")


@dataclass(frozen=True, slots=True)
class Connection:
    """Where a request went, for messages."""

    region: str | None
    profile: str | None
    endpoint_url: str | None

    @property
    def text(self) -> str:
        """Where, within a sentence: the region, and the endpoint if it isn't AWS's own."""
        region = self.region or "no region"
        return f"{region} (at {self.endpoint_url})" if self.endpoint_url else region

    @property
    def profile_option(self) -> str:
        """The AWS CLI's option for the same profile, with a space before it."""
        return f" --profile {self.profile}" if self.profile else ""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked, for messages."""

    operation: str
    function: FunctionRef | None = None
    qualifier: str | None = None
    memory_mb: int | None = None
    purpose: str | None = None
    """Which policy has its action; None for a sweep's."""


def plain(text: object) -> str:
    """Return foreign text cut to one line, without control characters, ids or keys."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())
    line = _UNTOLD.sub("…", line)
    return line if len(line) <= _QUOTED_CHARACTERS else line[: _QUOTED_CHARACTERS - 1] + "…"


def connection_error(
    error: Exception, connection: Connection, request: Request | None
) -> TunerError:
    """Return the error for a botocore exception other than ClientError."""
    problem = (
        _credentials_problem(error, connection)
        or _settings_problem(error, connection)
        or _connection_problem(error, connection)
    )
    what = request.operation if request else "reading the AWS configuration"
    return problem or AwsError(f"{what} failed ({type(error).__name__}): {plain(error)}")


def _settings_problem(error: Exception, connection: Connection) -> InputError | None:
    match error:
        case boto.ProfileNotFound():
            profile = plain(error.kwargs.get("profile", connection.profile))
            return InputError(
                f"no profile {profile} in the AWS configuration: check `profile` or AWS_PROFILE "
                "(`aws configure list-profiles` lists them)"
            )
        case boto.InvalidRegionError() | boto.NoRegionError() | boto.UnknownRegionError():
            return InputError(f"{plain(connection.region)} is not a region: check `region`")
        case boto.ConfigParseError():
            path = plain(error.kwargs.get("path", "the AWS configuration file"))
            return InputError(f"{path} can't be read as an AWS configuration file: fix it")
    return None


def _connection_problem(error: Exception, connection: Connection) -> EndpointError | None:
    url = error.kwargs.get("endpoint_url") if isinstance(error, boto.BotoCoreError) else None
    server = _server(url or connection.endpoint_url)
    check = "check `endpoint_url`" if connection.endpoint_url else "check `region` and the network"
    match error:
        case boto.ProxyConnectionError():
            text = f"the proxy on the way to {server} does not answer: check HTTPS_PROXY"
        case boto.SSLError():
            text = f"no trusted TLS connection to {server}: {check}, or AWS_CA_BUNDLE"
        case boto.EndpointConnectionError() | boto.ConnectTimeoutError():
            text = f"nothing answers at {server}: {check}"
        case boto.ReadTimeoutError() | boto.ConnectionClosedError() | boto.HTTPClientError():
            text = f"the connection to {server} was lost: {check}"
        case _:
            return None
    return EndpointError(text)


def _credentials_problem(error: Exception, connection: Connection) -> CredentialsError | None:
    match error:
        case boto.NoCredentialsError() | boto.NoAuthTokenError():
            text = "no AWS credentials: give `profile`, or run `aws configure` (or `aws sso login`)"
        case boto.PartialCredentialsError():
            missing, where = (
                plain(error.kwargs.get(k, "a part")) for k in ("cred_var", "provider")
            )
            text = f"the AWS credentials are incomplete ({where}): {missing} is missing"
        case boto.SSOError() | boto.TokenRetrievalError():
            text = (
                "the SSO session has expired or was never started: run "
                f"`aws sso login{connection.profile_option}`"
            )
        case boto.LoginError():
            text = f"the login session has expired: run `aws login{connection.profile_option}`"
        case boto.CredentialRetrievalError() | boto.RefreshWithMFAUnsupportedError():
            # A credential process's output may have a secret: it isn't quoted.
            provider = plain(error.kwargs.get("provider", "MFA"))
            text = (
                f"the AWS credentials could not be fetched or refreshed ({provider}): get new ones"
            )
        case _:
            return None
    return CredentialsError(text)


def _server(url: object) -> str:
    """Return scheme, host and port of a URL: its path may hold an ARN."""
    match = re.match(r"(https?://[^/@\s]+)(?:/|$)", str(url or ""))
    return match[1] if match else "the endpoint"
