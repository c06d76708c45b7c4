"""Queries the Price List API, one small request at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Self

from tuner.aws.connection_errors import Request
from tuner.aws.session import open_session

if TYPE_CHECKING:
    from tuner.aws.session import Session

HOME: Final = "us-east-1"
"""The API has every region's prices but only a few regions host it, including this one."""


class PriceList:
    """The Price List API. It needs `pricing:GetProducts`, and costs nothing."""

    def __init__(
        self,
        *,
        profile: str | None = None,
        region: str | None = None,
        session: Session | None = None,
    ) -> None:
        """Open it; raises InputError and CredentialsError. No request is sent yet.

        `region` is the caller's own, by default the environment's or the profile's; a `session`
        has both, and its endpoint.
        """
        session = session or open_session(region=region, profile=profile, endpoint_url=None)
        self.region = session.region
        self._home = replace(session, region=HOME)
        self._client: Any = self._home.client(
            "pricing",
            connect_timeout=5,
            read_timeout=60,
            retries={"mode": "standard", "total_max_attempts": 5},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def products(
        self, region: str, service_code: str, filters: tuple[tuple[str, str, str], ...]
    ) -> Iterator[str]:
        """Items as JSON text, over all pages; filters are (type, field, value). Raises AwsError."""
        asked = [("TERM_MATCH", "regionCode", region), *filters]
        with self._home.translating(Request("GetProducts")):
            pages = self._client.get_paginator("get_products").paginate(
                ServiceCode=service_code,
                FormatVersion="aws_v1",
                Filters=[
                    {"Type": kind, "Field": name, "Value": given} for kind, name, given in asked
                ],
            )
            for page in pages:
                yield from page.get("PriceList", ())
