"""What goes wrong before the service answers: settings, credentials, the connection."""

from __future__ import annotations

import re

from botocore import exceptions as boto

from tuner.aws.place import Place, Request, plain
from tuner.errors import AwsError, CredentialsError, EndpointError, InputError, TunerError


def unreached(error: Exception, place: Place, request: Request | None) -> TunerError:
    """Return the error for a botocore exception other than ClientError."""
    problem = (
        _credentials_problem(error, place)
        or _settings_problem(error, place)
        or _connection_problem(error, place)
    )
    what = request.operation if request else "reading the AWS configuration"
    return problem or AwsError(f"{what} failed ({type(error).__name__}): {plain(error)}")


def _settings_problem(error: Exception, place: Place) -> InputError | None:
    match error:
        case boto.ProfileNotFound():
            profile = plain(error.kwargs.get("profile", place.profile))
            return InputError(
                f"no profile {profile} in the AWS configuration: check --profile or AWS_PROFILE "
                "(`aws configure list-profiles` lists them)"
            )
        case boto.InvalidRegionError() | boto.NoRegionError() | boto.UnknownRegionError():
            return InputError(f"{plain(place.region)} is not a region: check --region")
        case boto.ConfigParseError():
            path = plain(error.kwargs.get("path", "the AWS configuration file"))
            return InputError(f"{path} cannot be read as an AWS configuration file: mend it")
    return None


def _connection_problem(error: Exception, place: Place) -> EndpointError | None:
    url = error.kwargs.get("endpoint_url") if isinstance(error, boto.BotoCoreError) else None
    server = _server(url or place.endpoint_url)
    check = "check --endpoint-url" if place.endpoint_url else "check --region and the network"
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


def _credentials_problem(error: Exception, place: Place) -> CredentialsError | None:
    match error:
        case boto.NoCredentialsError() | boto.NoAuthTokenError():
            text = "no AWS credentials: give --profile, or run `aws configure` (or `aws sso login`)"
        case boto.PartialCredentialsError():
            missing, where = (
                plain(error.kwargs.get(k, "a part")) for k in ("cred_var", "provider")
            )
            text = f"the AWS credentials are incomplete ({where}): {missing} is missing"
        case boto.SSOError() | boto.TokenRetrievalError():
            text = (
                "the SSO session has expired or was never begun: run "
                f"`aws sso login{place.profile_option}`"
            )
        case boto.LoginError():
            text = f"the login session has expired: run `aws login{place.profile_option}`"
        case boto.CredentialRetrievalError() | boto.RefreshWithMFAUnsupportedError():
            # What a credential process printed may hold a secret: it is not quoted.
            provider = plain(error.kwargs.get("provider", "MFA"))
            text = f"the AWS credentials could not be got or refreshed ({provider}): get new ones"
        case _:
            return None
    return CredentialsError(text)


def _server(url: object) -> str:
    """Return scheme, host and port of a URL: its path may hold an ARN."""
    match = re.match(r"(https?://[^/@\s]+)(?:/|$)", str(url or ""))
    return match[1] if match else "the endpoint"
