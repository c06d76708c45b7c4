"""Credentials of a role in another account, renewed before they expire."""

from __future__ import annotations

from typing import Any, Final

import botocore.session
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    Credentials,
    DeferredRefreshableCredentials,
)

SESSION_NAME: Final = "lambda-tuner"
"""What CloudTrail shows of who assumed the role."""


def assume_role(
    core: botocore.session.Session,
    role_arn: str,
    *,
    external_id: str | None,
    region: str,
    loopback_url: str | None = None,
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

    extra = {"RoleSessionName": SESSION_NAME}
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
